import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fault } from "#src/sandbox/faults.ts";
import { hurry } from "./support/callback-errors.ts";
import { openSite, signIn } from "./support/site.ts";

/** How community/self can fail. */
const profileFaults: Fault[] = [
  { kind: "hang" },
  { kind: "drip" },
  { kind: "delay", ms: 20_000 },
  { kind: "reset" },
  { kind: "html" },
  { kind: "status", status: 500 },
  { kind: "deny" },
  { kind: "redirect", location: "http://127.0.0.1:9/" },
  { kind: "body", body: "[]" },
  { kind: "body", body: "null" },
  { kind: "body", body: '"Sandy"' },
];

test("a profile that does not come, or says nothing of use, does not stop a sign-in: the user name takes its place", async (t) => {
  const site = await openSite(t);
  const limits = hurry(t, site);
  const strange = ['{"fullName":{"a":1},"orgId":7,"role":[]}', '{"fullName":"","role":null}', "{}"];
  const bodies: Fault[] = strange.map((body) => ({ kind: "body", body }));
  for (const fault of [...profileFaults, ...bodies]) {
    site.sandbox.faults.set("self", fault);
    site.sandbox.faults.set("portalSelf", fault);
    const browser = site.browser();
    assert.equal((await signIn(browser, "zoe_editor")).status, 303, JSON.stringify(fault));
    const { body } = await browser.get("/");
    assert.match(body, /<h1><bdi>zoe_editor<\/bdi><\/h1>/);
  }
  assert.deepEqual([...new Set(limits)].sort(), [10_000, 3_000]);
});

test("with ALLOWED_ORGS a sign-in without a profile is refused, and its tokens are taken back", async (t) => {
  const site = await openSite(t, { settings: { ALLOWED_ORGS: ["0123456789ABCDEF", "other"] } });
  hurry(t, site);
  for (const [index, fault] of profileFaults.entries()) {
    site.sandbox.faults.set("self", fault);
    const browser = site.browser();
    const { status, body } = await signIn(browser, "sandy_admin");
    assert.ok(status === 502 || status === 504, `${status} ${JSON.stringify(fault)}\n${body}`);
    assert.equal(browser.cookies.size, 0);
    assert.equal(site.sandbox.revoked.length, index + 1);
  }
  assert.deepEqual(site.files(), []);
});
