import { resolve } from "node:path";
import { type Config, ConfigError, loadConfig } from "../app/config/config.ts";
import { firstPortal } from "../app/config/portals.ts";
import { type CommandContext, elsewhere } from "./command-context.ts";
import { type AccessQuestion, checkAccess, describeAccess } from "./doctor/access.ts";
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
  { json = false, ...question }: { json?: boolean | undefined } & AccessQuestion,
  { cwd, env, output }: CommandContext,
  options: DoctorOptions = {},
): Promise<number> {
  const findings = await allFindings(cwd, env, options, question);
  const isWell = findings.every(({ status }) => status !== "problem");
  output.write(json ? `${JSON.stringify({ ok: isWell, findings }, null, 2)}\n` : report(findings));
  return isWell ? 0 : 1;
}

async function allFindings(
  cwd: string,
  env: NodeJS.ProcessEnv,
  options: DoctorOptions,
  question: AccessQuestion,
): Promise<NamedFinding[]> {
  const { nodeVersion = process.versions.node, now = Date.now } = options;
  const machine = await runChecks([
    ["Node.js", [], () => checkNode(nodeVersion, now())],
    ["program", [], checkBuild],
    ["private certificate authority", [], () => checkAuthorities(env, nodeVersion)],
    ["forward proxy", [], () => checkForwardProxy(env, nodeVersion)],
  ]);
  const { config, bad, found } = usableConfig(cwd, env);
  const findings = [...machine, ...found.map((finding) => ({ check: "configuration", ...finding }))];
  if (!config) return [...findings, { check: "everything else", ...skipped("needs a valid configuration") }];

  const files = [env.CONFIG_FILE || "config.json", ".env", config.sessionDir];
  const rights = checkRights(files.map((file) => resolve(cwd, file)));
  const { path, as } = question;
  const sessions = ["SESSION_DIR", "REDIS_URL", "ENCRYPTION_KEY", "SESSION_IDLE_SECONDS"];
  const needs = ["ACCESS", ...(as === undefined ? [] : sessions)];
  const settings = await runChecks(
    [
      ["reverse proxy", ["REDIRECT_URI", "TRUST_PROXY"], () => checkReverseProxy(config)],
      ["address to listen on", ["REDIRECT_URI", "HOST", "PORT", "TRUST_PROXY"], () => checkListener(config)],
      ["own pages", ["VIEWS_DIR"], () => checkViews(config)],
      ["rights on files", [], () => rights],
      [
        "session store",
        ["SESSION_DIR", "REDIS_URL"],
        // Opening the store would correct them, and the doctor changes nothing.
        () => (rights?.status === "problem" ? skipped("needs the rights above") : checkStore(config)),
      ],
      ["redirect to the portal", ["REDIRECT_URI", "PORTAL_URL"], () => checkRedirect(config, options)],
      ...describeAccess(config).map(([name, finding]): Check => [name, [], () => finding]),
      [
        `${as ?? "visitor"} at ${path}`,
        needs,
        () => (path === undefined ? undefined : checkAccess(config, path, as)),
      ],
    ],
    bad,
  );
  const portals = [config, ...config.furtherPortals].map((each) => portalFindings(each, bad, now, options));
  return [...findings, ...settings, ...(await Promise.all(portals)).flat()];
}

/**
 * The configuration without the invalid settings, and the findings. Leaving one out may make another invalid, such as a
 * layer whose server is then no longer in PROXY_ALLOW.
 */
function usableConfig(cwd: string, env: NodeJS.ProcessEnv) {
  const bad = new Set<string>();
  let found: Finding[] | undefined;
  for (;;) {
    try {
      const config = loadConfig({ cwd, env, standalone: true, ...(found && { without: bad }) });
      found ??= [ok(`is valid, with strong secrets; the session cookie is ${config.cookieName}`)];
      return { config, bad, found };
    } catch (reason) {
      if (!(reason instanceof ConfigError)) throw reason;
      const { problems, hint, keys } = reason;
      found ??= [...problems.map(configProblem), ...(hint ? [skipped(hint), skipped(elsewhere)] : [])];
      if (!keys) return { bad, found };
      for (const key of keys) bad.add(key);
    }
  }
}

/** A check's name, the settings that it needs, and itself: `undefined` where it does not apply. */
type Check = [name: string, needs: string[], run: () => Finding | undefined | Promise<Finding | undefined>];

/** Runs checks one by one, except those that need an invalid setting. */
async function runChecks(checks: Check[], bad: ReadonlySet<string> = new Set()): Promise<NamedFinding[]> {
  const findings: NamedFinding[] = [];
  for (const [check, needs, run] of checks) {
    const missing = needs.filter((key) => bad.has(key));
    const finding = missing.length > 0 ? skipped(`needs a valid ${missing.join(" and ")}`) : await run();
    if (finding) findings.push({ check, ...finding });
  }
  return findings;
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
  const clientId = isMain ? ["CLIENT_ID"] : [];
  const reached = { ...config, portal: config.portalServerUrl ?? config.portal };
  const portal = urls.some((key) => bad.has(key)) ? undefined : await askPortal(reached, now, options);
  const app = portal?.self && (await askAboutApp(portal, options));
  const of = <Facts>(facts: Facts | undefined, check: (facts: Facts) => Finding | undefined) => {
    return () => (facts ? check(facts) : skipped("needs a portal that responds"));
  };
  const findings = await runChecks(
    [
      ["portal", urls, of(portal, checkPortal)],
      ["portal's certificate", urls, of(portal, checkCertificate)],
      ["clock", urls, of(portal, checkClock)],
      ["OAuth metadata", urls, of(app, checkMetadata)],
      ["PKCE", [...urls, "PKCE"], of(app, checkPkce)],
      ["client ID", [...urls, ...clientId], of(app, checkClientId)],
      ["redirect URI", [...urls, ...clientId, "REDIRECT_URI"], of(app, checkRedirectUri)],
    ],
    bad,
  );
  const suffix = isMain ? "" : ` (${config.portalId})`;
  return findings.map((finding) => ({ ...finding, check: finding.check + suffix }));
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
