import type { Router } from "express";
import { allowOnly } from "./allow-only.ts";
import type { Config } from "./config/config.ts";

/** RFC 9116 wants less than a year. It is written for each request. */
const validMs = 90 * 24 * 60 * 60_000;

/** GET /.well-known/security.txt - only with SECURITY_CONTACT: where to report vulnerabilities (RFC 9116). */
export function addSecurityTxt(router: Router, { securityContact, origin }: Config): void {
  if (!securityContact) return;
  const path = "/.well-known/security.txt";
  router.get(path, (_req, res) => {
    const expires = new Date(Date.now() + validMs).toISOString();
    const lines = [`Contact: ${securityContact}`, `Expires: ${expires}`, `Canonical: ${origin}${path}`];
    res.type("text/plain").send(`${lines.join("\n")}\n`);
  });
  router.all(path, allowOnly("GET, HEAD"));
}
