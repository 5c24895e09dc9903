import { resolve } from "node:path";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import type { CommandContext } from "./command-context.ts";
import { checkAccess, describeAccess } from "./doctor/access.ts";
import { configProblem, type Finding, ok, skipped } from "./doctor/finding.ts";
import { checkAuthorities, checkBuild, checkForwardProxy, checkNode } from "./doctor/machine.ts";
import { askAboutApp, checkClientId, checkMetadata, checkPkce, checkRedirectUri } from "./doctor/oauth.ts";
import { askPortal, checkCertificate, checkClock, checkPortal } from "./doctor/portal.ts";
import type { ProbeOptions } from "./doctor/probe.ts";
import { checkListener, checkRedirect, checkReverseProxy, checkViews } from "./doctor/settings.ts";
import { checkRights, checkStore } from "./doctor/store.ts";

/** For tests. */
export interface DoctorOptions extends ProbeOptions {
  /** The version of Node, such as "20.15.0". */
  nodeVersion?: string;
  /** The clock (ms since 1970). */
  now?: () => number;
}

/** A finding with the name of its check, such as "clock". */
export type NamedFinding = { check: string } & Finding;

/** Runs all checks and prints the findings. Exit code 1: there is a problem. */
export async function doctor(
  { json = false, path, as }: { json?: boolean; path?: string; as?: string },
  { cwd, env, stdout }: CommandContext,
  options: DoctorOptions = {},
): Promise<number> {
  const { nodeVersion = process.versions.node, now = Date.now } = options;
  const bad = new Set<string>();
  const { findings, check } = openReport(bad);
  await check("Node.js", [], () => checkNode(nodeVersion, now()));
  await check("program", [], checkBuild);
  await check("private certificate authority", [], () => checkAuthorities(env, nodeVersion));
  await check("forward proxy", [], () => checkForwardProxy(env, nodeVersion));
  const { config, found } = usableConfig(cwd(), env, bad);
  for (const finding of found) await check("configuration", [], () => finding);
  if (config) {
    const files = [env.CONFIG_FILE || "config.json", ".env", config.sessionDir];
    const rights = checkRights(files.map((file) => resolve(cwd(), file)));
    await check("reverse proxy", ["REDIRECT_URI", "TRUST_PROXY"], () => checkReverseProxy(config));
    const listener = ["REDIRECT_URI", "HOST", "PORT", "TRUST_PROXY"];
    await check("address to listen on", listener, () => checkListener(config));
    await check("own pages", ["VIEWS_DIR"], () => checkViews(config));
    await check("rights on files", [], () => rights);
    await check("session store", ["SESSION_DIR", "REDIS_URL"], () =>
      // Opening the store would correct them, and the doctor changes nothing.
      rights?.status === "problem" ? skipped("needs the rights above") : checkStore(config),
    );
    await check("redirect to the portal", ["REDIRECT_URI", "PORTAL_URL"], () =>
      checkRedirect(config, options),
    );
    for (const [name, finding] of describeAccess(config)) await check(name, [], () => finding);
    if (path !== undefined) {
      const sessions = ["SESSION_DIR", "REDIS_URL", "ENCRYPTION_KEY", "SESSION_IDLE_SECONDS"];
      const needs = ["ACCESS", ...(as === undefined ? [] : sessions)];
      await check(`${as ?? "visitor"} at ${path}`, needs, () => checkAccess(config, path, as));
    }
    const portals = [config, ...config.furtherPortals].map((each) => portalFindings(each, bad, now, options));
    findings.push(...(await Promise.all(portals)).flat());
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

/** Collects findings. */
function openReport(bad: ReadonlySet<string>) {
  const findings: NamedFinding[] = [];
  return {
    findings,
    /** Runs a check, unless it needs an invalid setting. It finds `undefined` where it does not apply. */
    async check(
      name: string,
      needs: string[],
      run: () => Finding | undefined | Promise<Finding | undefined>,
    ): Promise<void> {
      const missing = needs.filter((key) => bad.has(key));
      const finding = missing.length > 0 ? skipped(`needs a valid ${missing.join(" and ")}`) : await run();
      if (finding) findings.push({ check: name, ...finding });
    },
  };
}

/** The checks of one portal; for one of PORTALS, each check's name ends with its ID. */
async function portalFindings(
  config: Config,
  bad: ReadonlySet<string>,
  now: () => number,
  options: ProbeOptions,
): Promise<NamedFinding[]> {
  const isMain = config.portalId === firstPortal;
  const urls = isMain ? ["PORTAL_URL", "PORTAL_SERVER_URL"] : [];
  const client = isMain ? [...urls, "CLIENT_ID"] : [];
  const reached = { ...config, portal: config.portalServerUrl ?? config.portal };
  const portal = urls.some((key) => bad.has(key)) ? undefined : await askPortal(reached, now, options);
  const app = portal?.self && (await askAboutApp(portal, options));
  const { findings, check } = openReport(bad);
  const checkWith = <Facts>(
    facts: Facts | undefined,
    name: string,
    needs: string[],
    run: (facts: Facts) => Finding | undefined,
  ) =>
    check(isMain ? name : `${name} (${config.portalId})`, needs, () =>
      facts ? run(facts) : skipped("needs a portal that responds"),
    );
  await checkWith(portal, "portal", urls, checkPortal);
  await checkWith(portal, "portal's certificate", urls, checkCertificate);
  await checkWith(portal, "clock", urls, checkClock);
  await checkWith(app, "OAuth metadata", urls, checkMetadata);
  await checkWith(app, "PKCE", [...urls, "PKCE"], checkPkce);
  await checkWith(app, "client ID", client, checkClientId);
  await checkWith(app, "redirect URI", [...client, "REDIRECT_URI"], checkRedirectUri);
  return findings;
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
