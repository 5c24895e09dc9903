// What the peers with a sign-in at ArcGIS have in common: the page, and the two halves of the sign-in as the
// ArcGIS library offers them. They differ in where the identity is kept, and that is what is compared.
import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import express from "express";
import { redirectUri } from "../visitor.js";
import { page } from "./page.js";

export const oauth = { clientId: "bench", portal: process.env.PORTAL_URL, redirectUri };

/** Of one length and from one place for all peers that need a secret. */
export const secret = process.env.SECRET;

/** How long a session lives (s). */
export const lifeSeconds = 14 * 24 * 60 * 60;

/** What a session holds: the identity as the store returns it, or a user name alone (`SESSION_HOLDS=username`). */
const holdsUsername = process.env.SESSION_HOLDS === "username";

/**
 * An app that keeps the identity in `req.session`.
 *
 * @param {import("express").RequestHandler} session gives `req.session`
 * @param {(req: object, identity: object) => unknown} [keep] keeps the identity of the user who has just signed in
 */
export function arcgisApp(session, keep = keepInSession) {
  const app = express();
  app.use(session);
  app.get("/", (req, res) => res.send(page(usernameOf(req.session) ?? "no user")));
  app.get("/sign-in", (_req, res) => ArcGISIdentityManager.authorize(oauth, res));
  app.get("/authenticate", async (req, res) => {
    await keep(req, await ArcGISIdentityManager.exchangeAuthorizationCode(oauth, req.query.code));
    res.redirect("/");
  });
  return app;
}

function keepInSession(req, identity) {
  if (holdsUsername) req.session.username = identity.username;
  else req.session.identity = identity;
}

function usernameOf({ identity, username }) {
  if (holdsUsername || !identity) return username;
  // A store that keeps JSON has lost the methods: an app that acts as the user makes a manager of it.
  const isManager = identity instanceof ArcGISIdentityManager;
  if (isManager || process.env.REVIVE !== "1") return identity.username;
  return ArcGISIdentityManager.deserialize(JSON.stringify(identity)).username;
}
