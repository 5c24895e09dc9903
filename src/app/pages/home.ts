import express, { type Request, type Router } from "express";
import { allowOnly } from "../allow-only.ts";
import type { PortalMount } from "../portal-mount.ts";
import { type OtherPortal, renderHome } from "./views.ts";

/** GET / - the start page: a link to the sign-in, or who is signed in and for how long. */
export function home(mount: PortalMount): Router {
  const { config, auth, auto, others } = mount;
  const router = express.Router();

  router.get("/", auth.readOnly, auto.attempt, async (req, res) => {
    const { user, expires, csrfToken } = req.arcgis;
    const portal = { portal: config.portal, ...(await otherPortals(req)) };
    if (!user || !expires) return renderHome(res, portal);
    renderHome(res, {
      ...portal,
      user,
      csrfToken,
      links: config.mapLayers.length > 0 ? [{ href: "/map", label: "Open the map" }] : [],
      tokenExpires: expires.token,
      signInExpires: expires.signIn,
    });
  });

  router.all("/", allowOnly("GET, HEAD"));
  return router;

  /** Where there are several portals: which one this is, and who is signed in at the others in the same browser. */
  async function otherPortals(req: Request): Promise<{ portalId?: string; others?: OtherPortal[] }> {
    if (others.length === 0) return {};
    const root = req.baseUrl.slice(0, req.baseUrl.length - config.portalPath.length);
    const at = async ({ config, auth }: PortalMount): Promise<OtherPortal> => {
      const context = await auth.contextOf(req);
      const user = await context.validate().catch(() => undefined);
      return {
        id: config.portalId,
        title: config.portalTitle,
        portal: config.portal,
        root,
        base: root + config.portalPath,
        signedIn: user && { user, csrfToken: context.csrfToken },
      };
    };
    return { portalId: config.portalId, others: await Promise.all(others.map(at)) };
  }
}
