import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Browser } from "./browser.ts";
import { selfSigned } from "./certificate.ts";
import { freePort } from "./program.ts";
import { folder } from "./temporary.ts";

const places = (process.env.PATH ?? "").split(delimiter);
const program = places.map((place) => join(place, "caddy")).find(existsSync);

/**
 * For the `skip` option of a test: false, or what to install.
 * @throws with REQUIRE_ALL=1, when there is no Caddy.
 */
export function caddyIsMissing(): string | false {
  if (program) return false;
  const reason = `there is no Caddy: install Debian's package "caddy"`;
  if (process.env.REQUIRE_ALL === "1") throw new Error(reason);
  return reason;
}

/** Takes a port for a Caddy whose site has one line, as its documentation has it, and a throw-away certificate. */
export async function caddy(t: Pick<TestContext, "after">) {
  const dir = folder(t);
  const port = await freePort();
  const { key, cert } = selfSigned();
  const url = `https://localhost:${port}`;
  const browser = () => Object.assign(new Browser(url), { ca: cert });
  return {
    url,
    browser,
    /** Starts it in front of a server. It ends with the test. */
    async start(server: string): Promise<void> {
      const site = `{
  admin off
  auto_https disable_redirects
}
${url} {
  bind 127.0.0.1
  tls ${join(dir, "cert.pem")} ${join(dir, "key.pem")}
  reverse_proxy ${new URL(server).host}
}
`;
      for (const [name, content] of Object.entries({ "cert.pem": cert, "key.pem": key, Caddyfile: site }))
        writeFileSync(join(dir, name), content, { mode: 0o600 });
      const env = { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
      const child = spawn(String(program), ["run", "--config", join(dir, "Caddyfile")], {
        env,
        stdio: "ignore",
      });
      t.after(() => child.kill("SIGKILL"));
      for (const end = performance.now() + 60_000; ; await sleep(20)) {
        const socket = connect(port, "127.0.0.1");
        const isThere = await once(socket, "connect").catch(() => undefined);
        socket.destroy();
        if (isThere) return;
        assert.equal(child.exitCode, null, "Caddy runs");
        assert.ok(performance.now() < end, "Caddy listens within a minute");
      }
    },
  };
}
