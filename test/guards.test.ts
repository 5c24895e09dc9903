import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { RequestHandler } from "express";
import type { AppOptions } from "#src/app/create-app.ts";
import type { SignInRecord } from "#src/index.ts";
import { Browser, click, typed } from "./support/browser.ts";
import { openSite, signIn } from "./support/site.ts";

const program = { Accept: "application/json" };

const routes: AppOptions["routes"] = ({ router, auth }) => {
  router.get("/anybody", auth.requireSignIn(), async (req, res) => {
    res.json({ username: (await req.arcgis.identity()).username });
  });
  router.get("/city", auth.requireOrganization("0123456789ABCDEF"), (_req, res) => void res.send("the city"));
  router.get(
    "/admins",
    auth.requireRole("org_admin", "Fj3kQ9tWbZx7Lm2p"),
    (_req, res) => void res.send("in"),
  );
  const publish = ["portal:publisher:publishFeatures", "portal:user:createItem"];
  router.get("/publish", auth.requirePrivilege(...publish), (_req, res) => void res.send("publishing"));
};

async function statuses(
  t: TestContext,
  path: string,
  users: string[],
  wanted: AppOptions["routes"] = routes,
) {
  const site = await openSite(t, { routes: wanted });
  const responses: Record<string, number> = {};
  for (const user of users) {
    const browser = site.browser();
    await signIn(browser, user);
    responses[user] = (await browser.get(path)).status;
  }
  return responses;
}

const everybody = ["sandy_admin", "pia_publisher", "vik_viewer", "ned_county", "zoe_editor"];

describe("a guard lets through", () => {
  test("requireSignIn: every signed-in user, with their identity", async (t) => {
    const site = await openSite(t, { routes });
    const browser = site.browser();
    await signIn(browser, "vik_viewer");
    assert.deepEqual((await browser.get("/anybody")).json(), { username: "vik_viewer" });
  });

  test("requireOrg: members of the organization", async (t) => {
    assert.deepEqual(await statuses(t, "/city", ["sandy_admin", "ned_county"]), {
      sandy_admin: 200,
      ned_county: 403,
    });
  });

  test("requireRole: a base role or the id of a custom one", async (t) => {
    const [sandy, pia, vik, ned, zoe] = Object.values(await statuses(t, "/admins", everybody));
    assert.deepEqual([sandy, pia, vik, ned, zoe], [200, 403, 403, 403, 200]);
  });

  test("requirePrivilege: who has all of them", async (t) => {
    const [sandy, pia, vik, ned, zoe] = Object.values(await statuses(t, "/publish", everybody));
    assert.deepEqual([sandy, pia, vik, ned, zoe], [200, 200, 403, 403, 403]);
  });

  test("requireGroup: members of one of the groups", async (t) => {
    const site = await openSite(t, {});
    const [streets] = site.sandbox.users[0]?.groups ?? [];
    const guarded: AppOptions["routes"] = ({ router, auth }) => {
      router.get("/streets", auth.requireGroup(streets?.id ?? ""), (_req, res) => void res.send("streets"));
    };
    const [sandy, pia, vik, ned, zoe] = Object.values(await statuses(t, "/streets", everybody, guarded));
    assert.deepEqual([sandy, pia, vik, ned, zoe], [200, 403, 403, 403, 200]);
  });
});

test("a user with many rights and groups of long names can sign in, and is let through by the last of them", async (t) => {
  const site = await openSite(t, {
    routes: ({ router, auth }) => {
      const last = [auth.requireGroup("1ff".padStart(32, "0")), auth.requirePrivilege("portal:user:199")];
      router.get("/last", ...last, (_req, res) => void res.send("in"));
    },
  });
  const idOfGroup = (index: number) => index.toString(16).padStart(32, "0");
  const sandy = site.sandbox.users.find(({ username }) => username === "sandy_admin");
  const [group] = sandy?.groups ?? [];
  assert.ok(sandy && group, "she is in a group");
  sandy.privileges = Array.from({ length: 200 }, (_, index) => `portal:user:${index}`);
  sandy.groups = Array.from({ length: 512 }, (_, index) => ({
    ...group,
    id: idOfGroup(index),
    title: "測".repeat(250),
  }));
  const browser = site.browser();
  await signIn(browser);
  assert.equal((await browser.get("/last")).body, "in");

  sandy.groups = Array.from({ length: 700 }, () => ({ ...group, id: "x".repeat(100) }));
  sandy.privileges = Array(700).fill("x".repeat(100));
  const another = site.browser();
  await signIn(another);
  assert.match((await another.get("/")).body, /Sandy/, "whatever a portal sends, it fits into a session");
});

describe("a guard turns away", () => {
  test("a browser that is signed out to the sign-in, and it comes back", async (t) => {
    const site = await openSite(t, { routes });
    const browser = site.browser();
    const { status, headers } = await browser.get("/anybody?a=1&b=%20", typed);
    assert.equal(status, 302);
    assert.equal(headers.location, "/sign-in?returnTo=%2Fanybody%3Fa%3D1%26b%3D%2520");
    const back = await signIn(browser, "sandy_admin", String(headers.location));
    assert.equal(back.headers.location, "/anybody?a=1&b=%20");
  });

  test("a program that is signed out with 401, and a form of a visitor too", async (t) => {
    const site = await openSite(t, { routes });
    const response = await site.browser().get("/anybody", program);
    assert.equal(response.status, 401);
    assert.deepEqual(response.json(), {
      error: { code: "signed_out", message: "Sign in to continue." },
    });
  });

  test("a script of a page with 401 as JSON, because it cannot follow a redirect to the portal", async (t) => {
    const site = await openSite(t, { routes });
    const response = await site.browser().get("/anybody", { Accept: "*/*", "Sec-Fetch-Mode": "cors" });
    assert.equal(response.status, 401);
    assert.equal((response.json() as { error: { code: string } }).error.code, "signed_out");
    const page = await site.browser().get("/unknown", { Accept: "*/*" });
    assert.match(String(page.headers["content-type"]), /html/, "a program that does not ask for JSON");
  });

  test("a user without the right: a page that names what is missing, JSON for a program", async (t) => {
    const site = await openSite(t, { routes });
    const browser = site.browser();
    await signIn(browser, "vik_viewer");
    const page = await browser.get("/publish");
    assert.equal(page.status, 403);
    assert.match(page.body, /data-code="privilege_missing"/);
    assert.match(page.body, /portal:publisher:publishFeatures, portal:user:createItem/);
    assert.match(page.body, /Ask an administrator/);
    const { error } = (await browser.get("/publish", program)).json() as { error: { needed: string } };
    assert.equal(error.needed, "portal:publisher:publishFeatures, portal:user:createItem");
  });
});

describe("what the portal says about a user", () => {
  test("is asked once, and again after ten minutes: a right that was taken away is gone", async (t) => {
    const site = await openSite(t, { routes });
    const asked = () => site.sandbox.log.filter(({ endpoint }) => endpoint === "self").length;
    const browser = site.browser();
    await signIn(browser, "pia_publisher");
    for (let request = 0; request < 5; request++) assert.equal((await browser.get("/publish")).status, 200);
    assert.equal(asked(), 1);

    const pia = site.sandbox.users.find(({ username }) => username === "pia_publisher");
    if (pia) pia.privileges = [];
    assert.equal((await browser.get("/publish")).status, 200);
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10 * 60_000 + 1 });
    assert.equal((await browser.get("/publish")).status, 403);
    assert.equal((await browser.get("/publish")).status, 403);
    assert.equal(asked(), 2);
  });

  test("stays what it was while the portal is in trouble", async (t) => {
    const site = await openSite(t, { routes });
    const browser = site.browser();
    await signIn(browser, "pia_publisher");
    site.sandbox.faults.set("self", { kind: "status", status: 500 });
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10 * 60_000 + 1 });
    const asked = () => site.sandbox.log.filter(({ endpoint }) => endpoint === "self").length;
    const before = asked();
    for (let times = 0; times < 5; times++) assert.equal((await browser.get("/publish")).status, 200);
    assert.equal(asked(), before + 1, "and is not waited for by everybody");

    t.mock.timers.tick(24 * 60 * 60_000 - 11 * 60_000);
    assert.equal((await browser.get("/publish")).status, 200);
    t.mock.timers.tick(2 * 60_000);
    assert.equal((await browser.get("/publish")).status, 502, "but not for longer than a day");
    site.sandbox.faults.clear();
    assert.equal((await browser.get("/publish")).status, 200);
  });

  test("is asked again when it comes from the future: the clock was wrong", async (t) => {
    const site = await openSite(t, { routes });
    const browser = site.browser();
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 4 * 60_000 });
    await signIn(browser, "pia_publisher");
    const asked = () => site.sandbox.log.filter(({ endpoint }) => endpoint === "self").length;
    const before = asked();
    assert.equal((await browser.get("/publish")).status, 200);
    assert.equal(asked(), before, "some minutes are the difference of two clocks");
    await site.store.update(idOf(browser), (data) => {
      const { user } = (data as unknown as { arcgisSignIn: SignInRecord }).arcgisSignIn;
      user.fetchedAt += 365 * 24 * 60 * 60_000;
    });
    assert.equal((await browser.get("/publish")).status, 200);
    assert.equal(asked(), before + 1);
    assert.equal((await browser.get("/publish")).status, 200);
    assert.equal(asked(), before + 1);
  });

  test("decides at the guard when it did not come at the sign-in", async (t) => {
    const site = await openSite(t, { routes });
    const browser = site.browser();
    site.sandbox.faults.set("self", { kind: "status", status: 500 });
    await signIn(browser, "pia_publisher");
    assert.equal((await browser.get("/publish")).status, 502, "no rights are guessed");
    site.sandbox.faults.clear();
    assert.equal((await browser.get("/publish")).status, 200);
  });
});

test("with ALLOWED_ORGS, a user who has left the organization is rejected within ten minutes", async (t) => {
  const site = await openSite(t, { routes, settings: { ALLOWED_ORGS: "0123456789ABCDEF" } });
  const browser = site.browser();
  await signIn(browser, "pia_publisher");
  assert.equal((await browser.get("/anybody")).status, 200);
  const pia = site.sandbox.users.find(({ username }) => username === "pia_publisher");
  if (pia) pia.orgId = "FEDCBA9876543210";
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10 * 60_000 + 1 });
  const response = await browser.get("/anybody");
  assert.equal(response.status, 403);
  assert.match(response.body, /data-code="organization_not_allowed"/);
});

test("two guards on one route load the session once, also below an app with a session of its own", async (t) => {
  let loads = 0;
  const site = await openSite(t, {
    routes: ({ router, auth }) => {
      router.get("/both", auth.requireSignIn(), auth.requireRole("org_admin"), async (req, res) => {
        res.json((await req.arcgis.identity()).username);
      });
    },
    host: (host) => {
      host.use((req, _res, next) => {
        Object.assign(req, { session: { theirs: true } });
        next();
      });
    },
  });
  const { readParts } = site.store;
  site.store.readParts = (id) => {
    loads += 1;
    return readParts.call(site.store, id);
  };
  const browser = site.browser();
  await signIn(browser);
  loads = 0;
  assert.deepEqual((await browser.get("/both")).json(), "sandy_admin");
  assert.equal(loads, 1);
});

test("a guard does not go by what it knew of a user whose refresh token the portal rejects", async (t) => {
  const site = await openSite(t, { routes });
  site.sandbox.settings.accessTokenSeconds = 60;
  const browser = site.browser();
  await signIn(browser, "pia_publisher");
  site.sandbox.expireRefreshTokens();
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10 * 60_000 + 1 });
  const response = await browser.get("/publish", program);
  assert.equal(response.status, 401, response.body);
});

test("a guard asks with a new token when the portal has ended the old one before its time", async (t) => {
  const site = await openSite(t, { routes });
  const browser = site.browser();
  await signIn(browser, "pia_publisher");
  site.sandbox.expireAccessTokens();
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10 * 60_000 + 1 });
  const response = await browser.get("/publish", program);
  assert.equal(response.status, 200, response.body);
  const refreshes = site.sandbox.log.filter(({ params }) => params.grant_type === "refresh_token");
  assert.equal(refreshes.length, 1);
});

test("with ALLOWED_ORGS, the API and the proxy check the user's organization, too", async (t) => {
  const everywhere = { TOKEN_HANDOVER: true };
  const before = await openSite(t, { settings: everywhere });
  const browser = before.browser();
  await signIn(browser, "ned_county");
  const { sessionSecrets, encryptionKeys, sessionDir, redirectUri } = before.config;
  const after = await openSite(t, {
    sandbox: before.sandbox,
    sessionDir,
    settings: {
      ...everywhere,
      SESSION_SECRET: sessionSecrets,
      ENCRYPTION_KEY: encryptionKeys,
      REDIRECT_URI: redirectUri,
      ALLOWED_ORGS: "0123456789ABCDEF",
    },
  });
  const moved = new Browser(after.url, browser.cookies);
  for (const path of [
    "/api/session",
    "/api/credential",
    `/proxy?${after.config.portal}/community/self?f=json`,
  ]) {
    assert.equal((await moved.get(path, { ...click, ...program })).status, 403, path);
  }
});

test("GU-1 with ALLOWED_ORGS, every guard turns away users of other organizations, whatever else they have", async (t) => {
  let county = { orgId: "", role: "", group: "", privilege: "" };
  const guarded: AppOptions["routes"] = ({ router, auth }) => {
    const { orgId, role, group, privilege } = county;
    const ok: RequestHandler = (_req, res) => void res.send("in");
    router.get("/own/signed-in", auth.requireSignIn(), ok);
    router.get("/own/member", auth.requireSignIn(), ok);
    if (orgId === "") return;
    router.get("/own/org", auth.requireOrganization(orgId), ok);
    router.get("/own/role", auth.requireRole(role), ok);
    router.get("/own/group", auth.requireGroup(group), ok);
    router.get("/own/privilege", auth.requirePrivilege(privilege), ok);
  };
  const before = await openSite(t);
  const ned = before.sandbox.users.find(({ username }) => username === "ned_county");
  const [group] = before.sandbox.users.flatMap(({ groups }) => groups);
  assert.ok(ned && group, "there are a user of another organization and a group");
  ned.groups = [group];
  ned.privileges = ["features:user:edit"];
  county = { orgId: ned.orgId, role: ned.role, group: group.id, privilege: "features:user:edit" };
  const browser = before.browser();
  await signIn(browser, "ned_county");
  const { sessionSecrets, encryptionKeys, sessionDir, redirectUri } = before.config;
  const again = { SESSION_SECRET: sessionSecrets, ENCRYPTION_KEY: encryptionKeys, REDIRECT_URI: redirectUri };
  const statusesWith = async (settings: Record<string, unknown>) => {
    const site = await openSite(t, {
      sandbox: before.sandbox,
      sessionDir,
      settings: { ...again, ...settings },
      routes: guarded,
    });
    const moved = new Browser(site.url, browser.cookies);
    const paths = ["signed-in", "member", "org", "role", "group", "privilege"];
    const responses = paths.map((path) => moved.get(`/own/${path}`, program));
    return (await Promise.all(responses)).map(({ status }) => status);
  };
  assert.deepEqual(await statusesWith({}), [200, 200, 200, 200, 200, 200]);
  assert.deepEqual(await statusesWith({ ALLOWED_ORGS: "0123456789ABCDEF" }), [403, 403, 403, 403, 403, 403]);
});

test("GU-2 a guard without names, or with something that is no name, is an error when it is made", async (t) => {
  const wrong: unknown[][] = [
    [],
    [""],
    ["  "],
    [[]],
    [["org_admin"]],
    [undefined],
    [null],
    [1],
    ["a", ""],
    ["a", {}],
  ];
  await openSite(t, {
    routes: ({ auth }) => {
      for (const guard of [
        auth.requireOrganization,
        auth.requireRole,
        auth.requirePrivilege,
        auth.requireGroup,
      ]) {
        for (const names of wrong) {
          const make = () => guard(...(names as string[]));
          assert.throws(make, { name: "TypeError", message: /at least one name/ }, JSON.stringify(names));
        }
        guard("a", "b");
      }
    },
  });
});

test("with ALLOWED_ORGS, the proxy lets a member in whose profile and token are to be refreshed", async (t) => {
  const site = await openSite(t, { settings: { ALLOWED_ORGS: "0123456789ABCDEF" } });
  site.sandbox.settings.accessTokenSeconds = 60;
  const browser = site.browser();
  await signIn(browser, "pia_publisher");
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 10 * 60_000 + 1 });
  const self = `/proxy?${site.config.portal}/community/self?f=json`;
  for (let times = 0; times < 2; times++) {
    const response = await browser.get(self, { ...click, ...program });
    assert.equal(response.status, 200, response.body);
    assert.deepEqual(response.setCookies, []);
  }
});

function idOf({ cookies }: Browser): string {
  return (
    decodeURIComponent(cookies.get("arcgis.sid") ?? "")
      .slice(2)
      .split(".", 1)[0] ?? ""
  );
}
