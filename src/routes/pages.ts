import express, { type Request, type RequestHandler, type Router } from "express";
import type { Config } from "../config.ts";
import type { FormTokens } from "../session/form-token.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { sessionAt } from "../session/session.ts";
import { allowOnly } from "../web.ts";
import type { AutoSignIn } from "./auto-sign-in.ts";
import { pathOf } from "./portals.ts";
import { type OtherPortal, renderHome } from "./views.ts";

export interface PagesParts {
  config: Config;
  /** All portals: one, or several that people can sign in to side by side. */
  portals: Config[];
  store: SealedStore;
  forms: FormTokens;
  /** Gives `req.session`. */
  withSession: RequestHandler;
  auto: AutoSignIn;
}

/** The pages people look at. */
export function pages({ config, portals, store, forms, withSession, auto }: PagesParts): Router {
  const router = express.Router();
  const portalId = config.severalPortals ? config.portalId : undefined;

  /** GET / - the start page: a link to the sign-in, or who is signed in and for how long. */
  router.get("/", withSession, auto.attempt, async (req, res) => {
    const { identity, profile, cookie } = req.session;
    const others = await Promise.all(
      portals.filter((other) => other !== config).map((other) => at(other, req)),
    );
    if (!identity) return renderHome(res, { portalId, portal: config.portal, others });
    renderHome(res, {
      person: { ...profile, fullName: profile?.fullName ?? "", username: identity.username },
      portalId,
      portal: config.portal,
      others,
      links: config.mapLayers.length > 0 ? [{ href: "/map", label: "Open the map" }] : [],
      tokenExpires: identity.tokenExpires,
      signInExpires: cookie.expires ?? identity.refreshTokenExpires,
      formToken: forms.make(req.sessionID),
    });
  });

  router.all("/", allowOnly("GET, HEAD"));
  return router;

  /** What the start page says of another portal: who is signed in there, in this browser. */
  async function at(other: Config, req: Request): Promise<OtherPortal> {
    const root = req.baseUrl.slice(0, req.baseUrl.length - pathOf(config).length);
    const session = await sessionAt(req, other, store);
    return {
      title: other.portalTitle,
      portal: other.portal,
      id: other.portalId,
      root,
      base: root + pathOf(other),
      visitor: session && {
        person: { fullName: session.profile?.fullName ?? "", username: session.identity.username },
        formToken: forms.make(session.id),
      },
    };
  }
}
