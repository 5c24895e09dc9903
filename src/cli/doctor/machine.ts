import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";

/** The last month of each major version: https://github.com/nodejs/Release */
const lastMonths: Record<string, string> = {
  ...{ 20: "2026-04", 22: "2027-04", 23: "2025-06", 24: "2028-04", 25: "2026-06", 26: "2029-04" },
};

/** Whether this version of Node, such as "22.12.0", runs the server and still gets security fixes. */
export function checkNode(version: string, now: number): Finding {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8"));
  // "^20.19.0 || >=22.12.0": the oldest of each supported line; the last one has no upper end.
  const oldest: string[] = manifest.engines.node.match(/\d{1,4}\.\d{1,4}/g);
  const major = String(Number.parseInt(version, 10));
  const isSupported = oldest.some((least, index) => {
    const isLine = index === oldest.length - 1 || least.startsWith(`${major}.`);
    return isLine && version.localeCompare(least, "en", { numeric: true }) >= 0;
  });
  if (!isSupported) return problem(`${version} is too old`, `Install ${oldest.join(", ")} or later.`);
  const last = lastMonths[major];
  return last !== undefined && new Date(now).toISOString().slice(0, 7) > last
    ? warning(`${version} gets no security fixes since ${last}`, "Install a version that does.")
    : ok(version);
}

/** Whether the file of NODE_EXTRA_CA_CERTS can be used: Node only warns about it once, on the console. */
export function checkAuthorities(env: NodeJS.ProcessEnv): Finding {
  const path = env.NODE_EXTRA_CA_CERTS;
  if (!path && env.NODE_USE_SYSTEM_CA === "1")
    return ok("NODE_USE_SYSTEM_CA: those of this machine are trusted");
  if (!path) return skipped("NODE_EXTRA_CA_CERTS is not set: only well-known authorities are trusted");
  try {
    const pem = readFileSync(path, "utf8");
    new X509Certificate(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----")));
    return ok("the file in NODE_EXTRA_CA_CERTS contains a certificate");
  } catch (error) {
    const { code = "ERR_" } = error as NodeJS.ErrnoException;
    const why = code.startsWith("ERR_") ? "no certificate in it" : code;
    const fix = "Set it to a PEM file with your authority's certificate that the server's user can read.";
    return problem(`the file in NODE_EXTRA_CA_CERTS cannot be used (${why})`, fix);
  }
}
