import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import express, { type Express } from "express";
import organizations from "./data/organizations.json" with { type: "json" };
import type { SandboxUser } from "./users.ts";

/**
 * A server that listens, and does not handle requests yet. `close` ends every connection.
 * @throws when the port is taken (`code` EADDRINUSE)
 */
export async function listen(port: number, host: string) {
  const server = createServer().listen(port, host);
  await once(server, "listening");
  const origin = `http://${host.includes(":") ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { server, origin, close };
}

/** An app that renders the sandbox's pages. */
export function createPages(contentSecurityPolicy: string): Express {
  return express()
    .disable("x-powered-by")
    .disable("etag")
    .set("view engine", "ejs")
    .set("views", viewsFolder)
    .use((_req, res, next) => {
      res.set({
        "Cache-Control": "no-store",
        "Content-Security-Policy": contentSecurityPolicy,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
      });
      next();
    });
}

/** The folder of the pages; the path is the same from `src` and from `dist`. */
export const viewsFolder = join(import.meta.dirname, "../../views/sandbox");

/** No scripts. A form goes to the portal and, by the redirect in the response, to `formTarget`. */
export function contentSecurityPolicy(formTarget = ""): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    `form-action 'self' ${formTarget}`.trim(),
    "frame-ancestors 'none'",
  ].join("; ");
}

/** A user on the sign-in page. */
export function userChoice({ username, fullName, roleName, orgId }: SandboxUser) {
  const organization = organizations.find(({ id }) => id === orgId)?.name ?? orgId;
  const words = fullName.split(/\s+/).filter(Boolean).slice(0, 2);
  const initials = words.map((word) => [...word][0]?.toUpperCase()).join("");
  return { username, fullName, roleName, organization, initials };
}
