import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { NamedFinding as Finding } from "#src/cli/doctor.ts";
import { selfSigned } from "./support/certificate.ts";
import { spawnCli, withoutPackage } from "./support/cli.ts";
import { assertTrouble, examine, patient, run } from "./support/doctor.ts";
import { freePort } from "./support/program.ts";
import { redisIsMissing, startRedis } from "./support/redis.ts";
import { tlsProxy } from "./support/tls-proxy.ts";

describe("a fault of the machine or the configuration", () => {
  test("HTTPS_PROXY is set, but this Node does not use it: what to set, or to install", async (t) => {
    const it = await patient(t);
    const set = "Set NODE_USE_ENV_PROXY=1 in the environment of the server.";
    const install = (version: string) =>
      `Install Node.js 22.21, 24.5 or later: ${version} cannot do this. ${set}`;
    for (const [nodeVersion, env, advice] of [
      ["20.20.0", {}, install("20.20.0")],
      ["20.20.0", { NODE_USE_ENV_PROXY: "1" }, install("20.20.0")],
      ["22.20.0", { NODE_USE_ENV_PROXY: "1" }, install("22.20.0")],
      ["22.21.0", {}, set],
      ["22.21.0", { NODE_USE_ENV_PROXY: "true" }, set],
      ["22.21.0", { NODE_USE_ENV_PROXY: "1" }, undefined],
      ["24.4.1", { NODE_USE_ENV_PROXY: "1" }, install("24.4.1")],
      ["24.5.0", { NODE_OPTIONS: "--max-http-header-size=16384 --use-env-proxy" }, undefined],
      ["26.0.0", {}, set],
    ] as const) {
      it.options = { nodeVersion };
      for (const name of ["HTTPS_PROXY", "https_proxy"]) {
        it.env = { [name]: "http://server:canary@proxy.example.com:8080", ...env };
        const findings = await examine(it);
        const { found, fix } = findings.find(({ check }) => check === "forward proxy") ?? {};
        const trouble = ["HTTPS_PROXY is set, but not used", `If the portal is behind that proxy: ${advice}`];
        const used = ["HTTPS_PROXY is used, except for NO_PROXY", undefined];
        assert.deepEqual([found, fix], advice ? trouble : used, nodeVersion);
        assert.doesNotMatch(JSON.stringify(findings), /canary/);
      }
    }
  });
});

describe("a fault of the place where sessions are kept", () => {
  test("Redis is not there, wants another password, or is a replica", {
    skip: redisIsMissing(),
  }, async (t) => {
    const it = await patient(t);
    // However busy this machine is, Redis is not away.
    it.options = { ...it.options, timeoutMs: 60_000 };
    const rights = "(+get +set +del +eval +scan +ping on the keys arcgis-sign-in:*)";
    const fix = `Start Redis, or correct REDIS_URL: its address, its password and its rights ${rights}.`;
    it.settings.REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
    await assertTrouble(it, `problem session store: Redis is away: ECONNREFUSED. ${fix}`);

    const redis = await startRedis(t, "--requirepass", "canary-password");
    it.settings.REDIS_URL = `redis://:wrong-password@127.0.0.1:${redis.port}`;
    await assertTrouble(it, `problem session store: Redis is away: WRONGPASS. ${fix}`);
    it.settings.REDIS_URL = `redis://:canary-password@127.0.0.1:${redis.port}`;
    const { code, output } = await run(it);
    assert.deepEqual([code, /canary/.test(output)], [0, false]);

    const replica = await startRedis(t);
    await replica.send("REPLICAOF", "127.0.0.1", String(redis.port));
    it.settings.REDIS_URL = `redis://:canary-password@127.0.0.1:${redis.port}/1`;
    redis.sendNow("-a", "canary-password", "--no-auth-warning", "ACL", "SETUSER", "default", "-select");
    await assertTrouble(
      it,
      `problem session store: Redis is away: NOPERM (select). ${fix.replace("+ping", "+ping +select")}`,
    );
    it.settings.REDIS_URL = replica.url;
    await assertTrouble(it, `problem session store: Redis refused SET: READONLY. ${fix}`);
  });

  test("REDIS_URL is set, but the package redis is not installed", async (t) => {
    const it = await patient(t);
    it.settings.REDIS_URL = "redis://127.0.0.1:6379";
    writeFileSync(join(it.cwd, "config.json"), JSON.stringify(it.settings), { mode: 0o600 });
    const nodeFlags = withoutPackage("redis");
    const { code, output } = await spawnCli(["doctor"], { cwd: it.cwd, nodeFlags });
    assert.equal(code, 1);
    const line = /^PROBLEM {2}session store +REDIS_URL: needs the package redis\. Run: npm install redis@6$/m;
    assert.match(output, line);
  });
});

test("CF-4 the command itself: a private authority in NODE_EXTRA_CA_CERTS is trusted, and nothing but JSON is written", async (t) => {
  const it = await patient(t);
  const certificate = selfSigned();
  const front = await tlsProxy(t, certificate);
  front.target = it.sandbox.origin;
  it.settings.PORTAL_URL = `${front.url}/portal`;
  writeFileSync(join(it.cwd, "config.json"), JSON.stringify(it.settings), { mode: 0o600 });
  writeFileSync(join(it.cwd, "ca.pem"), certificate.cert);
  const env = { NODE_EXTRA_CA_CERTS: "ca.pem" };
  const { code, output } = await spawnCli(["doctor", "--json"], { cwd: it.cwd, env });
  const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: Finding[] };
  assert.deepEqual([ok, code], [true, 0], output);
  const certificateLine = findings.find(({ check }) => check === "portal's certificate");
  assert.equal(certificateLine?.found, "is trusted, and valid until 2100-01-01");
  assert.ok(!existsSync(join(it.cwd, "sessions")));
});
