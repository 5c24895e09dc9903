import assert from "node:assert/strict";
import { test } from "node:test";
import { homeOrganization } from "#src/sandbox/users.ts";
import { openSite, signIn } from "./support/site.ts";

test("with ALLOWED_ORGS, a directory that takes five seconds keeps no member out", async (t) => {
  const site = await openSite(t, { settings: { ALLOWED_ORGS: [homeOrganization.id] } });
  site.sandbox.faults.set("self", { kind: "delay", ms: 4_000 });
  assert.equal((await signIn(site.browser())).status, 303);
});
