import assert from "node:assert/strict";
import { test } from "node:test";
import { homeOrganization } from "#src/sandbox/users.ts";
import { click } from "./support/browser.ts";
import { casesOf } from "./support/rounds.ts";
import { openSite, signIn } from "./support/site.ts";

const program = { ...click, Accept: "application/json" };

test("/api/session tells what the guards look at: organization, role, privileges and groups with their titles", async (t) => {
  const site = await openSite(t);
  const browser = site.browser();
  await signIn(browser, "vik_viewer");
  const { status, body } = await browser.get("/api/session", program);
  const user = site.sandbox.users.find(({ username }) => username === "vik_viewer");
  assert.ok(user);
  const { tokenExpires, refreshTokenExpires, sessionExpires, signInExpires, ...session } = JSON.parse(body);

  assert.equal(status, 200);
  assert.deepEqual(session, {
    username: "vik_viewer",
    fullName: user.fullName,
    portal: site.sandbox.url,
    organization: { id: homeOrganization.id, name: homeOrganization.name },
    role: user.role,
    roleId: user.roleId,
    privileges: user.privileges,
    groups: user.groups.map(({ id, title }) => ({ id, title })),
  });
  for (const date of [tokenExpires, refreshTokenExpires, sessionExpires, signInExpires])
    assert.equal(new Date(date).toISOString(), date);
});

for (const settings of casesOf([{ ALLOWED_ORGS: homeOrganization.id }, {}], 1)) {
  test(`a member of 512 groups with long descriptions is signed in with all of them (${JSON.stringify(settings)})`, async (t) => {
    const site = await openSite(t, { settings });
    const user = site.sandbox.users.find(({ username }) => username === "sandy_admin");
    assert.ok(user);
    const description = "<p>What this group is for.</p>".repeat(300);
    user.groups = Array.from({ length: 512 }, (_, index) => ({
      ...{ id: index.toString(16).padStart(32, "0"), title: `Project ${index}`, owner: "sandy_admin" },
      description,
    }));
    const browser = site.browser();
    assert.equal((await signIn(browser)).status, 303);
    const { groups, fullName } = JSON.parse((await browser.get("/api/session", program)).body);
    assert.equal(fullName, user.fullName);
    assert.equal(groups.length, 512);
    assert.deepEqual(groups.at(-1), { id: `${"0".repeat(29)}1ff`, title: "Project 511" });
  });
}
