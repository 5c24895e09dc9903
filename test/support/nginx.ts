import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./browser.ts";
import { selfSigned } from "./certificate.ts";
import { freePort } from "./program.ts";
import { folder } from "./temporary.ts";

export interface Nginx {
  /** Where visitors come in, such as https://localhost:43210; what `REDIRECT_URI` begins with. */
  url: string;
  /** The same without TLS. */
  plainUrl: string;
  /** What a visitor's machine has to trust, as PEM. */
  ca: string;
  /** Starts it in front of these servers. It ends with the test. */
  start(...servers: string[]): Promise<void>;
  /** A visitor who trusts the certificate. */
  browser(): Browser;
  accessLog(): string;
  errorLog(): string;
}

// Debian keeps it where only root's PATH leads.
const places = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
const program = places.map((place) => join(place, "nginx")).find(existsSync);

/**
 * For the `skip` option of a test: false, or what to install.
 * @throws with REQUIRE_ALL=1, when there is no nginx.
 */
export function nginxIsMissing(): string | false {
  if (program) return false;
  const reason = `there is no nginx: install Debian's package "nginx"`;
  if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
  return reason;
}

/**
 * Takes ports for an nginx with the site of deploy/, a throw-away certificate, and nothing else changed.
 * @param change what an administrator changes in the site
 * @param on runs it on another machine of a `Network`; visitors come to this one
 */
export async function nginx(
  t: Pick<TestContext, "after">,
  change: (site: string) => string = (site) => site,
  on: string[] = [],
): Promise<Nginx> {
  const dir = folder(t);
  const [port, plainPort] = [await freePort(), await freePort()];
  const { key, cert } = selfSigned();
  const url = `https://localhost:${port}`;
  const read = (name: string) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8") : "");

  function site(servers: string[]): string {
    let text = change(readFileSync("deploy/nginx-site.conf", "utf8"));
    for (const [from, to] of [
      ["listen [::]:80;", ""],
      ["listen [::]:443 ssl http2;", ""],
      ["listen 80;", `listen 127.0.0.1:${plainPort};`],
      ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
      ["https://gis.example.com$request_uri", `${url}$request_uri`],
      ["server_name gis.example.com;", "server_name localhost;"],
      ["/etc/ssl/certs/gis.example.com.pem", join(dir, "cert.pem")],
      ["/etc/ssl/private/gis.example.com.key", join(dir, "key.pem")],
      ["/var/log/nginx/", `${dir}/`],
      ["server 127.0.0.1:3000;", servers.map((server) => `server ${new URL(server).host};`).join(" ")],
    ] as const) {
      assert.ok(text.includes(from), `deploy/nginx-site.conf has no "${from}"`);
      text = text.replaceAll(from, to);
    }
    return text;
  }

  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${dir}/${name};`)
    .join(" ");
  // With a single process, nginx cannot take over a socket.
  const main = `daemon off; ${on.length > 0 ? "user root" : "master_process off"}; pid ${dir}/pid; error_log ${dir}/main.log;
events { worker_connections 1024; }
http { access_log off; ${temporary} include ${dir}/site.conf; }
`;
  return {
    url,
    plainUrl: `http://localhost:${plainPort}`,
    ca: cert,
    async start(...servers) {
      const files = { "cert.pem": cert, "key.pem": key, "site.conf": site(servers), "nginx.conf": main };
      for (const [name, content] of Object.entries(files))
        writeFileSync(join(dir, name), content, { mode: 0o600 });
      // A socket stays in the namespace in which it was made: nginx takes this one over, as at its own upgrade.
      const visitors = createServer();
      if (on.length > 0) await once(visitors.listen(port, "127.0.0.1"), "listening");
      const { fd } = (visitors as unknown as { _handle?: { fd: number } })._handle ?? {};
      const [command = "", ...args] = [...on, String(program), "-e", join(dir, "main.log"), "-p", dir];
      const child = spawn(command, [...args, "-c", join(dir, "nginx.conf")], {
        env: { ...process.env, ...(fd && { NGINX: "3;" }) },
        stdio: ["ignore", "ignore", "inherit", fd],
      });
      visitors.close();
      t.after(async () => {
        if (child.exitCode !== null) return;
        const exit = once(child, "exit");
        child.kill("SIGTERM");
        await exit;
      });
      for (const end = performance.now() + 60_000; !existsSync(join(dir, "pid")); await sleep(20)) {
        assert.ok(child.exitCode === null, `nginx has ended: ${read("main.log")}`);
        assert.ok(performance.now() < end, "nginx listens within a minute");
      }
    },
    browser() {
      const browser = new Browser(url);
      browser.ca = cert;
      return browser;
    },
    accessLog: () => read("arcgis-sign-in.log"),
    errorLog: () => read("arcgis-sign-in.error.log") + read("main.log"),
  };
}
