import { resolve } from "node:path";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import type { CommandContext } from "./command-context.ts";
import { checkAccess, describeAccess } from "./doctor/access.ts";
import { configProblem, type Finding, ok, skipped } from "./doctor/finding.ts";
import { checkAuthorities, checkBuild, checkForwardProxy, checkNode } from "./doctor/machine.ts";
import { type AppFacts, checkClientId, checkMetadata, checkPkce, checkRedirectUri } from "./doctor/oauth.ts";
import { askPortal, checkCertificate, checkClock, checkPortal, type PortalFacts } from "./doctor/portal.ts";
import type { DoctorOptions } from "./doctor/probe.ts";
import { checkListener, checkRedirect, checkReverseProxy, checkViews } from "./doctor/settings.ts";
import { checkRights, checkStore } from "./doctor/store.ts";

/** A finding with the name of its check, such as "clock". */
export type NamedFinding = { check: string } & Finding;

type Found = Finding | undefined | Promise<Finding | undefined>;
/** The settings that a check needs to be valid; and the check, which finds `undefined` where it does not apply. */
type Check<Facts> = [name: string, needs: string[], run: (facts: Facts, options: DoctorOptions) => Found];

const configChecks: Check<Config>[] = [
  ["reverse proxy", ["REDIRECT_URI", "TRUST_PROXY"], checkReverseProxy],
  ["address to listen on", ["REDIRECT_URI", "HOST", "PORT", "TRUST_PROXY"], checkListener],
  ["own pages", ["VIEWS_DIR"], checkViews],
  ["session store", ["SESSION_DIR", "REDIS_URL"], checkStore],
  ["redirect to the portal", ["REDIRECT_URI", "PORTAL_URL"], checkRedirect],
];

const forApp = (run: (facts: AppFacts) => Finding) => (facts: PortalFacts) =>
  facts.app ? run(facts.app) : skipped("needs a portal that responds");

const portalChecks: Check<PortalFacts>[] = [
  ["portal", [], checkPortal],
  ["portal's certificate", [], checkCertificate],
  ["clock", [], checkClock],
  ["OAuth metadata", [], forApp(checkMetadata)],
  ["PKCE", ["PKCE"], forApp(checkPkce)],
  ["client ID", ["CLIENT_ID"], forApp(checkClientId)],
  ["redirect URI", ["CLIENT_ID", "REDIRECT_URI"], forApp(checkRedirectUri)],
];

/** Runs all checks and prints the findings. Exit code 1: there is a problem. */
export async function doctor(
  { json = false, path, as }: { json?: boolean; path?: string; as?: string },
  { cwd, env, stdout }: CommandContext,
  options: DoctorOptions = {},
): Promise<number> {
  const { nodeVersion = process.versions.node, now = Date.now } = options;
  const findings: NamedFinding[] = [];
  const bad = new Set<string>();
  async function check(name: string, needs: string[], run: () => Found): Promise<void> {
    const missing = needs.filter((key) => bad.has(key));
    const finding = missing.length > 0 ? skipped(`needs a valid ${missing.join(" and ")}`) : await run();
    if (finding) findings.push({ check: name, ...finding });
  }

  await check("Node.js", [], () => checkNode(nodeVersion, now()));
  await check("program", [], checkBuild);
  await check("private certificate authority", [], () => checkAuthorities(env, nodeVersion));
  await check("forward proxy", [], () => checkForwardProxy(env, nodeVersion));
  const { config, found } = usableConfig(cwd(), env, bad);
  for (const finding of found) await check("configuration", [], () => finding);
  if (config) {
    const files = [env.CONFIG_FILE || "config.json", ".env", config.sessionDir];
    await check("rights on files", [], () => checkRights(files.map((file) => resolve(cwd(), file))));
    for (const [name, needs, run] of configChecks) await check(name, needs, () => run(config, options));
    for (const [name, finding] of describeAccess(config)) await check(name, [], () => finding);
    if (path !== undefined) {
      const sessions = ["SESSION_DIR", "REDIS_URL", "ENCRYPTION_KEY", "SESSION_IDLE_SECONDS"];
      const needs = ["ACCESS", ...(as === undefined ? [] : sessions)];
      await check(`${as ?? "visitor"} at ${path}`, needs, () => checkAccess(config, path, as));
    }
    const portals = await Promise.all(
      [config, ...config.furtherPortals].map(async (each) => {
        const isMain = each.portalId === firstPortal;
        const urls = isMain ? ["PORTAL_URL", "PORTAL_SERVER_URL"] : [];
        const facts = urls.some((key) => bad.has(key)) ? undefined : await askPortal(each, options);
        return { isMain, urls, facts, suffix: isMain ? "" : ` (${each.portalId})` };
      }),
    );
    for (const { isMain, urls, facts, suffix } of portals)
      for (const [name, keys, run] of portalChecks) {
        const needs = isMain ? [...urls, ...keys] : keys.filter((key) => key !== "CLIENT_ID");
        await check(name + suffix, needs, () => facts && run(facts, options));
      }
  } else await check("everything else", [], () => skipped("needs a valid configuration"));

  const isWell = findings.every(({ status }) => status !== "problem");
  stdout.write(json ? `${JSON.stringify({ ok: isWell, findings }, null, 2)}\n` : report(findings));
  return isWell ? 0 : 1;
}

/**
 * The configuration without the invalid settings, which are added to `bad`, and the findings. Leaving one out may make another invalid, such as a
 * layer whose server is then no longer in PROXY_ALLOW.
 */
function usableConfig(cwd: string, env: NodeJS.ProcessEnv, bad: Set<string>) {
  let found: Finding[] | undefined;
  for (;;) {
    try {
      const config = loadConfig({ cwd, env, standalone: true, ...(found && { without: bad }) });
      found ??= [ok(`is valid, with strong secrets; the session cookie is ${config.cookieName}`)];
      return { config, found };
    } catch (reason) {
      if (!(reason instanceof ConfigError)) throw reason;
      const { problems, hint, keys } = reason;
      found ??= [...problems.map(configProblem), ...(hint ? hint.split("\n").map(skipped) : [])];
      if (!keys) return { found };
      for (const key of keys) bad.add(key);
    }
  }
}

const marks = { ok: "ok     ", warning: "WARNING", problem: "PROBLEM", skipped: "-      " };

function report(findings: NamedFinding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ check, status, found, fix }) => {
    const text = fix ? `${found.replace(/[^.?]$/, "$&.")} ${fix}` : found;
    return `${marks[status]}  ${check.padEnd(width)}  ${text}\n`;
  });
  return lines.join("");
}
