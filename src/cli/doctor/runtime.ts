import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, ok, problem, skipped } from "./finding.ts";

/** Whether this version of Node, such as "20.15.0", runs the server. */
export function checkNode(version: string): Finding {
  const least = leastNode();
  const isOld = compare(version, least) < 0;
  if (isOld) return problem("Node.js", `is ${version}`, `Install ${least} or later.`);
  return ok("Node.js", `is ${version}`);
}

/**
 * Whether the file that NODE_EXTRA_CA_CERTS names can be used. Node itself only warns when it cannot, on the console
 * and once.
 */
export function checkExtraAuthorities(path: string | undefined): Finding {
  const check = "private certificate authority";
  if (!path) return skipped(check, "NODE_EXTRA_CA_CERTS is not set: only well-known authorities are trusted");
  try {
    const pem = readFileSync(path, "utf8");
    new X509Certificate(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----")));
    return ok(check, "the file in NODE_EXTRA_CA_CERTS holds a certificate");
  } catch (error) {
    const { code = "no certificate in it" } = error as NodeJS.ErrnoException;
    const why = code.startsWith("ERR_") ? "no certificate in it" : code;
    const cure = "Name a PEM file with your authority's certificate that the server's user may read.";
    return problem(check, `the file in NODE_EXTRA_CA_CERTS cannot be used (${why})`, cure);
  }
}

function leastNode(): string {
  const manifest = readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8");
  return JSON.parse(manifest).engines.node.replace(/^\D+/, "");
}

/** Below zero when the first of two versions is the older one. */
export function compare(one: string, other: string): number {
  const [a = [], b = []] = [one, other].map((version) => version.split(".").map(Number));
  const at = a.findIndex((part, index) => part !== (b[index] ?? 0));
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
