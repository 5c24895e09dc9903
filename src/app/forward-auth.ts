import type { IncomingMessage, ServerResponse } from "node:http";
import type { Router } from "express";
import { type ArcGISContext, AuthError, isPageVisit, type UserProfile } from "../index.ts";
import { allowOnly } from "./allow-only.ts";
import { AppError } from "./errors.ts";
import type { PortalMount } from "./portal-mount.ts";

/** More would not fit into the headers that web servers accept by default, 8 kB with some. */
const maxGroups = 100;

/** What GET /auth refused, for the route that responds. */
interface Refusal {
  error: unknown;
  requested: string | undefined;
  signedInAs: string | undefined;
}

const refusals = new WeakMap<IncomingMessage, Refusal>();

/**
 * GET /auth - forward auth: a reverse proxy asks whether each request may pass. The requested path is in
 * X-Forwarded-Uri or X-Original-URI. 204 with the identity in X-Auth-Request-User, -Name, -Organization (ID), -Role and
 * -Groups (IDs with commas), all of them empty where everyone may see the path; 401; 403. Sends no cookie.
 *
 * Refused requests go on to the log, and to the route of `addRefusedAuth`.
 * @param isTrusted whether a reverse proxy with this address is trusted
 */
export function forwardAuth({ auth, access }: PortalMount, isTrusted: (address?: string) => boolean) {
  const named = new Set(access.rules.flatMap(({ groups = [] }) => groups));
  return async (req: IncomingMessage, res: ServerResponse, next: () => void): Promise<void> => {
    if (refusals.has(req)) return next();
    let requested: string | undefined;
    let context: ArcGISContext | undefined;
    const contextOf = async () => {
      context = await auth.contextOf(req);
      return context;
    };
    try {
      requested = requestedTarget(req, isTrusted);
      const user = await access.admit(requested, contextOf);
      res.writeHead(204, { "Cache-Control": "no-store", ...identityHeaders(user, named) }).end();
    } catch (error) {
      refusals.set(req, { error, requested, signedInAs: context?.user?.username });
      next();
    }
  };
}

/**
 * Responds to what GET /auth refuses. If a browser loads a page, the Location of a 401 is the sign-in that leads back to
 * it, so that nginx can redirect. With ?redirect=true the response itself redirects, for proxies that pass it on.
 */
export function addRefusedAuth(router: Router): void {
  router.get("/auth", (req, res) => {
    const { error, requested = "", signedInAs } = refusals.get(req) ?? ({} as Partial<Refusal>);
    Object.assign(res.locals, { requested, signedInAs });
    if (error instanceof AuthError && error.status === 401) {
      error.signInUrl = `${req.baseUrl}/sign-in?returnTo=${encodeURIComponent(requested)}`;
      const isPage = (req.get("X-Forwarded-Method") ?? "GET") === "GET" && isPageVisit(req);
      if (isPage) res.set("Location", error.signInUrl);
      if (isPage && req.query.redirect === "true") return void res.status(302).end();
    }
    throw error;
  });
  router.all("/auth", allowOnly("GET, HEAD"));
}

/** The path and query that the client sent to the reverse proxy. */
function requestedTarget({ socket, headers }: IncomingMessage, isTrusted: (address?: string) => boolean) {
  const { "x-forwarded-uri": forwarded, "x-original-uri": original } = headers;
  const target = forwarded ?? original;
  if (target === undefined || !isTrusted(socket.remoteAddress)) throw new AppError("proxy_not_trusted");
  // A proxy that sets one of them may let a client set the other one.
  const disagree = original !== undefined && original !== target;
  // Node joins several headers of one name with ", ". No request target contains a space.
  if (disagree || target.includes(" ")) throw new AppError("ambiguous_path");
  return String(target);
}

/** Always all of them: an empty header, too, replaces one that a client has sent. */
function identityHeaders(user: UserProfile | undefined, named: Set<string>) {
  const { username = "", fullName = "", orgId = "", role = "", groups = [] } = user ?? {};
  const ids = groups.map(({ id }) => id);
  // Groups that rules name come first.
  if (ids.length > maxGroups) ids.sort((one, other) => Number(named.has(other)) - Number(named.has(one)));
  return {
    "X-Auth-Request-User": encode(username),
    "X-Auth-Request-Name": encode(fullName),
    "X-Auth-Request-Organization": encode(orgId),
    "X-Auth-Request-Role": encode(role),
    "X-Auth-Request-Groups": ids.slice(0, maxGroups).map(encode).join(","),
  };
}

/**
 * A value of a header: visible ASCII but for "%" and ",", and spaces inside, as they are; the rest is percent-encoded as
 * UTF-8 (RFC 3986, 2.1), so that decoding gives the value back.
 */
function encode(value: string): string {
  // Through a buffer: encodeURIComponent throws for half of a surrogate pair.
  const encoded = value.replace(/[^ -$&-+\--~]+/g, (part) =>
    encodeURIComponent(Buffer.from(part).toString()),
  );
  // The outermost spaces are encoded, so the others are inside.
  return encoded.replace(/^ | $/g, "%20");
}
