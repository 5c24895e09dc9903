import { realpath, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import type { Request, RequestHandler, Response } from "express";
import send from "send";
import { AuthError, normalPath } from "../index.ts";
import { allowOnly } from "./allow-only.ts";
import { AppError } from "./errors.ts";
import type { PortalMount } from "./portal-mount.ts";
import { siteHeaders } from "./security-headers.ts";

/** A file or a folder of the site. */
interface Entry {
  /** The names of its real path, below the site's folder. */
  names: string[];
  isFile: boolean;
  /** When it was changed (s). */
  changed: number;
}

/** The endings of files that were compressed beforehand, the best first. */
const encodings = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

/**
 * GET /* - the files of SITE_DIR, behind all other routes: with ETag and Range, and compressed where app.js.br or
 * app.js.gz is beside app.js. With SITE_FALLBACK, pages that are not there are its index.html. There is no list of a
 * folder's files. 400 for a path that programs read in different ways, 404 for what is not in the folder, or begins
 * with a dot; a visitor gets 401, or is sent to the sign-in from a page.
 */
export function siteFolder({ config }: PortalMount): RequestHandler {
  const { siteDir, siteFallback } = config;
  if (siteDir === undefined) return (_req, _res, next) => next();
  const headers = siteHeaders(config);
  const refuseOthers = allowOnly("GET, HEAD");

  return async (req, res, next) => {
    const names = namesOf(req.path);
    if (!(await isAdmitted(req, res))) return;

    // Looked up each time: a new version of the site may be a link that now leads elsewhere.
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

    refuseOthers(req, res, () => {});
    if (isMoved)
      return void res
        .status(302)
        .set("Location", `./${path.split("/").at(-1)}/${query}`)
        .end();
    const { place, encoding, type } = await packed(req, root, file);
    const before = res.getHeaders();
    send(req, place, { root, cacheControl: false, index: false })
      .on("headers", () => {
        res.type(type).vary("Accept-Encoding");
        res.set({ ...headers, "Cache-Control": "private, no-cache" });
        if (encoding) res.set("Content-Encoding", encoding);
      })
      .on("error", (error) => {
        if (res.headersSent) return next(error);
        // The error page has headers of its own.
        for (const name of res.getHeaderNames()) res.removeHeader(name);
        res.set(before as Record<string, string>);
        const { status, headers = {} } = error;
        // The file has changed, or ends before the range (RFC 9110, 15.5.13 and 15.5.17).
        if ([412, 416].includes(status)) res.status(status).set(headers).end();
        else next(error);
      })
      .pipe(res);
  };
}

/**
 * The names in a path, decoded; the last one is empty when the path ends with a slash.
 * @throws AppError bad_request when programs would read the path in different ways
 */
function namesOf(path: string): string[] {
  try {
    const normal = normalPath(path);
    if (normal?.startsWith("/") && !normal.includes("//"))
      return normal.slice(1).split("/").map(decodeURIComponent);
  } catch {
    // Not UTF-8.
  }
  throw new AppError("bad_request");
}

/** Windows takes other names for these: of devices, of streams, or with another end. Names that begin with a dot are private. */
const refused =
  /^\.|[. ]$|[\p{Cc}<>:"/\\|?*]|^(?:con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$) *(?:\.|$)/iu;

/** What a path leads to, if that is in the folder: links and short names of Windows count as what they lead to. */
async function entryAt(root: string, names: string[]): Promise<Entry | undefined> {
  const isNamed = (names: string[]) => !names.some((name) => refused.test(name));
  if (!isNamed(names)) return undefined;
  try {
    const place = await realpath(join(root, ...names));
    // Out of the folder, the first name is "..", or on Windows another drive.
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

/**
 * The path of a file in the best encoding that is there and that the client accepts, and the type of its content. An
 * older one is that of another version.
 */
async function packed(req: Request, root: string, { names, changed }: Entry) {
  const [name = ""] = names.slice(-1);
  const type = extname(name);
  const placeOf = (names: string[]) => names.map(encodeURIComponent).join("/");
  for (const [encoding, ending] of encodings) {
    if (!req.acceptsEncodings(encoding)) continue;
    const wanted = [...names.slice(0, -1), name + ending];
    const entry = await entryAt(root, wanted);
    if (entry?.isFile && entry.changed >= changed && entry.names.join("/") === wanted.join("/"))
      return { place: placeOf(wanted), encoding, type };
  }
  return { place: placeOf(names), type };
}

/** Whether a browser opens a page: an image, a script or a request of a script would not know what to do with another one. */
function isPageVisit(req: Request): boolean {
  const mode = req.get("Sec-Fetch-Mode") ?? "navigate";
  return mode === "navigate" && /\btext\/html\b/i.test(req.get("Accept") ?? "");
}

/** Lets the request of a user pass. @returns false when the browser has been sent to the sign-in */
async function isAdmitted(req: Request, res: Response): Promise<boolean> {
  try {
    await req.arcgis.authorize();
    return true;
  } catch (error) {
    const isVisitor = error instanceof AuthError && error.status === 401;
    if (!isVisitor || !error.signInUrl || !isPageVisit(req) || req.method !== "GET") throw error;
    res.status(302).set("Location", error.signInUrl).end();
    return false;
  }
}
