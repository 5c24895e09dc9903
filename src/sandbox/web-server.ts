import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";
import { viewsFolder } from "./views.ts";

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
