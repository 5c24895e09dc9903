import type { Request, Response, Router } from "express";
import { allowOnly } from "../allow-only.ts";
import type { Config } from "../config/config.ts";
import type { PortalMount } from "../portal-mount.ts";
import { allowForms, render, type SignedIn } from "./views.ts";

interface Home extends Partial<SignedIn> {
  portal: string;
  /** With several portals: the name of this one. */
  portalId?: string;
  /** The others, each with the user who is signed in there in this browser. */
  others?: OtherPortal[];
  /** Buttons, beside those that all portals have; `label` is a key of the catalogs, or a text. */
  links?: { href: string; label: string; visitors?: boolean }[];
  /** When the access token is due for a refresh, and when the user has to sign in again. */
  tokenExpires?: Date;
  signInExpires?: Date;
}

interface OtherPortal extends Partial<SignedIn> {
  id: string;
  title: string;
  /** Public path of the whole app, that of this portal's own routes, and that of its start page. */
  root: string;
  base: string;
  account: string;
}

/** The path of the start page; with SITE_DIR, the folder has `/`. */
export function accountPath({ siteDir }: Pick<Config, "siteDir">): string {
  return siteDir === undefined ? "/" : "/account";
}

/** GET /account, and without SITE_DIR also GET / - a link to the sign-in, or who is signed in and for how long. */
export function addHome(router: Router, { config, auth, auto, mounts }: PortalMount): void {
  const others = mounts.filter((mount) => mount.auth !== auth);
  const links = config.mapLayers.length > 0 ? [{ href: "/map", label: "home.openMap" }] : [];
  if (config.siteDir) links.unshift({ href: "/", label: "home.openApp" });
  const paths = [...new Set([accountPath(config), "/account"])];

  router.get(paths, auth.readOnly, auto.attempt, async (req, res) => {
    const { user, expires, csrfToken } = req.arcgis;
    const page: Home = { portal: config.portal };
    if (others.length > 0) {
      page.portalId = config.portalId;
      page.others = await Promise.all(others.map((other) => otherPortal(req, other)));
    }
    if (user && expires)
      Object.assign(page, {
        user,
        csrfToken,
        links,
        tokenExpires: expires.token,
        signInExpires: expires.signIn,
      });
    renderHome(res, page);
  });

  router.all(paths, allowOnly("GET, HEAD"));

  async function otherPortal(req: Request, { config: other, auth }: PortalMount): Promise<OtherPortal> {
    const context = await auth.contextOf(req);
    const user = await context.validate().catch(() => undefined);
    const root = req.baseUrl.slice(0, req.baseUrl.length - config.portalPath.length);
    const base = root + other.portalPath;
    const place = {
      id: other.portalId,
      title: other.portalTitle,
      root,
      base,
      account: base + accountPath(other),
    };
    return user ? { ...place, user, csrfToken: context.csrfToken } : place;
  }
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
