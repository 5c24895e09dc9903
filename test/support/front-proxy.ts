import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./program.ts";
import { folder } from "./temporary.ts";

/** The reverse proxies that deploy/forward-auth has a configuration for, and that tests can start. */
export type FrontProxy = "nginx" | "caddy" | "haproxy";

const places = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
const pathOf = (program: string) => places.map((place) => join(place, program)).find(existsSync);

/**
 * For the `skip` option of a test: false, or what to install.
 * @throws with REQUIRE_ALL=1, when the program is missing.
 */
export function frontIsMissing(program: FrontProxy): string | false {
  if (pathOf(program)) return false;
  const reason = `there is no ${program}: install Debian's package "${program}"`;
  if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
  return reason;
}

/** What the proxy protects: an app at a URL, or a folder. */
export type Behind = { app: string } | { folder: string };

/** A file of deploy/forward-auth with other addresses. Every replacement must be in it. */
export function deployed(file: string, changes: readonly (readonly [string | RegExp, string])[]): string {
  let text = readFileSync(join("deploy/forward-auth", file), "utf8");
  for (const [from, to] of changes) {
    const changed = text.replaceAll(from, () => to);
    assert.notEqual(changed, text, `deploy/forward-auth/${file} has no ${from}`);
    text = changed;
  }
  return text;
}

const hostOf = (url: string) => `127.0.0.1:${new URL(url).port}`;

/** The files of a proxy by their names in `dir`, and the arguments to start it with. Without TLS, on a loopback port. */
const setups: Record<
  FrontProxy,
  (
    dir: string,
    port: number,
    signIn: string,
    behind: Behind,
  ) => { files: Record<string, string>; args: string[] }
> = {
  nginx(dir, port, signIn, behind) {
    const target = "folder" in behind ? `root ${behind.folder};` : `proxy_pass http://${hostOf(behind.app)};`;
    const site = deployed("nginx-site.conf", [
      [/server \{\n {4}listen 80;[^}]*\}\n/g, ""],
      ["listen 443 ssl http2;", `listen 127.0.0.1:${port};`],
      ["listen [::]:443 ssl http2;", ""],
      ["app.example.com;", "localhost;"],
      ["/var/log/nginx/", `${dir}/`],
      [/ssl_\w+ .*;/g, ""],
      ["server 127.0.0.1:3000;", `server ${hostOf(signIn)};`],
      ["proxy_pass http://127.0.0.1:8080;", target],
    ]);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${dir}/${name};`)
      .join(" ");
    const main = `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 1024; }
http { access_log off; ${temporary} include ${dir}/site.conf; }
`;
    return {
      files: { "site.conf": site, "nginx.conf": main },
      args: ["-e", "stderr", "-p", dir, "-c", join(dir, "nginx.conf")],
    };
  },
  caddy(dir, port, signIn, behind) {
    const target =
      "folder" in behind
        ? `root * ${behind.folder}\n\t\t\tfile_server`
        : `reverse_proxy ${hostOf(behind.app)}`;
    const site = deployed("Caddyfile", [
      ["app.example.com {", `http://localhost:${port} {\n\tbind 127.0.0.1`],
      ["127.0.0.1:3000", hostOf(signIn)],
      ["reverse_proxy 127.0.0.1:8080", target],
    ]);
    const options = "{\n\tadmin off\n\tauto_https off\n}\n";
    return {
      files: { Caddyfile: options + site },
      args: ["run", "--config", join(dir, "Caddyfile"), "--adapter", "caddyfile"],
    };
  },
  haproxy(dir, port, signIn, behind) {
    assert.ok("app" in behind, "HAProxy serves no folder");
    const script = join(dir, "arcgis-auth.lua");
    return {
      files: {
        "arcgis-auth.lua": deployed("arcgis-auth.lua", [["127.0.0.1:3000", hostOf(signIn)]]),
        "haproxy.cfg": deployed("haproxy.cfg", [
          ["/etc/haproxy/arcgis-auth.lua", script],
          ["bind :443 ssl crt /etc/haproxy/app.example.com.pem", `bind 127.0.0.1:${port}`],
          ["127.0.0.1:3000", hostOf(signIn)],
          ["127.0.0.1:8080", hostOf(behind.app)],
        ]),
      },
      args: ["-db", "-f", join(dir, "haproxy.cfg")],
    };
  },
};

/** Starts a proxy with its files of deploy/forward-auth, changed by `edit`; it ends with the test. */
export async function startFront(
  t: Pick<TestContext, "after">,
  proxy: FrontProxy,
  {
    port,
    signIn,
    behind,
    edit = (text) => text,
  }: { port: number; signIn: string; behind: Behind; edit?: (text: string) => string },
): Promise<string> {
  const dir = folder(t);
  const { files, args } = setups[proxy](dir, port, signIn, behind);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), edit(content));
  const child = spawn(String(pathOf(proxy)), args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      output = `${output}${chunk}`.slice(-4_000);
    });
  t.after(async () => {
    if (child.exitCode !== null) return;
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  });
  for (const end = performance.now() + 60_000; !(await accepts(port)); await sleep(20)) {
    assert.equal(child.exitCode, null, `${proxy} has ended: ${output}`);
    assert.ok(performance.now() < end, `${proxy} listens within a minute: ${output}`);
  }
  return `http://localhost:${port}`;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const isThere = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isThere;
}

/** What an app behind a proxy gets. */
export interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

/** An app that knows nothing of ArcGIS: it responds to everything with what it got. */
export async function startEcho(
  t: Pick<TestContext, "after">,
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server: Server = createServer(({ method = "", url = "", headers, rawHeaders }, res) => {
    received.push({ method, url, headers });
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify({ echo: { method, url, headers, rawHeaders } }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

export { freePort };
