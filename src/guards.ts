import express, { type Request, type RequestHandler } from "express";
import type { Logger } from "pino";
import { fetchProfile, type Profile } from "./arcgis/profile.ts";
import { isTokenRefused } from "./arcgis/request.ts";
import type { TokenKeeper } from "./arcgis/tokens.ts";
import type { Config } from "./config.ts";
import { AppError, type ErrorCode } from "./errors.ts";
import { reasonOf } from "./reason.ts";
import { redirect } from "./redirect.ts";
import { localPath } from "./return-to.ts";
import type { SealedStore } from "./session/sealed-store.ts";

/** Middleware for routes that are not for everybody. Each loads the session, so one guard is enough. */
export interface Guards {
  /** Whoever is no member of ALLOWED_ORGS gets 403 `org_not_allowed`; strangers pass, and so does everybody without it. */
  memberOnly: RequestHandler;
  /** Whoever is signed in. A browser is sent to the sign-in and comes back (302), a program gets 401 `signed_out`. */
  requireSignIn: RequestHandler;
  /** Members of one of these organisations (ids); else 403 `org_not_allowed`. */
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
/** A portal in trouble is not asked by everybody who comes: each would wait for its time limit (ms). */
const pauseMs = 30_000;

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

  /** A guard that lets a profile pass; `needed` is what the 403 page says is missing. */
  function require(passes: (profile: Profile) => boolean, code: ErrorCode, needed: string[]): RequestHandler {
    const check: RequestHandler = async (req, _res, next) => {
      const profile = await profileOf(req);
      if (!passes(profile)) throw new AppError(code, { needed: needed.join(", ") });
      next();
    };
    return inTurn(withSession, signedIn, check);
  }

  /** By a clock that nobody can set. */
  let pausedUntil = 0;

  /** The profile in the session, or a newer one. A portal in trouble changes nobody's rights for a day. */
  async function profileOf(req: Request): Promise<Profile> {
    const { identity, profile } = req.session;
    if (!identity) throw new AppError("signed_out");
    // A profile from the future was fetched while the clock was wrong: it is as old as it is early.
    const ageMs = profile ? Math.abs(Date.now() - profile.fetchedAt) : Infinity;
    const enough = performance.now() < pausedUntil ? longestLifeMs : profileLifeMs;
    if (profile && ageMs < enough) return profile;
    try {
      const usable = await tokens.fresh(req.sessionID, identity);
      const fresh = await fetchProfile(usable).catch(async (error) => {
        if (!isTokenRefused(error)) throw error;
        // It was ended at the portal before its time.
        return fetchProfile(await tokens.renewed(req.sessionID, usable));
      });
      await store.update(req.sessionID, (data) => {
        data.profile = fresh;
      });
      return fresh;
    } catch (error) {
      if (!profile || ageMs >= longestLifeMs || !isTrouble(error)) throw error;
      pausedUntil = performance.now() + pauseMs;
      log.warn({ event: "profile", reason: reasonOf(error) }, "profile not renewed");
      return profile;
    }
  }

  const everybody = config.allowedOrgs.length === 0;
  const fromAllowedOrg = ({ orgId = "" }: Profile) => config.allowedOrgs.includes(orgId);
  const member: RequestHandler = async (req, _res, next) => {
    if (req.session?.identity && !fromAllowedOrg(await profileOf(req))) throw new AppError("org_not_allowed");
    next();
  };
  return {
    memberOnly: everybody ? (_req, _res, next) => next() : member,
    requireSignIn: everybody ? inTurn(withSession, signedIn) : require(fromAllowedOrg, "org_not_allowed", []),
    requireOrg: (...ids) => require(({ orgId = "" }) => ids.includes(orgId), "org_not_allowed", []),
    requireRole: (...roles) =>
      require(({ role = "", roleId = "" }) =>
        roles.includes(role) || roles.includes(roleId), "role_missing", roles),
    requirePrivilege: (...needed) =>
      require(({ privileges }) =>
        needed.every((each) => privileges.includes(each)), "privilege_missing", needed),
    requireGroup: (...ids) =>
      require(({ groups }) => groups.some(({ id }) => ids.includes(id)), "group_missing", ids),
  };
}

/** One middleware of several: a router without a path is just that. */
function inTurn(...handlers: RequestHandler[]): RequestHandler {
  return express.Router().use(...handlers);
}

/** The portal has not said no: it could not be asked. */
function isTrouble(error: unknown): boolean {
  return error instanceof AppError && ["portal_unreachable", "portal_timeout"].includes(error.code);
}
