import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError, parseConfig } from "../app/config/config.ts";
import { newSecret } from "../app/config/secrets.ts";
import { endInOrder, explain, serve } from "../app/serve.ts";
import { startSandbox } from "../sandbox/index.ts";
import { restrictOnWindows } from "../session-store.ts";
import type { CommandContext } from "./command-context.ts";
import { myContent } from "./demo-content.ts";
import { lookInside } from "./how/how.ts";

const folder = ".demo";
/** Only in a clone: an example with its own packages. */
const mapsSdk = join(import.meta.dirname, "../../examples/maps-sdk/routes.js");

type DemoFlags = { organization?: boolean; organisation?: boolean } & Partial<
  Record<"site" | "port" | "sandboxPort" | "providerPort", string>
>;
type Ports = { port: string; "sandbox-port": string; "provider-port"?: string };

/**
 * The server and a sandbox portal, both on loopback. With `--organization` the users of the portal sign in at an
 * identity provider of their organization, and the server sends them there. With `--site` it serves that folder.
 */
export async function demo(flags: DemoFlags, { env, stderr }: CommandContext): Promise<number> {
  const ports: Ports = {
    port: flags.port ?? env.PORT ?? "3000",
    "sandbox-port": flags.sandboxPort ?? env.SANDBOX_PORT ?? "3001",
    ...((flags.organization ?? flags.organisation) && {
      "provider-port": flags.providerPort ?? env.PROVIDER_PORT ?? "3002",
    }),
  };
  const problems = await problemsWithPorts(ports);
  if (problems.length > 0) {
    stderr.write(`${problems.map(({ message }) => message).join("\n")}\n`);
    return Math.max(...problems.map(({ exitCode }) => exitCode));
  }
  try {
    await startDemo(ports, flags.site, env);
    return 0;
  } catch (reason) {
    const { message, exitCode } = explain(reason);
    console.error(message.replace(/^SITE_DIR:/m, () => `--site ${flags.site}:`));
    // The sandbox may be running already.
    process.exit(exitCode);
  }
}

/** A line for each port that is taken or invalid, with the option that changes it. */
async function problemsWithPorts(ports: Ports) {
  const problems = Object.entries(ports).map(async ([option, port]) => {
    try {
      const server = createServer().listen(Number(port), "127.0.0.1");
      await once(server, "listening");
      await new Promise((resolve) => server.close(resolve));
      return [];
    } catch (reason) {
      return [explain(reason, `--${option}`)];
    }
  });
  return (await Promise.all(problems)).flat();
}

/** @param site the folder of SITE_DIR */
async function startDemo(ports: Ports, site: string | undefined, env: NodeJS.ProcessEnv): Promise<void> {
  const { port, "sandbox-port": sandboxPort, "provider-port": providerPort } = ports;
  const url = `http://localhost:${port}`;
  const redirectUri = `${url}/authenticate`;
  const sandbox = await startSandbox({
    port: Number(sandboxPort),
    clients: [{ clientId: "demo", redirectUris: [redirectUri], title: "the demo on your machine" }],
    stateFile: join(folder, "portal.json"),
    settings: { rememberUser: true },
  });
  const provider = providerPort && (await sandbox.connectOrganization({ port: Number(providerPort) }));
  const example = existsSync(mapsSdk) ? await import(pathToFileURL(mapsSdk).href) : undefined;
  const withMapsSdk: boolean = example?.isBuilt() ?? false;
  const config = parseConfig({
    CLIENT_ID: "demo",
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    ...keptSecrets(),
    MAP_LAYERS: sandbox.layers,
    PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/`,
    PORT: port,
    MAP_TILES: env.MAP_TILES,
    ...{ APP_NAME: env.APP_NAME, APP_LOGO: env.APP_LOGO, APP_COLOR: env.APP_COLOR, VIEWS_DIR: env.VIEWS_DIR },
    ...(site !== undefined && { SITE_DIR: site, SITE_FALLBACK: env.SITE_FALLBACK, SITE_CSP: env.SITE_CSP }),
    LOG_LEVEL: env.LOG_LEVEL ?? "warn",
    // The attacks of /how sign in many times.
    RATE_LIMIT: 1_000,
    AUTO_SIGN_IN: Boolean(provider),
    // Only the Maps SDK needs the token in the page.
    TOKEN_HANDOVER: withMapsSdk,
  });
  const running = await serve(config, {
    notice: "demo.notice",
    links: [
      { href: "/content", label: "content.title" },
      { href: "/how", label: "how.title", visitors: true },
      ...(withMapsSdk ? [{ href: "/maps-sdk", label: "Maps SDK" }] : []),
    ],
    routes(site) {
      myContent(site);
      lookInside({ config, sandbox })(site);
      if (withMapsSdk) example.mapsSdk({ portal: sandbox.url, layers: sandbox.layers })(site);
    },
  });
  const parts = [running.stop, sandbox.close, ...(provider ? [provider.close] : [])];
  endInOrder({ ...running, stop: () => Promise.all(parts.map((stop) => stop())).then(() => {}) });

  console.log(`
  The server          ${url}
  The sandbox portal  ${sandbox.origin}/portal   (a pretend ArcGIS: five users, no passwords)`);
  if (provider)
    console.log(
      `  The organization    ${provider.issuer}   (an OpenID provider: four of the five sign in here)`,
    );
  console.log(`\n  Open ${url} and sign in. Ctrl+C stops all; your sign-in is kept until the next start.\n`);
}

/** The secrets of the first run, so that sessions survive a restart. */
function keptSecrets(): Record<string, string> {
  const file = join(folder, "secrets.json");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    restrictOnWindows(folder);
    if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8"));
    const secrets = { SESSION_SECRET: newSecret(), ENCRYPTION_KEY: newSecret() };
    writeFileSync(file, JSON.stringify(secrets, null, 2), { mode: 0o600, flag: "wx" });
    return secrets;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError([
      code === undefined
        ? `${resolve(file)} is damaged. Delete it: the demo makes new secrets, and you sign in again.`
        : `${resolve(folder)} cannot be used (${code}). Start the demo in a folder that you may write to.`,
    ]);
  }
}
