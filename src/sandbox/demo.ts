import "../no-debug.ts";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseConfig } from "../config.ts";
import { myContent } from "../examples/my-content.ts";
import { explain, serve, stopOnSignal } from "../serve.ts";
import { startSandbox } from "./portal.ts";

/** `npm run demo`: this server and a sandbox portal to sign in at, both on loopback. */

const { PORT = "3000", SANDBOX_PORT = "3001", LOG_LEVEL = "warn", MAP_TILES } = process.env;
const folder = ".demo";
const redirectUri = `http://localhost:${PORT}/authenticate`;

/** The port that is being opened. */
let portKey = "SANDBOX_PORT";

try {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sandbox = await startSandbox({
    port: Number(SANDBOX_PORT),
    clients: [{ clientId: "demo", redirectUris: [redirectUri], title: "The demo on your machine" }],
    stateFile: join(folder, "portal.json"),
  });
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
  });
  const running = await serve(config, {
    notice: "This server is connected to its built-in sandbox portal. No ArcGIS account is needed.",
    links: [{ href: "/content", label: "My content" }],
    routes: myContent,
  });
  stopOnSignal({ ...running, stop: () => Promise.all([running.stop(), sandbox.close()]).then(() => {}) });

  console.log(`
  The server          http://localhost:${PORT}
  The sandbox portal  ${sandbox.origin}/portal   (a pretend ArcGIS: five people, no passwords)

  Open http://localhost:${PORT} and sign in. Ctrl+C stops both; your sign-in is kept until the next start.
`);
} catch (error) {
  const { message, exitCode } = explain(error, portKey);
  console.error(message);
  process.exit(exitCode);
}

/** The secrets of the first run, so that whoever was signed in still is at the next one. */
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
