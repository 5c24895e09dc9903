import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import express, { type Request, type Router } from "express";
import { AuthError, type AuthEvent, type SignInRecord } from "../../index.ts";
import type { SessionInfo } from "../../session-store.ts";
import { allowOnly } from "../allow-only.ts";
import { logEvent } from "../events.ts";
import { ownSessions } from "../own-sessions.ts";
import type { PortalMount } from "../portal-mount.ts";
import { allowForms, render } from "./views.ts";

/** The user's sessions, and how to end those in a browser that was lost or left open. */
export function addSignIns(router: Router, { config, auth, store, log, count }: PortalMount): void {
  const own = ownSessions(store.admin);

  /** GET /sign-ins - the user's sessions, this one first. */
  router.get("/sign-ins", auth.requireSignIn(), async (req, res) => {
    const { user, csrfToken } = req.arcgis;
    const sessions = await sessionsOf(req);
    allowForms(res);
    render(res, "sign-ins", "sign-ins.title", { ...sessions, now: Date.now(), header: { user, csrfToken } });
  });

  /**
   * POST /sign-ins - ends another session of the same user, `session` (its `name`), or all of them ("others"), and
   * revokes their tokens at the portal. Only sessions that are in the user's list can be ended.
   */
  router.post("/sign-ins", express.urlencoded({ extended: false, limit: "8kb" }), async (req, res) => {
    const user = await req.arcgis.validate();
    if (!user) throw new AuthError("signed_out");
    req.arcgis.verifyForm();
    const { session } = req.body;
    const { others } = await sessionsOf(req);
    const chosen = others.filter(({ name }) => session === "others" || session === name);
    // End all of them here first: a portal that is slow or down must not keep a session alive.
    const results = await Promise.allSettled(chosen.map(({ name }) => store.admin.end(name)));
    const identities: ArcGISIdentityManager[] = [];
    for (const [index, result] of results.entries()) {
      if (result.status === "rejected" || !result.value) continue;
      const values: unknown[] = Object.values(result.value);
      identities.push(...values.filter((value) => value instanceof ArcGISIdentityManager));
      const record = chosen[index]?.name.slice(0, 8);
      const event: AuthEvent = { type: "sign-out", req, username: user.username, record };
      logEvent(log, event);
      count((metrics) => metrics.event(event));
    }
    await auth.revoke(identities);
    // Even if some failed, those that ended stay ended, and their tokens are revoked.
    for (const result of results)
      if (result.status === "rejected") throw new AuthError("store_unavailable", { cause: result.reason });
    res.status(303).set("Location", `${req.baseUrl}/sign-ins`).end();
  });

  router.all("/sign-ins", allowOnly("GET, HEAD, POST"));

  /** The session of this request, and the others of the same user. */
  async function sessionsOf({ arcgis: { user, sessionName = "" } }: Request) {
    const owner = { portal: config.portal, username: user?.username ?? "" };
    const { sessions, isComplete } = await own.of(owner, sessionName).catch((cause) => {
      throw new AuthError("store_unavailable", { cause });
    });
    const entries = sessions.map(toEntry);
    return {
      here: entries.find(({ name }) => name === sessionName),
      others: entries.filter(({ name }) => name !== sessionName),
      isComplete,
    };
  }
}

function toEntry({ name, data, createdAt, lastAccess }: SessionInfo) {
  const parts = Object.values(data) as Partial<SignInRecord>[];
  const { browser } = parts.find((part) => part?.browser) ?? {};
  return { name, browser, createdAt, lastAccess };
}
