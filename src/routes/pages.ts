import express, { type Request, type RequestHandler, type Router } from "express";
import type { Config } from "../app/config/config.ts";
import type { TokenKeeper } from "../arcgis/tokens.ts";
import type { FormTokens } from "../session/form-token.ts";
import type { SealedStore } from "../session/sealed-store.ts";
import { sessionAt } from "../session/session.ts";
import { allowOnly } from "../web.ts";
import type { AutoSignIn } from "./auto-sign-in.ts";
import { sameSecond } from "./same-second.ts";
import { type OtherPortal, renderHome } from "./views.ts";

export interface PagesParts {
  config: Config;
  /** All portals: one, or several that people can sign in to side by side. */
  portals: Config[];
  store: SealedStore;
  forms: FormTokens;
  /** Gives a `req.session` that is only looked at. */
  withView: RequestHandler;
  auto: AutoSignIn;
  keeperOf: (config: Config) => TokenKeeper;
}

/** The pages people look at. */
export function pages({ config, portals, store, forms, withView, auto, keeperOf }: PagesParts): Router {
  const router = express.Router();
  const others = portals.filter((other) => other !== config);
  // With others, the page depends on the browser's other cookies, too.
  const again: RequestHandler = others.length > 0 ? (_req, _res, next) => next() : sameSecond();

  /** GET / - the start page: a link to the sign-in, or who is signed in and for how long. */
  router.get("/", withView, keeperOf(config).recheck, auto.attempt, again, async (req, res) => {
    const elsewhere = await elsewhereOf(req);
    const { identity, profile, cookie } = req.session;
    if (!identity) return renderHome(res, { portal: config.portal, ...elsewhere });
    renderHome(res, {
      person: { ...profile, fullName: profile?.fullName ?? "", username: identity.username },
      portal: config.portal,
      ...elsewhere,
      links: config.mapLayers.length > 0 ? [{ href: "/map", label: "Open the map" }] : [],
      tokenExpires: identity.tokenExpires,
      signInExpires: cookie.expires ?? identity.refreshTokenExpires,
      formToken: forms.make(req.sessionID),
    });
  });

  router.all("/", allowOnly("GET, HEAD"));
  return router;

  /** Which portal this is, where there are several, and who is signed in at the others in the same browser. */
  async function elsewhereOf(req: Request): Promise<{ portalId?: string; others?: OtherPortal[] }> {
    if (others.length === 0) return {};
    const root = req.baseUrl.slice(0, req.baseUrl.length - config.portalPath.length);
    const at = async (other: Config): Promise<OtherPortal> => {
      const session = await sessionAt(req, other, store);
      const identity = session && (await keeperOf(other).current(session.id, session.identity));
      const person = identity && {
        fullName: session.profile?.fullName ?? "",
        username: identity.username,
      };
      return {
        id: other.portalId,
        title: other.portalTitle,
        portal: other.portal,
        root,
        base: root + other.portalPath,
        visitor: person && { person, formToken: forms.make(session.id) },
      };
    };
    return { portalId: config.portalId, others: await Promise.all(others.map(at)) };
  }
}
