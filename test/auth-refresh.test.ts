import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ArcGISIdentityManager, request as theirRequest } from "@esri/arcgis-rest-request";
import { AuthError } from "#src/index.ts";
import {
  type AuthApp,
  expireStoredToken,
  idOf,
  modes,
  openAuthApp,
  storedIdentity,
} from "./support/auth-app.ts";
import { signedIn } from "./support/auth-refresh.ts";
import { type Browser, click } from "./support/browser.ts";
import { clock, stopClock } from "./support/clock.ts";
import { until } from "./support/user.ts";

const json = { Accept: "application/json" };

/** The next refresh exchanges the refresh token, as in its last day. */
async function nearEnd(app: AuthApp, browser: Browser): Promise<void> {
  await expireStoredToken(app, browser);
  await app.auth.store.update(idOf(browser), ({ arcgis }) => {
    Object.assign(arcgis ?? {}, { refreshTokenExchangeFrom: new Date(Date.now() - 1_000) });
  });
}

for (const mode of modes)
  describe(`refresh, ${mode} session`, () => {
    test("TK-1 twenty requests of one session wait for one refresh, and all get its token", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = await signedIn(app);
      await expireStoredToken(app, browser);
      const responses = await Promise.all(Array.from({ length: 20 }, () => browser.get("/token")));
      const tokens = new Set(responses.map(({ body }) => body));
      assert.equal(tokens.size, 1);
      assert.equal(app.grants("refresh_token"), 1);
      assert.equal((await storedIdentity(app, browser)).token, JSON.parse([...tokens][0] ?? "").token);
    });

    test("TK-2 an exchange happens once, and is stored before anyone uses it", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = await signedIn(app);
      await nearEnd(app, browser);
      const before = await storedIdentity(app, browser);
      const responses = await Promise.all(Array.from({ length: 5 }, () => browser.get("/token")));
      assert.ok(responses.every(({ status }) => status === 200));
      assert.equal(app.grants("exchange_refresh_token"), 1);
      assert.notEqual((await storedIdentity(app, browser)).refreshToken, before.refreshToken);
      assert.equal((await browser.get("/token")).status, 200);
    });

    test("TK-6 SE-9 tokens that arrive after a sign-out are revoked, and bring nothing back", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = await signedIn(app);
      const { form: csrf_token } = (await browser.get("/")).json() as { form: string };
      await nearEnd(app, browser);
      const { refreshToken } = await storedIdentity(app, browser);
      let goOn = () => {};
      const signedOut = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const { update } = app.auth.store;
      const saving = t.mock.method(app.auth.store, "update", async (...args: Parameters<typeof update>) => {
        await signedOut;
        return update.apply(app.auth.store, args);
      });
      const slow = browser.get("/token", json);
      await until(() => saving.mock.callCount() === 1, "the new tokens are about to be stored");
      saving.mock.restore();
      const begin = performance.now();
      await browser.copy().post("/sign-out", { csrf_token });
      // It would be waited for for 20 s.
      assert.ok(performance.now() - begin < 15_000, "sign-out does not wait for the refresh");
      goOn();
      assert.equal((await slow).status, 401);
      assert.equal(app.files().length, 0);
      // The first was exchanged, so the sandbox counts the second one only.
      assert.equal(app.sandbox.revoked.length, 1);
      assert.notEqual(app.sandbox.revoked[0], refreshToken);
    });

    test("TK-6 sign-out revokes the newest tokens, not those that its request came with", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = await signedIn(app);
      const { form } = (await browser.get("/")).json() as { form: string };
      await nearEnd(app, browser);
      const body = new URLSearchParams({ csrf_token: form }).toString();
      const cookies = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = {
        ...click,
        Cookie: cookies,
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": body.length,
      };
      const signOut = request(`${app.url}/sign-out`, { method: "POST", headers });
      const responded = once(signOut, "response");
      const touched = t.mock.method(app.auth.store, mode === "own" ? "readParts" : "get");
      signOut.write(body.slice(0, 5));
      await until(() => touched.mock.callCount() === 1, "the session of the request was read");
      await sleep(50);
      await browser.get("/token");
      const { refreshToken } = await storedIdentity(app, browser);
      signOut.end(body.slice(5));
      await responded;
      assert.deepEqual(app.sandbox.revoked, [refreshToken]);
      assert.deepEqual(app.files(), []);
    });

    test("TK-4 a rejected refresh token ends the session: 401 with a sign-in link, and a redirect from a guard", async (t) => {
      const app = await openAuthApp(t, { mode });
      const bodies = [
        '{"error":{"code":498,"error":"invalid_request","error_description":"refresh_token expired","message":"x"}}',
        '{"error":{"code":400,"error":"invalid_grant","message":"x"}}',
        '{"error":"invalid_grant"}',
      ];
      for (const body of bodies) {
        const [browser, guarded] = [await signedIn(app), await signedIn(app)];
        await expireStoredToken(app, browser);
        await expireStoredToken(app, guarded);
        app.sandbox.faults.set("token", { kind: "body", body, times: 2 });
        const { status, body: page } = await browser.get("/token", { Accept: "text/html" });
        assert.equal(status, 401);
        assert.match(page, /<a href="\/sign-in\?returnTo=%2Ftoken">/);
        assert.equal((app.errors.at(-1) as AuthError).code, "session_ended");
        assert.equal((await guarded.get("/reports")).headers.location, "/sign-in?returnTo=%2Freports");
      }
      assert.deepEqual(app.files(), []);
      assert.equal(app.events.filter(({ type }) => type === "refresh-rejected").length, 6);
    });

    test("TK-4 a session that ends in a function of ArcGIS REST JS has a sign-in link, and no user afterwards", async (t) => {
      const users: unknown[] = [];
      const app = await openAuthApp(t, {
        mode,
        routes: (host) =>
          host.get("/self", async (req, res) => {
            const authentication = await req.arcgis.identity();
            const send = req.query.theirs ? theirRequest : req.arcgis.request;
            const url = `${authentication.portal}/community/self`;
            res.json(
              await send(url, { authentication }).finally(() => void users.push(req.arcgis.user?.username)),
            );
          }),
      });
      for (const path of ["/self", "/self?theirs=1"]) {
        const browser = await signedIn(app);
        assert.equal((await browser.get(path, json)).status, 200);
        app.sandbox.expireAccessTokens();
        app.sandbox.expireRefreshTokens();
        const { status, body } = await browser.get(path, { Accept: "text/html" });
        assert.equal(status, 401, body);
        const { code, signInUrl } = app.errors.at(-1) as AuthError;
        assert.deepEqual(
          [code, signInUrl],
          ["session_ended", `/sign-in?returnTo=${encodeURIComponent(path)}`],
        );
        assert.match(body, /<a href="\/sign-in\?/);
      }
      assert.deepEqual(users, ["sandy_admin", undefined, "sandy_admin", undefined]);
    });

    test("SE-8 CK-7 an exchanged refresh token prolongs the cookie", async (t) => {
      const app = await openAuthApp(t, { mode });
      app.sandbox.settings.refreshTokenSeconds = 2 * 86_400;
      const browser = await signedIn(app);
      await nearEnd(app, browser);
      app.sandbox.settings.refreshTokenSeconds = 20 * 86_400;
      // The sandbox gives the replacing token the life of the one it replaces; this one lives longer.
      await app.auth.store.update(idOf(browser), ({ arcgis, ...rest }) => {
        Object.assign(arcgis ?? {}, { tokenEndsAt: new Date(0) });
        const signIn = (rest as unknown as { arcgisSignIn: { until: number } }).arcgisSignIn;
        signIn.until -= 86_400_000;
      });
      const { setCookies } = await browser.get("/token");
      const [, expires = ""] = /Expires=([^;]+)/.exec(setCookies.join()) ?? [];
      const days = (Date.parse(expires) - Date.now()) / 86_400_000;
      assert.ok(days > 1.9 && days <= 2, `${days} days`);
      assert.deepEqual((await browser.get("/token")).setCookies, [], "once");
    });

    test("a disabled account: once the access token has expired, a guard refreshes before it passes, and not before", async (t) => {
      const app = await openAuthApp(t, { mode });
      const browser = await signedIn(app);
      const asked = app.sandbox.log.length;
      await browser.get("/reports");
      assert.equal(app.sandbox.log.length, asked, "no request while the token is valid");
      app.sandbox.expireRefreshTokens();
      assert.equal((await browser.get("/reports")).status, 200);
      await expireStoredToken(app, browser);
      assert.equal((await browser.get("/reports")).status, 302);
      assert.equal((await browser.get("/reports", json)).status, 401);
      assert.deepEqual(app.files(), []);
    });
  });

describe("refresh", () => {
  test("TK-2 SE-9 in a shared session, a late save does not put back the refresh token that an exchange has ended", async (t) => {
    let goOn: (() => void) | undefined;
    const app = await openAuthApp(t, {
      mode: "shared",
      routes: (host) => {
        host.get("/slow", async (req, res) => {
          Object.assign(req.session, { count: 7 });
          await new Promise<void>((resolve) => {
            goOn = resolve;
          });
          res.send(String(req.session.arcgis instanceof ArcGISIdentityManager));
        });
        host.get("/rest-js", async (req, res) => {
          Object.assign(req.session, { touched: Math.random() });
          await req.session.arcgis?.refreshCredentials();
          res.send(req.session.arcgis?.token);
        });
      },
    });
    const browser = await signedIn(app);
    const slow = browser.get("/slow");
    await until(() => goOn !== undefined, "the request is under way");
    await nearEnd(app, browser);
    await browser.get("/token");
    const { refreshToken } = await storedIdentity(app, browser);
    goOn?.();
    assert.equal((await slow).body, "true");
    const after = await storedIdentity(app, browser);
    assert.equal(after.refreshToken, refreshToken);
    assert.equal(((await app.auth.store.read(idOf(browser))) as unknown as { count: number }).count, 7);

    await nearEnd(app, browser);
    const token = (await browser.get("/rest-js")).body;
    const last = await storedIdentity(app, browser);
    assert.equal(last.token, token);
    assert.notEqual(last.refreshToken, refreshToken, "the exchange is what the session's own save has left");
    assert.equal((await browser.get("/token")).status, 200);
  });

  test("TK-3 the window of an exchange follows from what was granted, not from what was asked for", async (t) => {
    const app = await openAuthApp(t);
    app.sandbox.settings.refreshTokenSeconds = 3_600;
    const browser = await signedIn(app);
    await expireStoredToken(app, browser);
    await browser.get("/token");
    assert.deepEqual([app.grants("refresh_token"), app.grants("exchange_refresh_token")], [1, 0]);
    const { refreshTokenExchangeFrom } = (await storedIdentity(app, browser)) as unknown as {
      refreshTokenExchangeFrom: Date;
    };
    const minutes = (refreshTokenExchangeFrom.getTime() - Date.now()) / 60_000;
    assert.ok(minutes > 47 && minutes <= 48, `${minutes} minutes`);
  });

  test("TK-1 TK-2 two servers on one folder exchange a refresh token once, and both use what it brought", async (t) => {
    const app = await openAuthApp(t);
    const { sessionSecret, encryptionKey } = app.options;
    const second = await openAuthApp(t, {
      dir: app.dir,
      sandbox: app.sandbox,
      auth: { sessionSecret, encryptionKey, onTokens: () => void hooks.push("second") },
    });
    const hooks: string[] = [];
    const browser = await signedIn(app);
    await nearEnd(app, browser);
    const urls = Array.from({ length: 10 }, (_, index) => (index % 2 ? app.url : second.url));
    const responses = await Promise.all(urls.map((url) => browser.copy().get(`${url}/token`)));
    assert.equal(new Set(responses.map(({ body }) => body)).size, 1);
    assert.equal(app.grants("exchange_refresh_token"), 1);
    assert.equal((await browser.get("/token")).status, 200);
    const refreshed = [...app.events, ...second.events].filter(({ type }) => type === "refresh");
    assert.equal(refreshed.length, 1);
    assert.ok(hooks.length <= 1);
  });

  test("TK-4 backoff is per session: others refresh, and only trouble of several users pauses the portal", async (t) => {
    const app = await openAuthApp(t);
    const [mine, other] = [await signedIn(app, "sandy_admin"), await signedIn(app, "sandy_admin")];
    for (const browser of [mine, other]) await expireStoredToken(app, browser);
    stopClock(t);
    app.sandbox.faults.set("token", { kind: "reset", times: 1 });
    assert.equal((await mine.get("/token")).status, 502);
    const asked = app.grants("refresh_token");
    assert.equal((await mine.get("/token")).status, 502);
    assert.equal(app.grants("refresh_token"), asked, "this session waits");
    assert.equal((await other.get("/token")).status, 200, "another one does not");
  });

  test("TK-4 when several users cannot reach the portal, one request at a time probes it, and success ends the pause", async (t) => {
    const app = await openAuthApp(t);
    const pass = clock(t, { isStopped: true });
    const users = ["sandy_admin", "pia_publisher", "vik_viewer", "ned_county", "zoe_editor"];
    const browsers = await Promise.all(users.map((user) => signedIn(app, user)));
    for (const browser of browsers) await expireStoredToken(app, browser);
    const [first, second, third, fourth, fifth] = browsers as [Browser, Browser, Browser, Browser, Browser];
    app.sandbox.faults.set("token", { kind: "status", status: 503 });
    for (const browser of [first, second, third]) await browser.get("/token");
    const asked = app.grants("refresh_token");
    assert.equal(asked, 3);
    assert.equal((await fourth.get("/token")).status, 502);
    assert.equal(app.grants("refresh_token"), asked, "the portal is left alone");
    pass(2_100);
    app.sandbox.faults.set("token", { kind: "delay", ms: 1_000, times: 1 });
    const probe = fourth.get("/token");
    await until(() => app.grants("refresh_token") === asked + 1, "the portal is probed");
    assert.equal((await fifth.get("/token")).status, 502);
    assert.equal((await probe).status, 200);
    assert.equal((await fifth.get("/token")).status, 200);
  });

  test("a failing hook is an event, a slow one keeps no request waiting, and neither holds a lock", async (t) => {
    let calls = 0;
    const app = await openAuthApp(t, {
      auth: {
        onTokens: async () => {
          calls += 1;
          await sleep(50);
          throw new Error("no");
        },
      },
    });
    const browser = await signedIn(app);
    await expireStoredToken(app, browser);
    assert.equal((await browser.get("/token")).status, 200);
    await until(() => app.events.some(({ type }) => type === "hook-failed"), "the hook has failed");
    assert.equal(calls, 1);
    await expireStoredToken(app, browser);
    assert.equal((await browser.get("/token")).status, 200);
  });

  test("TK-7 a refresh token goes to the portal that issued it, and to no other", async (t) => {
    const app = await openAuthApp(t);
    const browser = await signedIn(app);
    const other = await openAuthApp(t, {
      dir: app.dir,
      auth: { sessionSecret: app.options.sessionSecret, encryptionKey: app.options.encryptionKey },
    });
    await expireStoredToken(app, browser);
    assert.equal((await browser.copy().get(`${other.url}/token`, json)).status, 401);
    assert.equal((await browser.copy().get(`${other.url}/reports`)).status, 302);
    assert.equal(other.sandbox.log.length, 0);
  });

  test("TK-2 TK-4 a store that fails after an exchange costs one sign-in, and the portal is not asked by every request", async (t) => {
    const app = await openAuthApp(t);
    const pass = clock(t, { isStopped: true });
    const browser = await signedIn(app);
    await nearEnd(app, browser);
    const failing = t.mock.method(app.auth.store, "update", () =>
      Promise.reject(new AuthError("store_unavailable")),
    );
    assert.equal((await browser.get("/token", json)).status, 503);
    for (let i = 0; i < 5; i++) assert.equal((await browser.get("/token", json)).status, 502);
    assert.equal(app.grants("exchange_refresh_token"), 1);
    failing.mock.restore();
    pass(600);
    assert.equal((await browser.get("/token", json)).status, 401, "the old tokens have ended");
    assert.equal(await app.auth.store.read(idOf(browser)), undefined);
  });

  test("TK-8 a server that rejects every token does not make us ask the portal at every request", async (t) => {
    const app = await openAuthApp(t, {
      routes: (host) =>
        host.get("/rejected", async (req, res) => {
          const url = `${req.query.portal}/community/self`;
          const token = await req.arcgis.tokenFor(url);
          res.send(String(token === (await req.arcgis.tokenFor(url, token))));
        }),
    });
    const browser = await signedIn(app);
    const path = `/rejected?portal=${encodeURIComponent(app.sandbox.url)}`;
    assert.equal((await browser.get(path)).body, "false");
    for (let i = 0; i < 5; i++) assert.equal((await browser.get(path)).body, "true");
    assert.equal(app.grants("refresh_token"), 1);
  });

  test("a store in trouble is 503 for identity(), and programming errors are not called trouble", async (t) => {
    const app = await openAuthApp(t);
    const browser = await signedIn(app);
    await expireStoredToken(app, browser);
    const lock = t.mock.method(app.auth.store, "lock", () =>
      Promise.reject(new AuthError("store_unavailable")),
    );
    assert.equal((await browser.get("/token", json)).status, 503);
    lock.mock.restore();
    await assert.rejects(
      app.auth.store.update(idOf(browser), () => {
        throw new TypeError("mine");
      }),
      { name: "TypeError", message: "mine" },
    );
    assert.equal((await browser.get("/token", json)).status, 200);
  });
});
