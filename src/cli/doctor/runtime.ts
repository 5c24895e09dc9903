import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, ok, problem, skipped } from "./finding.ts";

/** Whether this version of Node, such as "22.12.0", runs the server. */
export function checkNode(version: string): Finding {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8"));
  // "^20.19.0 || >=22.12.0": the oldest of each supported line; the last one has no upper end.
  const oldest: string[] = manifest.engines.node.match(/\d{1,4}\.\d{1,4}/g);
  const isSupported = oldest.some((least, index) => {
    const isLine = index === oldest.length - 1 || Number.parseInt(least, 10) === Number.parseInt(version, 10);
    return isLine && version.localeCompare(least, "en", { numeric: true }) >= 0;
  });
  return isSupported
    ? ok("Node.js", version)
    : problem("Node.js", `${version} is too old`, `Install ${oldest.join(", ")} or later.`);
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
