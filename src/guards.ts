import express, { type Request, type RequestHandler } from "express";
import type { Logger } from "pino";
import type { Config } from "./app/config/config.ts";
import { isPortalTrouble, portalBackoff } from "./arcgis/backoff.ts";
import { fetchProfile, type Profile } from "./arcgis/profile.ts";
import { isTokenRefused } from "./arcgis/request.ts";
import type { TokenKeeper } from "./arcgis/tokens.ts";
import { AppError, type ErrorCode } from "./errors.ts";
import { reasonOf } from "./reason.ts";
import { redirect } from "./redirect.ts";
import { localPath } from "./return-to.ts";
import type { SealedStore } from "./session/sealed-store.ts";

/**
 * Middleware for routes that are not for everybody. Each loads the session, so one guard is enough. One that is made
 * without a name, or with something else than names, throws a TypeError: it would let nobody pass, or everybody.
 */
export interface Guards {
  /** Users who are no members of ALLOWED_ORGS get 403 `org_not_allowed`; visitors pass, and without it everybody does. */
  memberOnly: RequestHandler;
  /**
   * Users who are signed in. A browser is sent to the sign-in and comes back (302), a program gets 401 `signed_out`.
   * The guards below ask for this, too, and all of them for membership of one of ALLOWED_ORGS.
   */
  requireSignIn: RequestHandler;
  /** Members of one of these organizations (ids); else 403 `org_not_allowed`. */
  requireOrg(...ids: string[]): RequestHandler;
  /** People with one of these roles: `org_admin`, `org_publisher`, `org_user`, or the id of a custom one; else 403 `role_missing`. */
  requireRole(...roles: string[]): RequestHandler;
  /** People with all of these privileges, such as `portal:user:createItem`; else 403 `privilege_missing`. */
  requirePrivilege(...privileges: string[]): RequestHandler;
  /** Members of one of these groups (ids); else 403 `group_missing`. */
  requireGroup(...ids: string[]): RequestHandler;
}

/** What the guards of one portal work with. */
export interface GuardParts {
  config: Config;
  store: SealedStore;
  tokens: TokenKeeper;
  /** Gives `req.session`. */
  withSession: RequestHandler;
  log: Logger;
}

/** People change roles and groups now and then: what is older than this is asked anew (ms). */
const profileLifeMs = 10 * 60_000;
/** What is older than this counts no more, whatever keeps the portal from being asked (ms). */
const longestLifeMs = 24 * 60 * 60_000;
/** After a failure nobody waits for the portal again before this (ms). */
const profileBackoff = { firstMs: 30_000, longestMs: 30_000 };

/** Makes the guards of one portal. Each reads the session itself, and asks the portal anew when what it knows is old. */
export function guards({ config, store, tokens, withSession, log }: GuardParts): Guards {
  const signedIn: RequestHandler = (req, res, next) => {
    if (req.session?.identity) return next();
    const wantsPage = req.method === "GET" && req.accepts(["html", "json"]) === "html";
    if (!wantsPage) throw new AppError("signed_out");
    // The address as it was asked for may be anything, another site's in full included.
    const here = localPath(req.originalUrl, config.origin) ?? `${req.baseUrl}/`;
    redirect(res, `${req.baseUrl}/sign-in?returnTo=${encodeURIComponent(here)}`, 302);
  };

  const backoff = portalBackoff(profileBackoff, isPortalTrouble);
  const everybody = config.allowedOrgs.length === 0;
  const isMember = ({ orgId = "" }: Profile) => everybody || config.allowedOrgs.includes(orgId);

  /** A guard for the names it was given; `needed` is what the 403 page says is missing. */
  function require(
    names: string[],
    code: ErrorCode,
    passes: (profile: Profile) => boolean,
    needed = names.join(", "),
  ): RequestHandler {
    const isName = (name: unknown) => typeof name === "string" && name.trim() !== "";
    if (names.length === 0 || !names.every(isName)) {
      throw new TypeError("A guard needs at least one name, and each must be a string that is not empty.");
    }
    const check: RequestHandler = async (req, _res, next) => {
      const profile = await profileOf(req);
      if (!isMember(profile)) throw new AppError("org_not_allowed");
      if (!passes(profile)) throw new AppError(code, { needed });
      next();
    };
    return inTurn(withSession, tokens.recheck, signedIn, check);
  }

  /** The profile in the session, or a newer one. A portal in trouble changes nobody's rights for a day. */
  async function profileOf(req: Request): Promise<Profile> {
    const { identity, profile } = req.session;
    if (!identity) throw new AppError("signed_out");
    // A profile from the future was fetched while the clock was wrong: it is as old as it is early.
    const ageMs = profile ? Math.abs(Date.now() - profile.fetchedAt) : Infinity;
    const asker = { sessionId: req.sessionID, username: identity.username };
    const enough = backoff.isOn(asker) ? longestLifeMs : profileLifeMs;
    if (profile && ageMs < enough) return profile;
    // A profile that counts no more is nothing to fall back to.
    const mayFallBack = profile !== undefined && ageMs < longestLifeMs;
    try {
      const usable = await tokens.fresh(req.sessionID, identity);
      const ask = () => fetchProfile(usable);
      const latest = await (mayFallBack ? backoff.run(asker, ask) : ask()).catch(async (error) => {
        if (!isTokenRefused(error)) throw error;
        // It was ended at the portal before its time.
        return fetchProfile(await tokens.renewed(req.sessionID, usable));
      });
      await store.update(req.sessionID, (data) => {
        data.profile = latest;
      });
      return latest;
    } catch (error) {
      if (!mayFallBack || !isPortalTrouble(error)) throw error;
      log.warn({ event: "profile", reason: reasonOf(error) }, "profile not renewed");
      return profile;
    }
  }

  const member: RequestHandler = async (req, _res, next) => {
    if (req.session?.identity && !isMember(await profileOf(req))) throw new AppError("org_not_allowed");
    next();
  };
  const memberOnly: RequestHandler = everybody ? (_req, _res, next) => next() : member;
  return {
    memberOnly,
    requireSignIn: inTurn(withSession, tokens.recheck, signedIn, memberOnly),
    requireOrg: (...ids) => require(ids, "org_not_allowed", ({ orgId = "" }) => ids.includes(orgId), ""),
    requireRole: (...roles) =>
      require(roles, "role_missing", ({ role = "", roleId = "" }) =>
        roles.includes(role) || roles.includes(roleId)),
    requirePrivilege: (...needed) =>
      require(needed, "privilege_missing", ({ privileges }) =>
        needed.every((each) => privileges.includes(each))),
    requireGroup: (...ids) =>
      require(ids, "group_missing", ({ groups }) => groups.some(({ id }) => ids.includes(id))),
  };
}

/** One middleware of several: a router without a path is just that. */
function inTurn(...handlers: RequestHandler[]): RequestHandler {
  return express.Router().use(...handlers);
}
