import { realpath, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from "express";
import send from "send";
import { AuthError, isPageVisit } from "../index.ts";
import { allowOnly } from "./allow-only.ts";
import type { PortalMount } from "./portal-mount.ts";
import { requestPath } from "./request-path.ts";
import { siteHeaders } from "./security-headers.ts";

/** The extensions of precompressed files, the best first. */
const encodings = { br: ".br", gzip: ".gz" };

/**
 * GET /* - the files of SITE_DIR, to users that ACCESS lets in, behind all other routes: with ETag and Range, and
 * compressed where app.js.br or app.js.gz is beside app.js. With SITE_FALLBACK, pages that are not there are its
 * index.html. There is no list of a folder's files. Without a sign-in a page leads there (302), and anything else is a
 * 401; 403 for others, and for an ambiguous path; 404 for what is not in the folder, or begins with a dot.
 */
export function siteFolder({ access, auth, config }: PortalMount): RequestHandler {
  const { siteDir, siteFallback } = config;
  if (siteDir === undefined) return (_req, _res, next) => next();
  const headers = siteHeaders(config);
  const refuseOthers = allowOnly("GET, HEAD");

  const serve: RequestHandler = async (req, res, next) => {
    // This app's: an app around it may have its own sign-in.
    const contextOf = async () => {
      await auth.readOnly(req, res, () => {});
      return req.arcgis;
    };
    const admit = (target: string) => access.admit(target, contextOf);
    // Before any lookup, so that visitors cannot find out what exists.
    const user = await admit(req.url);
    const names = requestPath(req.url)?.exact.slice(1).split("/") ?? [];

    // Each time, because a new version of the site may be deployed by changing a link.
    const root = await realpath(siteDir);
    const [, path = "", query = ""] = /^([^?]*)(.*)$/s.exec(req.originalUrl) ?? [];
    const hasSlash = path.endsWith("/");
    const wanted = await entryAt(root, names);
    const isFolder = wanted?.isFile === false;
    let file = isFolder ? await entryAt(root, [...names, "index.html"]) : hasSlash ? undefined : wanted;
    // The page's relative links would lead elsewhere. A mount path may lack the slash, too.
    const isMoved = file?.isFile && isFolder && !hasSlash;
    if (!file && siteFallback && isPageVisit(req)) file = await entryAt(root, ["index.html"]);
    if (!file?.isFile) return next();

    // The rules also count for the path that a link, a short name or another case has led to, and for the file that was
    // compressed.
    const place = placeOf(file.names);
    const users = [user];
    for (const target of new Set([place, place.replace(/(?<!\.(?:br|gz))(?:\.(?:br|gz))+$/i, "")]))
      if (target !== placeOf(names)) users.push(await admit(target));
    const isPublic = users.every((one) => one === undefined);
    refuseOthers(req, res, () => {});
    if (isMoved) return redirect(res, `./${path.split("/").at(-1)}/${query}`);

    const { names: sent, encoding } = await packed(req, root, file);
    const before = res.getHeaders();
    send(req, placeOf(sent), { root, cacheControl: false, index: false })
      .on("headers", () => {
        res.type(extname(placeOf(file.names))).vary("Accept-Encoding");
        res.set({ ...headers, "Cache-Control": isPublic ? "public, no-cache" : "private, no-cache" });
        if (encoding) res.set("Content-Encoding", encoding);
        if (isPublic) res.removeHeader("X-Robots-Tag");
      })
      .on("error", (error) => {
        if (res.headersSent) return next(error);
        // The error page has its own headers.
        for (const name of res.getHeaderNames()) res.removeHeader(name);
        res.set(before as Record<string, string>);
        const { status, headers = {} } = error;
        // The file has changed, or ends before the range (RFC 9110, 15.5.13 and 15.5.17).
        if ([412, 416].includes(status)) res.status(status).set(headers).end();
        else next(error);
      })
      .pipe(res);
  };

  const refuse: ErrorRequestHandler = (error, req, res, next) => {
    if (!(error instanceof AuthError) || error.status >= 500) return next(error);
    error.signInUrl ??= req.arcgis.signInUrl();
    if (error.status === 401 && req.method === "GET" && isPageVisit(req)) redirect(res, error.signInUrl);
    else next(error);
  };
  return express.Router().use(serve, refuse);
}

function redirect(res: Response, location: string): void {
  res.status(302).set("Location", location).end();
}

/** The path of a file as a URL has it. */
function placeOf(names: string[]): string {
  return `/${names.map(encodeURIComponent).join("/")}`;
}

/** Names that Windows reads as other names (devices, streams, trailing dots), and names that begin with a dot. */
const refused =
  /^\.|[. ]$|[\p{Cc}<>:"/\\|?*]|^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$) *(?:\.|$)/iu;

type Entry = NonNullable<Awaited<ReturnType<typeof entryAt>>>;

/**
 * The file or folder of a path, as the names of its real path, and when it was changed (s); `undefined` outside of the
 * folder. Links and Windows short names are resolved.
 */
async function entryAt(root: string, names: string[]) {
  const isNamed = (names: string[]) => !names.some((name) => refused.test(name));
  if (!isNamed(names)) return undefined;
  try {
    const place = await realpath(join(root, ...names));
    // Outside of the folder, the first name is "..", or on Windows another drive.
    const real = relative(root, place).split(sep);
    if (!isNamed(real)) return undefined;
    const status = await stat(place);
    if (!status.isFile() && !status.isDirectory()) return undefined;
    return { names: real, isFile: status.isFile(), changed: Math.floor(status.mtimeMs / 1000) };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP"].includes(code)) return undefined;
    throw error;
  }
}

/** The file to send: in the best encoding that is there and that the client accepts. One that is older is of an old version. */
async function packed(req: Request, root: string, { names, changed }: Entry) {
  for (const [encoding, ending] of Object.entries(encodings)) {
    if (!req.acceptsEncodings(encoding)) continue;
    const wanted = [...names.slice(0, -1), names.at(-1) + ending];
    const entry = await entryAt(root, wanted);
    if (entry?.isFile && entry.changed >= changed && placeOf(entry.names) === placeOf(wanted))
      return { names: wanted, encoding };
  }
  return { names };
}
