import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { NamedFinding } from "#src/cli/doctor.ts";
import { callCli } from "./support/cli.ts";
import { folder, openSite, secret, signIn } from "./support/site.ts";

const streets = "5a6e64c1b2d94f0f9c1d3a7be80d5c11";
const ACCESS = [
  { path: "/about", allow: "everyone" },
  { path: "/streets", groups: [streets], roles: ["org_admin", "org_publisher"] },
  { path: "/mine" },
];

/** A site with its config.json, and the doctor beside it. */
async function open(t: TestContext, rules: unknown = ACCESS) {
  const cwd = folder(t);
  const settings = {
    ...{ SESSION_SECRET: secret(), ENCRYPTION_KEY: secret(), SESSION_DIR: join(cwd, "sessions") },
    ...{ ACCESS: rules, TRUST_PROXY: "127.0.0.1" },
  };
  const site = await openSite(t, { settings, sessionDir: settings.SESSION_DIR });
  const { clientId, redirectUri } = site.config;
  const file = { CLIENT_ID: clientId, PORTAL_URL: site.sandbox.url, REDIRECT_URI: redirectUri, ...settings };
  writeFileSync(join(cwd, "config.json"), JSON.stringify(file), { mode: 0o600 });
  const ask = async (...args: string[]) => {
    const { output } = await callCli(["doctor", "--json", ...args], { cwd });
    const { findings } = JSON.parse(output) as { findings: NamedFinding[] };
    return Object.fromEntries(findings.map(({ check, status, found }) => [check, `${status}: ${found}`]));
  };
  return { site, cwd, ask };
}

test("the doctor lists the rules of ACCESS, and what no rule names", async (t) => {
  const { ask } = await open(t);
  const found = await ask();
  assert.equal(found["access to /about"], "ok: everyone");
  assert.equal(
    found["access to /streets"],
    `ok: signed-in users with one of the roles org_admin, org_publisher, and one of the groups ${streets}`,
  );
  assert.equal(found["access to /mine"], "ok: signed-in users");
  assert.equal(found["access to the rest"], "ok: signed-in users");
  const all = await (await open(t, [{ path: "/", allow: "everyone" }])).ask();
  assert.deepEqual(
    Object.keys(all).filter((check) => check.startsWith("access")),
    ["access to /"],
  );
});

test("the doctor says which rule decides for a user who is signed in, and for a visitor", async (t) => {
  const { site, ask } = await open(t);
  await signIn(site.browser(), "sandy_admin");
  await signIn(site.browser(), "zoe_editor");
  for (const [path, as, expected] of [
    ["/about/x", undefined, "ok: allowed, by the rule for /about"],
    ["/streets?a=1", undefined, "ok: needs a sign-in, by the rule for /streets"],
    ["/", undefined, "ok: needs a sign-in, because no rule names it"],
    ["/a;b", undefined, "ok: refused for everyone: servers may read this path in different ways"],
    ["/STREETS", "sandy_admin", "ok: allowed, because no rule names it and the user is signed in"],
    ["/streets/x", "SANDY_admin", "ok: allowed, by the rule for /streets"],
    [
      "/streets/x",
      "zoe_editor",
      "ok: refused (role_missing) by the rule for /streets. Required: org_admin or org_publisher",
    ],
    ["/x", "zoe_editor", "ok: allowed, because no rule names it and the user is signed in"],
    ["/x", "vik_viewer", "problem: vik_viewer has no session, so the rights of this user are unknown"],
  ] as const) {
    const found = await ask("--path", path, ...(as ? ["--as", as] : []));
    assert.equal(found[`${as ?? "visitor"} at ${path}`], expected);
  }
});

test("the doctor asks for a path where a user is named", async (t) => {
  const { cwd } = await open(t);
  const { code, error } = await callCli(["doctor", "--as", "sandy_admin"], { cwd });
  assert.equal(code, 64);
  assert.match(error, /--as needs a --path/);
});

test("the doctor does not judge a user whose sessions it cannot read", async (t) => {
  const { cwd, ask } = await open(t);
  rmSync(join(cwd, "sessions"), { recursive: true });
  writeFileSync(join(cwd, "sessions"), "");
  const found = await ask("--path", "/x", "--as", "zoe_editor");
  assert.equal(found["zoe_editor at /x"], "skipped: needs the session store");
  assert.match(
    String(found["session store"]),
    /^problem: SESSION_DIR: .*sessions cannot be created \(EEXIST/,
  );
});
