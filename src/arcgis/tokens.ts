import { setTimeout as sleep } from "node:timers/promises";
import type { Request, RequestHandler } from "express";
import type { SessionData } from "express-session";
import type { Logger } from "pino";
import type { Config } from "../app/config/config.ts";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import { reasonOf } from "../reason.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { lookAgain, prolongCookie } from "../session/session.ts";
import { replaceIdentity } from "../session/session-content.ts";
import { portalBackoff, refusalBackoff } from "./backoff.ts";
import type { IdentityManager } from "./identity-manager.ts";
import { isRefusal } from "./request.ts";
import type { Revocations } from "./revocations.ts";

/** Longer than a token call can take (request.ts): a lock is broken only when its holder has died. */
const staleMs = 15_000;
/** How long until tokens that could not be kept are written again, twice as long with each failure (ms). */
const rewrite = { firstMs: 1_000, longestMs: 60_000 };
/** The end of the process waits so long for that (ms). */
const lastMs = 1_500;

/** Tokens that the portal has given out and the store has not taken. */
interface Unsaved {
  identity: IdentityManager;
  /** The identity in the store, in whose place it is to come. */
  replaces: IdentityManager;
}

/** Gives tokens that are good, of one portal. */
export interface TokenKeeper {
  /**
   * Gives the identity of the person who is signed in, with a token that is good for minutes: every function
   * of `@esri/arcgis-rest-*` takes it as `authentication`.
   *
   * @throws AppError signed_out; session_ended when the portal takes the refresh token no more (then the
   *   session is over); portal_unreachable, portal_timeout or portal_answer_invalid when the token is spent
   *   and the portal is in trouble (the session stays).
   */
  identityOf(req: Request): Promise<IdentityManager>;
  /**
   * The same for a session's identity, which may be one that nobody can change. It leaves the request and its
   * cookie alone: by the time a slow answer leaves, the browser may have another session.
   */
  fresh(sessionId: string, identity: IdentityManager): Promise<IdentityManager>;
  /**
   * Gives a session's identity as it counts now. Once the access token has expired, it is refreshed first, because the
   * account may have been disabled: `undefined` when the portal rejects the refresh token, and the session has ended.
   * If the portal is in trouble, the session continues.
   */
  current(sessionId: string, identity: IdentityManager): Promise<IdentityManager | undefined>;
  /** Does the same for the session of a request that needs no token; the request sees the result. */
  recheck: RequestHandler;
  /** Gives an identity with another token than this one's, which was refused; throws as `identityOf`. */
  renewed(sessionId: string, refused: IdentityManager): Promise<IdentityManager>;
  /** Writes what the store would not take, once more: nothing of it outlives the process. Takes 1.5 s at most. */
  settle(): Promise<void>;
}

/** What a token keeper works with. */
export interface TokenKeeperParts {
  config: Config;
  store: SealedStore;
  revocations: Revocations;
  log: Logger;
}

/**
 * Keeps tokens fresh: one renewal at a time for each session, in this process and in every other that shares
 * the store. What a renewal brings is kept before it is used, and all who wait take it.
 */
export function tokenKeeper({ config, store, revocations, log }: TokenKeeperParts): TokenKeeper {
  const underWay = new Map<string, Promise<IdentityManager>>();
  const unsaved = new Map<string, Unsaved>();
  const refusals = refusalBackoff();
  const backoff = portalBackoff();

  /** Gives a fresh identity; `spent` is a token that is known to be no good. */
  function renew(sessionId: string, spent: string): Promise<IdentityManager> {
    const shared = underWay.get(sessionId);
    if (shared) return shared;
    const renewal = revocations
      .expect(renewInTurn(sessionId, spent))
      .finally(() => underWay.delete(sessionId));
    underWay.set(sessionId, renewal);
    return renewal;
  }

  async function renewInTurn(sessionId: string, spent: string): Promise<IdentityManager> {
    const unlock = await store.lock(sessionId, staleMs);
    try {
      // What is stored counts: another process may have renewed it meanwhile, or the person signed out.
      const stored = (await store.read(sessionId))?.identity;
      if (!stored) throw new AppError("signed_out");
      if (isFresh(stored) && (stored.token !== spent || refusals.has(sessionId))) return stored;
      return await renewNow(sessionId, stored);
    } finally {
      await unlock();
    }
  }

  async function renewNow(sessionId: string, stored: IdentityManager): Promise<IdentityManager> {
    const held = unsaved.get(sessionId)?.identity;
    const renewed = held && isFresh(held) ? held : await askPortal(sessionId, stored, held);
    let isLatest = false;
    const put = (data: Partial<SessionData>) => {
      isLatest = data.identity?.refreshToken === stored.refreshToken;
      if (isLatest) data.identity = renewed;
    };
    // The session may also go between this look at it and the writing.
    const isThere = await store.update(sessionId, put).catch((error) => {
      keepInHand(sessionId, { identity: renewed, replaces: stored }, reasonOf(error));
      throw error;
    });
    unsaved.delete(sessionId);
    if (isThere && isLatest) {
      refusals.begin(sessionId, isFresh(stored));
      return renewed;
    }
    // The person signed out meanwhile, and that sign-out knew nothing of what the portal has just given.
    await revocations.revoke(renewed);
    throw new AppError("signed_out");
  }

  /**
   * When the store fails between a renewal and its writing, nobody else has these tokens, and those in the store
   * may be dead. Whoever needs them, and a timer, tries to write them again; when there is no session left to
   * write them to, they are revoked.
   */
  function keepInHand(sessionId: string, held: Unsaved, reason: string): void {
    const isNew = !unsaved.has(sessionId);
    unsaved.set(sessionId, held);
    // Another try is due already.
    if (!isNew) return;
    const { username: user } = held.identity;
    log.error({ event: "refresh", user, reason }, "renewed tokens could not be kept yet");
    writeLater(sessionId, rewrite.firstMs);
  }

  function writeLater(sessionId: string, ms: number): void {
    setTimeout(async () => {
      const held = unsaved.get(sessionId);
      if (!held) return;
      const { identity, replaces } = held;
      try {
        const stored = await renew(sessionId, replaces.token);
        unsaved.delete(sessionId);
        if (stored.refreshToken !== identity.refreshToken) await revocations.revoke(identity);
      } catch (error) {
        if (!isOver(error)) return writeLater(sessionId, Math.min(ms * 2, rewrite.longestMs));
        unsaved.delete(sessionId);
        await revocations.revoke(identity);
      }
    }, ms).unref();
  }

  /** @param held what takes the place of the stored identity, when the store would not take it */
  async function askPortal(
    sessionId: string,
    stored: IdentityManager,
    held: IdentityManager = stored,
  ): Promise<IdentityManager> {
    const { username } = stored;
    try {
      return await backoff.run({ sessionId, username }, async () => {
        const renewed = await held.renewed(config).catch((error) => {
          counts.refreshes.add(isRefusal(error) ? "refused" : "failed");
          const what = isRefusal(error) ? "refresh token refused" : "token not renewed";
          log.warn({ event: "refresh", user: username, reason: reasonOf(error) }, what);
          throw error;
        });
        counts.refreshes.add("renewed");
        return renewed;
      });
    } catch (error) {
      if (isRefusal(error)) {
        // Unless another process has a newer one: its lock on the session may have been broken.
        const latest = (await store.read(sessionId))?.identity;
        if (latest?.refreshToken === stored.refreshToken) await store.end(sessionId);
        throw new AppError("session_ended", { cause: error });
      }
      throw error instanceof AppError ? error : new AppError("portal_unreachable", { cause: error });
    }
  }

  /** Lets the rest of the request see a refreshed identity, and the browser keep its cookie as long as that lives. */
  async function show(req: Request, refreshed: IdentityManager): Promise<void> {
    const prolonged = refreshed.refreshToken !== req.session.identity?.refreshToken;
    replaceIdentity(req.session, refreshed);
    const stored = prolonged && !req.res?.headersSent && (await store.read(req.sessionID));
    if (stored) prolongCookie(req, stored.endsAt);
  }

  async function fresh(sessionId: string, identity: IdentityManager): Promise<IdentityManager> {
    if (isFresh(identity)) return identity;
    return renew(sessionId, identity.token).catch((error) => {
      if (!hasExpired(identity) && isTrouble(error)) return identity;
      throw error;
    });
  }

  async function current(sessionId: string, identity: IdentityManager): Promise<IdentityManager | undefined> {
    if (!hasExpired(identity)) return identity;
    return renew(sessionId, identity.token).catch((error) => {
      if (isOver(error)) return undefined;
      if (isTrouble(error)) return identity;
      throw error;
    });
  }

  return {
    fresh,
    current,
    async recheck(req, res, next) {
      const { session, sessionID } = req;
      const { identity } = session;
      // The session may be that of another portal: the last guard decides.
      if (identity?.portal !== config.portal || !hasExpired(identity)) return next();
      const latest = await current(sessionID, identity);
      if (latest === identity) return next();
      if (Object.isFrozen(session)) await lookAgain(req, res, config, store);
      else if (latest) await show(req, latest);
      else delete (session as Partial<SessionData>).identity;
      next();
    },
    renewed: (sessionId, { token }) => renew(sessionId, token),
    async settle() {
      const writing = [...unsaved].map(([sessionId, { replaces }]) => renew(sessionId, replaces.token));
      if (writing.length > 0)
        await Promise.race([Promise.allSettled(writing), sleep(lastMs, undefined, { ref: false })]);
    },
    async identityOf(req) {
      const { identity } = req.session;
      // The session may be that of another portal: the last guard decides.
      if (identity?.portal !== config.portal) throw new AppError("signed_out");
      const usable = await fresh(req.sessionID, identity);
      if (usable !== identity) await show(req, usable);
      usable.renew = async () => {
        const renewed = await renew(req.sessionID, usable.token);
        await show(req, renewed);
        return renewed;
      };
      return usable;
    },
  };
}

function isFresh({ tokenExpires }: IdentityManager): boolean {
  return tokenExpires.getTime() > Date.now();
}

function hasExpired({ tokenEnds, tokenExpires }: IdentityManager): boolean {
  return (tokenEnds ?? tokenExpires).getTime() <= Date.now();
}

/** Whether there is no session any more. */
function isOver(error: unknown): boolean {
  return error instanceof AppError && ["signed_out", "session_ended"].includes(error.code);
}

function isTrouble(error: unknown): boolean {
  return error instanceof AppError && error.explanation.status > 500;
}
