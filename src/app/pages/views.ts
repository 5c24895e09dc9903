import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ejs from "ejs";
import type { Express, Response } from "express";
import type { UserProfile } from "../../index.ts";
import type { MapLayer, MapTiles } from "../config/map.ts";
import type { Explained } from "../errors.ts";
import { version } from "./assets.ts";
import { displayName, durationText, initials, roleName } from "./text.ts";

const viewsFolder = join(import.meta.dirname, "../../../views");

/** The signed-in user, and the token of the page's forms (field `csrf_token`). */
export interface SignedIn {
  /** As the portal describes them: show its texts through `displayName` only. */
  user: UserNames;
  csrfToken: string;
}

type UserNames = Pick<UserProfile, "fullName" | "username" | "organization" | "role">;

/** Another portal, at which the same browser may be signed in too. */
export interface OtherPortal {
  id: string;
  title: string;
  portal: string;
  /** Path of the whole app, and that of this portal's own routes. */
  root: string;
  base: string;
  signedIn?: SignedIn | undefined;
}

/** What the start page shows to a visitor. */
export interface HomeSignedOut {
  /** Where there are several portals: which one this is. */
  portalId?: string | undefined;
  others?: OtherPortal[];
  /** The portal's URL; its host is named. */
  portal: string;
}

/** What the start page shows to a signed-in user. */
export interface HomeSignedIn extends SignedIn, HomeSignedOut {
  /** Buttons, beside those that all portals have. */
  links?: { href: string; label: string }[];
  /** When the access token is due for a refresh. */
  tokenExpires: Date;
  /** When the user has to sign in again. */
  signInExpires: Date;
}

/** What the error page needs beside the error. */
export interface ErrorDetails {
  requestId: string;
  /** For errors that say "retry": the path to try again, without the mount path. */
  retry?: string | undefined;
}

/** Makes `app` render our pages. They are compiled now, so that a page never waits for the disk, not even in trouble. */
export function views(app: Express): void {
  for (const folder of [viewsFolder, join(viewsFolder, "partials")]) {
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".ejs"))) {
      const filename = join(folder, name);
      // With a root, "/partials/..." needs no look at the disk; a relative path would cost one at every request.
      const options = { filename, cache: true, root: viewsFolder };
      ejs.cache.set(filename, ejs.compile(readFileSync(filename, "utf8"), options));
    }
  }
  // Named, because an app that we are mounted in may have an engine of its own for .ejs, and we would inherit it.
  app.engine("ejs", ejs.renderFile);
  app.set("view engine", "ejs");
  app.set("views", viewsFolder);
  app.enable("view cache");
}

/** Sends the start page. */
export function renderHome(res: Response, home: HomeSignedOut | HomeSignedIn): void {
  const others = (home.others ?? []).map(({ signedIn, portal, ...other }) => ({
    ...other,
    host: hostOf(portal),
    signedIn: signedIn && { name: nameOf(signedIn.user), csrfToken: signedIn.csrfToken },
  }));
  const named = home.portalId === undefined ? "/sign-in?" : `/sign-in?portal=${home.portalId}&`;
  const common = { others, signInHref: named.slice(0, -1), anotherHref: `${named}force_login=true` };
  if ("user" in home || others.some(({ signedIn }) => signedIn)) forForm(res);
  if (!("user" in home)) {
    render(res, "home", "Sign in", { ...common, signedIn: undefined, portalHost: hostOf(home.portal) });
    return;
  }
  const { user } = home;
  const now = new Date();
  const signedIn = {
    name: nameOf(user),
    username: displayName(user.username),
    initials: initials(nameOf(user)),
    organization: displayName(user.organization ?? ""),
    role: roleName(user.role),
    portal: home.portal,
    now: now.toISOString(),
    tokenExpires: home.tokenExpires.toISOString(),
    tokenLeft: home.tokenExpires > now ? durationText(home.tokenExpires.getTime() - now.getTime()) : "",
    signInExpires: home.signInExpires.toISOString(),
    signInExpiresText: dateText.format(home.signInExpires),
    signInLeft: durationText(home.signInExpires.getTime() - now.getTime()),
    csrfToken: home.csrfToken,
  };
  const links = [...(home.links ?? []), ...(res.app.locals.links ?? [])];
  render(res, "home", "Signed in", { ...common, signedIn, links, header: { name: signedIn.name } });
}

/** What the example page of a user's items shows. */
export interface Content {
  identity: { username: string; portal: string };
  items: { id: string; title: string; type: string; modified: number; thumbnail?: string }[];
  page: number;
  pages: number;
}

/** Sends a list of items. Their thumbnails come through our proxy, with the user's token. */
export function renderContent(res: Response, { identity, items, page, pages }: Content): void {
  const shown = items.map(({ id, title, type, modified, thumbnail }) => ({
    title: displayName(title, 120) || "No title",
    type: displayName(type),
    modified: new Date(modified).toISOString(),
    modifiedText: dateText.format(new Date(modified)),
    image:
      /^thumbnail\/[\w.-]+$/.test(thumbnail ?? "") &&
      `/proxy?${identity.portal}/content/items/${id}/info/${thumbnail}`,
  }));
  const header = { name: displayName(identity.username), signOutLink: true };
  render(res, "content", "My content", { items: shown, page, pages: Math.max(pages, 1), header });
}

/** What the map page shows. */
export interface MapPage extends SignedIn {
  layers: MapLayer[];
  tiles?: MapTiles | undefined;
}

/** Sends the map, or, without any layers, with what to configure. */
export function renderMap(res: Response, { user, csrfToken, layers, tiles }: MapPage): void {
  forForm(res);
  // The window in which the user signs in again tells this one when it is done: a stricter word would part them.
  res.set("Cross-Origin-Opener-Policy", "same-origin-allow-popups");
  if (tiles) allowImages(res, new URL(tiles.url).origin);
  const settings = { base: res.req.baseUrl, username: user.username, layers, tiles };
  render(res, "map", "Map", {
    // Not "settings": that is where Express tells the template engine that pages are compiled already.
    mapSettings: JSON.stringify(settings),
    layers,
    header: { name: nameOf(user), csrfToken },
    styles: layers.length > 0 ? ["leaflet.css", "map.css"] : [],
    wide: layers.length > 0,
  });
}

/** The policy of this one page lets pictures come from one more origin. */
function allowImages(res: Response, origin: string): void {
  const policy = String(res.getHeader("Content-Security-Policy"));
  res.set("Content-Security-Policy", policy.replace("img-src 'self'", `img-src 'self' ${origin}`));
}

/** A sign-in in some browser. Times in ms since 1970. */
export interface SignInEntry {
  /** What the form sends to end it. */
  name: string;
  /** In words; missing when it is not known. */
  browser: string | undefined;
  createdAt: number;
  lastAccess: number;
}

/** What the page of a user's sessions shows. */
export interface SignInsPage extends SignedIn {
  /** The one of this browser; missing when it has ended just now. */
  here: SignInEntry | undefined;
  others: SignInEntry[];
  /** Whether all that there are were found in time. */
  isComplete: boolean;
}

/** Sends the list of a user's sessions. */
export function renderSignIns(res: Response, page: SignInsPage): void {
  forForm(res);
  const { user, csrfToken, here, others, isComplete } = page;
  const now = Date.now();
  const shown = ({ name, browser, createdAt, lastAccess }: SignInEntry) => ({
    name,
    browser: browser ?? "Unknown browser",
    since: new Date(createdAt).toISOString(),
    sinceText: dateText.format(createdAt),
    seen: new Date(lastAccess).toISOString(),
    seenText: durationText(Math.max(0, now - lastAccess)),
  });
  render(res, "sign-ins", "Your sign-ins", {
    here: here && shown(here),
    others: others.map(shown),
    isComplete,
    username: displayName(user.username),
    csrfToken,
    header: { name: nameOf(user), csrfToken },
  });
}

/** Sends the last page of a window that was opened to sign in: it tells its opener, and closes itself. */
export function renderSignedIn(res: Response): void {
  render(res, "signed-in", "Signed in", {});
}

/** What the page with an app in a frame shows. */
export interface Embedded {
  /** The app's address, as the frame gets it. */
  app: string;
  /** The origins that may ask for a token. */
  origins: readonly string[];
  username: string;
}

/** Sends a page that is a frame and the header above it. */
export function renderEmbed(res: Response, { app, origins, username }: Embedded): void {
  const host = hostOf(app);
  const header = { name: displayName(username), signOutLink: true };
  render(res, "embed", `App of ${host}`, { app, origins, host, header });
}

/**
 * Answers with the page on which a visitor chooses a portal.
 * @param params what else the sign-in was asked for, such as `force_login`
 */
export function renderChoice(
  res: Response,
  portals: { portalId: string; portalTitle: string; portal: string }[],
  params: Record<string, string>,
): void {
  const choices = portals.map(({ portalId, portalTitle, portal }) => ({
    query: new URLSearchParams({ ...params, portal: portalId }),
    title: displayName(portalTitle, 100),
    host: hostOf(portal),
  }));
  render(res, "choice", "Sign in", { choices });
}

/** Sends the page that asks before a sign-out. */
export function renderConfirm(res: Response, { user, csrfToken }: SignedIn): void {
  forForm(res);
  render(res, "confirm", "Sign out", { csrfToken, header: { name: nameOf(user) } });
}

/** From a page that gives no referrer a browser sends its form with "Origin: null", as if it came from anywhere. */
function forForm(res: Response): void {
  res.set("Referrer-Policy", "same-origin");
}

/** Sends the error page. It needs nothing but the response. */
export function renderError(
  res: Response,
  { status, code, title, message, advice, next = "home", needed, signInUrl }: Explained,
  { requestId, retry }: ErrorDetails,
): void {
  const base = res.req.baseUrl;
  // Set on a callback, whose URL works once: what went wrong there begins again.
  const begin: string | undefined = res.locals.signInUrl;
  const signIn = signInUrl ?? begin ?? `${base}/sign-in`;
  const again = begin ? signIn : isPath(retry) && base + retry;
  const home = { href: `${base}/`, label: "Go to the start page" };
  const actions = {
    "sign-in": { href: signIn, label: "Sign in" },
    "another-account": { href: withQuery(signIn, "force_login=true"), label: "Use another account" },
    home,
    retry: again ? { href: again, label: "Try again" } : home,
  };
  res.status(status);
  render(res, "error", title, {
    status,
    code,
    message,
    needed,
    advice,
    action: actions[next],
    requestId: displayName(requestId),
  });
}

function withQuery(url: string, query: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

/** Without a mount path in front of it "//host" would lead away from here. */
function isPath(path: string | undefined): path is string {
  return path !== undefined && /^\/(?!\/)[!-[\]-~]*$/.test(path);
}

/** Every page gets these locals; the ones it does not use are named too, or the host app's `res.locals` would leak in. */
function render(res: Response, view: string, title: string, locals: Record<string, unknown>): void {
  const { notice, tokenHandover = false } = res.app.locals;
  const usual = { header: undefined, styles: [], wide: false };
  res.render(view, { base: res.req.baseUrl, version, notice, tokenHandover, title, ...usual, ...locals });
}

function nameOf(user: UserNames): string {
  return displayName(user.fullName) || displayName(user.username) || "No name";
}

function hostOf(portal: string): string {
  return URL.canParse(portal) ? new URL(portal).host : portal;
}

/** The script writes dates in the same form, in the visitor's time zone: "5 December 2026 at 14:03 UTC". */
const dateText = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
  timeZoneName: "short",
});
