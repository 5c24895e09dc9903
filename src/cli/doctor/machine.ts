import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isStale } from "../../app/source-hash.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";

/** The last month of each major version: https://github.com/nodejs/Release */
const lastMonths: Record<string, string> = {
  ...{ 20: "2026-04", 22: "2027-04", 23: "2025-06", 24: "2028-04", 25: "2026-06", 26: "2029-04" },
};

/** Whether a version has what was added in these versions, one per release line, and is in all lines after the last. */
function isFrom(oldest: string[], version: string): boolean {
  const major = `${Number.parseInt(version, 10)}.`;
  return oldest.some((least, index) => {
    const isLine = index === oldest.length - 1 || least.startsWith(major);
    return isLine && version.localeCompare(least, "en", { numeric: true }) >= 0;
  });
}

/** Whether this version of Node, such as "22.12.0", runs the server and still gets security fixes. */
export function checkNode(version: string, now: number): Finding {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8"));
  // "^20.19.2 || >=22.12.0"
  const oldest: string[] = manifest.engines.node.match(/\d{1,4}(?:\.\d{1,4})+/g);
  if (!isFrom(oldest, version))
    return problem(`${version} is too old`, `Install ${oldest.join(", ")} or later.`);
  const last = lastMonths[Number.parseInt(version, 10)];
  return last !== undefined && new Date(now).toISOString().slice(0, 7) > last
    ? warning(`${version} has had no security fixes since ${last}`, "Install a version that does.")
    : ok(version);
}

/** Whether the build is that of the sources. */
export function checkBuild(): Finding | undefined {
  if (!isStale()) return undefined;
  return warning("dist/ was built from another src/", "Run npm run build, and start the server again.");
}

/** Variables that Node reads when it starts, each with the versions that do. */
const switches = { NODE_USE_ENV_PROXY: ["22.21", "24.5"], NODE_USE_SYSTEM_CA: ["22.19", "24.6"] };

/** Whether Node does what a switch says; `fix` says how to make it. NODE_OPTIONS with an unknown option lets no Node start. */
function isOn(name: keyof typeof switches, env: NodeJS.ProcessEnv, version: string) {
  const option = name.replace("NODE", "-").replaceAll("_", "-").toLowerCase();
  const isKnown = isFrom(switches[name], version);
  const isSet = env[name] === "1";
  const upgrade = `Install Node.js ${switches[name].join(", ")} or later: ${version} cannot do this. `;
  return {
    isOn: (isKnown && isSet) || Boolean(env.NODE_OPTIONS?.includes(option)),
    isSet,
    fix: `${isKnown ? "" : upgrade}Set ${name}=1 in the environment of the server.`,
  };
}

/** Whether requests go through HTTPS_PROXY, which Node ignores unless it is told not to. */
export function checkForwardProxy(env: NodeJS.ProcessEnv, version: string): Finding | undefined {
  if (!env.HTTPS_PROXY && !env.https_proxy) return undefined;
  const { isOn: isUsed, fix } = isOn("NODE_USE_ENV_PROXY", env, version);
  return isUsed
    ? ok("HTTPS_PROXY is used, except for NO_PROXY")
    : warning("HTTPS_PROXY is set, but not used", `If the portal is behind that proxy: ${fix}`);
}

/** Which certificate authorities are trusted in addition to Node's. */
export function checkAuthorities(env: NodeJS.ProcessEnv, version: string): Finding {
  const { isOn: isTrusting, isSet, fix } = isOn("NODE_USE_SYSTEM_CA", env, version);
  const path = env.NODE_EXTRA_CA_CERTS;
  const trouble = path ? troubleWith(path) : undefined;
  if (trouble) return problem(`the file in NODE_EXTRA_CA_CERTS cannot be used (${trouble[0]})`, trouble[1]);
  if (isSet && !isTrusting) return warning("NODE_USE_SYSTEM_CA is set, but not used", fix);
  const trusted = [
    ...(path ? ["the file in NODE_EXTRA_CA_CERTS contains a certificate"] : []),
    ...(isTrusting ? ["NODE_USE_SYSTEM_CA: those of this machine are trusted"] : []),
  ];
  return trusted.length > 0
    ? ok(trusted.join("; "))
    : skipped("NODE_EXTRA_CA_CERTS is not set: only well-known authorities are trusted");
}

/** Why a file cannot be used, and the fix: Node only warns about it once, on the console. */
function troubleWith(path: string): [why: string, fix: string] | undefined {
  const fix = "Set it to a PEM file with your authority's certificate that the server's user can read.";
  try {
    const bytes = readFileSync(path);
    const begin = bytes.indexOf("-----BEGIN CERTIFICATE-----");
    // It takes DER, too: what Windows exports as .cer.
    new X509Certificate(begin < 0 ? bytes : bytes.subarray(begin));
    if (begin >= 0) return undefined;
    const commands = `openssl x509 -inform der -in ${path} -out ${path}.pem, or on Windows: certutil -encode ${path} ${path}.pem`;
    return ["it is DER, not PEM", `Convert it, and name the new file instead. Run: ${commands}`];
  } catch (error) {
    const { code = "ERR_" } = error as NodeJS.ErrnoException;
    return [code.startsWith("ERR_") ? "no certificate in it" : code, fix];
  }
}
