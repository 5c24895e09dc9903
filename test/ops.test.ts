import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { reasonOf } from "#src/app/reason.ts";
import { click } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { actions, assertActions, revokeAll } from "./support/operator-log.ts";
import { needsPosix } from "./support/posix.ts";
import { openSite, secret, signIn } from "./support/site.ts";
import { until } from "./support/user.ts";

const program = { Accept: "*/*" };

describe("a session folder that cannot be used", { skip: needsPosix("modes and owners of files") }, () => {
  test("is named whole in the log and by the doctor, but no token that looks like it", () => {
    const path = "/opt/applications/arcgis-sign-in-production/sessions/2026";
    const record = "0123456789abcdef".repeat(4);
    const nodes = Object.assign(new Error(`EACCES: permission denied, open '${path}/${record}.session'`), {
      path: `${path}/${record}.session`,
    });
    assert.equal(reasonOf(nodes), `Error: EACCES: permission denied, open '${path}/[...].session'`);
    const cause = Object.assign(new Error(`${path} belongs to another user`), { path });
    assert.equal(
      reasonOf(new Error(`token ${record}`, { cause })),
      `Error: token [...] (Error: ${path} belongs to another user)`,
    );
    for (const text of [path, new Error(path), Object.assign(new Error(record + path), { path: "" })])
      assert.ok(!reasonOf(text).includes("sessions"), "a text from elsewhere is not a path of ours");
  });
});

describe("the session folder is removed while the server runs", () => {
  test("the next sign-in makes it again, for its user alone, and /readyz says that all is well", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    rmSync(site.config.sessionDir, { recursive: true });
    assert.equal(await whoIs(browser), undefined);
    assert.equal((await signIn(browser)).status, 303);
    assert.equal(await whoIs(browser), "sandy_admin");
    if (process.platform !== "win32") assert.equal(statSync(site.config.sessionDir).mode & 0o777, 0o700);

    rmSync(site.config.sessionDir, { recursive: true });
    assert.equal((await site.browser().get("/readyz", program)).status, 200);
    assert.ok(existsSync(site.config.sessionDir));
  });

  test("a token that waits for its portal makes it again, too", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    site.sandbox.faults.set("revokeToken", { kind: "reset" });
    t.mock.method(site.store.admin, "end", async (name: string) => {
      t.mock.restoreAll();
      const data = await site.store.admin.end(name);
      rmSync(site.config.sessionDir, { recursive: true });
      return data;
    });
    await browser.get("/sign-out", click);
    await until(() => existsSync(join(site.config.sessionDir, "pending-revocations")), "the token waits");
  });
});

describe("an operator's revoke is in the log of a server within a minute", () => {
  test("with who, whose and how many, once for all servers that share the folder", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const settings = { ENCRYPTION_KEY: secret(), SESSION_SECRET: secret() };
    const one = await openSite(t, { settings });
    const { sandbox, config } = one;
    const two = await openSite(t, { settings, sandbox, sessionDir: config.sessionDir });
    await revokeAll(t, one);
    assert.deepEqual([actions(one), actions(two)], [[], []]);
    t.mock.timers.tick(60_000);
    await until(() => actions(one).length + actions(two).length > 1, "two lines");
    t.mock.timers.tick(60_000);
    await until(() => readdirSync(config.sessionDir).length === 0, "nothing is left");
    assertActions(one, two);
  });
});
