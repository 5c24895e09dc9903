import "../no-debug.ts";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseConfig } from "../app/config/config.ts";
import { startSandbox } from "../sandbox/index.ts";
import { endInOrder, explain, serve } from "../serve.ts";
import { myContent } from "./demo-content.ts";
import { isMapsSdkBuilt, mapsSdk } from "./demo-maps-sdk.ts";

/**
 * `npm run demo`: the server and a sandbox portal, both on loopback. With `-- --organization` the users of the portal
 * sign in at an identity provider of their organization, and the server sends them there.
 */

const {
  PORT = "3000",
  SANDBOX_PORT = "3001",
  PROVIDER_PORT = "3002",
  LOG_LEVEL = "warn",
  MAP_TILES,
} = process.env;
const folder = ".demo";
const redirectUri = `http://localhost:${PORT}/authenticate`;

/** The port that is being opened. */
let portKey = "SANDBOX_PORT";

try {
  const flag = { type: "boolean" } as const;
  const { values } = parseArgs({ options: { organization: flag, organisation: flag } });
  const withOrganization = values.organization || values.organisation;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sandbox = await startSandbox({
    port: Number(SANDBOX_PORT),
    clients: [{ clientId: "demo", redirectUris: [redirectUri], title: "The demo on your machine" }],
    stateFile: join(folder, "portal.json"),
    settings: { rememberUser: true },
  });
  portKey = "PROVIDER_PORT";
  const provider = withOrganization && (await sandbox.connectOrganization({ port: Number(PROVIDER_PORT) }));
  portKey = "PORT";
  const config = parseConfig({
    CLIENT_ID: "demo",
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    ...secrets(join(folder, "secrets.json")),
    MAP_LAYERS: sandbox.layers,
    PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/`,
    PORT,
    MAP_TILES,
    LOG_LEVEL,
    AUTO_SIGN_IN: Boolean(provider),
    // Only the Maps SDK example needs the token in the page.
    TOKEN_HANDOVER: isMapsSdkBuilt(),
  });
  const running = await serve(config, {
    notice: "This server is connected to its built-in sandbox portal. No ArcGIS account is needed.",
    links: [
      { href: "/content", label: "My content" },
      ...(config.tokenHandover ? [{ href: "/maps-sdk", label: "Maps SDK" }] : []),
    ],
    routes: (site) => {
      myContent(site);
      if (config.tokenHandover) mapsSdk({ portal: sandbox.url, layers: sandbox.layers })(site);
    },
  });
  const parts = [running.stop, sandbox.close, ...(provider ? [provider.close] : [])];
  endInOrder({ ...running, stop: () => Promise.all(parts.map((stop) => stop())).then(() => {}) });

  console.log(`
  The server          http://localhost:${PORT}
  The sandbox portal  ${sandbox.origin}/portal   (a pretend ArcGIS: five users, no passwords)${
    provider
      ? `
  The organization    ${provider.issuer}   (an OpenID provider: four of the five sign in here)

  Open http://localhost:${PORT}: it leads to the portal, and the portal to the organization.`
      : `

  Open http://localhost:${PORT} and sign in.`
  } Ctrl+C stops ${provider ? "all" : "both"}; your sign-in is kept until the next start.
`);
} catch (error) {
  const { message, exitCode } = explain(error, portKey);
  console.error(message);
  process.exit(exitCode);
}

/** The secrets of the first run, so that sessions survive a restart. */
function secrets(file: string): Record<string, string> {
  const secret = () => randomBytes(32).toString("base64url");
  try {
    const fresh = { SESSION_SECRET: secret(), ENCRYPTION_KEY: secret() };
    writeFileSync(file, JSON.stringify(fresh, null, 2), { mode: 0o600, flag: "wx" });
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return JSON.parse(readFileSync(file, "utf8"));
  }
}
