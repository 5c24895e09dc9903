import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, ok, problem, skipped } from "./finding.ts";

/** Whether this version of Node, such as "20.15.0", runs the server. */
export function checkNode(version: string): Finding {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8"));
  const least: string = manifest.engines.node.replace(/^\D+/, "");
  const isOld = version.localeCompare(least, "en", { numeric: true }) < 0;
  return isOld
    ? problem("Node.js", `${version} is too old`, `Install ${least} or later.`)
    : ok("Node.js", version);
}

/** Whether the file of NODE_EXTRA_CA_CERTS can be used: Node only warns about it once, on the console. */
export function checkExtraAuthorities(path: string | undefined): Finding {
  const check = "private certificate authority";
  if (!path) return skipped(check, "NODE_EXTRA_CA_CERTS is not set: only well-known authorities are trusted");
  try {
    const pem = readFileSync(path, "utf8");
    new X509Certificate(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----")));
    return ok(check, "the file in NODE_EXTRA_CA_CERTS contains a certificate");
  } catch (error) {
    const { code = "ERR_" } = error as NodeJS.ErrnoException;
    const why = code.startsWith("ERR_") ? "no certificate in it" : code;
    return problem(
      check,
      `the file in NODE_EXTRA_CA_CERTS cannot be used (${why})`,
      "Set it to a PEM file with your authority's certificate that the server's user can read.",
    );
  }
}
