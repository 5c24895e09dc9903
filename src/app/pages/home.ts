import type { Request, Response, Router } from "express";
import { allowOnly } from "../allow-only.ts";
import type { Config } from "../config/config.ts";
import type { PortalMount } from "../portal-mount.ts";
import { accountPath, allowForms, render, type SignedIn } from "./views.ts";

interface Home extends Partial<SignedIn> {
  portal: string;
  /** With several portals: this one, and the others, each with the user who is signed in there in this browser. */
  portalId?: string;
  others?: Awaited<ReturnType<typeof otherPortal>>[];
  /** Those that not all portals have. */
  links?: { href: string; label: string }[];
  /** When the access token is due for a refresh, and when the user has to sign in again. */
  tokenExpires?: Date | undefined;
  signInExpires?: Date | undefined;
}

/** GET /account, and without SITE_DIR also GET / - a link to the sign-in, or who is signed in and for how long. */
export function addHome(router: Router, { config, auth, auto, mounts }: PortalMount): void {
  const others = mounts.filter((mount) => mount.auth !== auth);
  const links = config.mapLayers.length > 0 ? [{ href: "/map", label: "home.openMap" }] : [];
  if (config.siteDir) links.unshift({ href: "/", label: "home.openApp" });
  const paths = [...new Set([accountPath(config), "/account"])];

  router.get(paths, auth.readOnly, auto.attempt, async (req, res) => {
    const { user, expires, csrfToken } = req.arcgis;
    renderHome(res, {
      portal: config.portal,
      ...(others.length > 0 && {
        portalId: config.portalId,
        others: await Promise.all(others.map((other) => otherPortal(req, config, other))),
      }),
      ...(user && { user, csrfToken, links, tokenExpires: expires?.token, signInExpires: expires?.signIn }),
    });
  });

  router.all(paths, allowOnly("GET, HEAD"));
}

async function otherPortal(req: Request, here: Config, { config: other, auth }: PortalMount) {
  const context = await auth.contextOf(req);
  const user = await context.validate().catch(() => undefined);
  // The public path of the whole app.
  const root = req.baseUrl.slice(0, req.baseUrl.length - here.portalPath.length);
  const base = root + other.portalPath;
  const { portalId: id, portalTitle: title } = other;
  const { csrfToken } = user ? context : {};
  return { id, title, root, base, account: base + accountPath(other), user, csrfToken };
}

export function renderHome(res: Response, page: Home): void {
  const { user, portalId, others = [], links = [] } = page;
  if (user || others.some((other) => other.user)) allowForms(res);
  const returnTo = encodeURIComponent(`${res.req.baseUrl}/`);
  const signInHref = `/sign-in?${portalId === undefined ? `returnTo=${returnTo}` : `portal=${portalId}`}`;
  render(res, "home", user ? "home.signedIn" : "home.signIn", {
    ...page,
    others,
    links: [...links, ...(res.app.locals.links ?? [])],
    now: new Date(),
    header: user && { user },
    signInHref,
    anotherHref: `${signInHref}&force_login=true`,
  });
}
