import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { describe, type TestContext, test } from "node:test";
import { ArcGISIdentityManager, request as restRequest } from "@esri/arcgis-rest-request";
import express from "express";
import session from "express-session";
import {
  AuthError,
  arcgisAuth,
  requireGroup,
  requireOrganization,
  requirePrivilege,
  requireRole,
  requireSignIn,
} from "#src/index.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { fileBackend, SealedStore } from "#src/session-store.ts";
import { expireStoredToken, idOf, modes, openAuthApp, storedIdentity } from "./support/auth-app.ts";
import { Browser, typed } from "./support/browser.ts";
import { slowness } from "./support/pace.ts";
import { rawGet, sendRaw } from "./support/raw.ts";
import { callbackFor, choose, signIn } from "./support/sign-in.ts";
import { folder, secret } from "./support/temporary.ts";
import { until } from "./support/user.ts";

const json = { Accept: "application/json" };
const city = "0123456789ABCDEF";

const validOptions = () => ({
  clientId: "test-app",
  redirectUri: "http://localhost:9/authenticate",
  sessionSecret: secret(),
  encryptionKey: secret(),
});

for (const mode of modes)
  describe(`guards, ${mode} session`, () => {
    test("let through the users they name, send browsers to the sign-in, and tell programs", async (t) => {
      const app = await openAuthApp(t, {
        mode,
        routes: (host) => {
          host.get("/city", requireOrganization(city), (_req, res) => void res.send("in"));
          host.get(
            "/admins",
            requireRole("org_admin", "Fj3kQ9tWbZx7Lm2p"),
            (_req, res) => void res.send("in"),
          );
          const publish = ["portal:publisher:publishFeatures", "portal:user:createItem"];
          host.get("/publish", requirePrivilege(...publish), (_req, res) => void res.send("in"));
          host.get(
            "/trees",
            requireGroup("c0ffee21d4f84a53a7b9d7f3e1a2b3c4"),
            (_req, res) => void res.send("in"),
          );
          host.get("/anybody", requireSignIn(), (_req, res) => void res.send("in"));
        },
      });
      const paths = ["/anybody", "/city", "/admins", "/publish", "/trees"];
      const expected = {
        sandy_admin: [200, 200, 200, 200, 200],
        pia_publisher: [200, 200, 403, 200, 200],
        vik_viewer: [200, 200, 403, 403, 403],
        ned_county: [200, 403, 403, 403, 403],
        zoe_editor: [200, 200, 200, 403, 403],
      };
      for (const [username, statuses] of Object.entries(expected)) {
        const browser = app.browser();
        await signIn(browser, username);
        const found = await Promise.all(paths.map(async (path) => (await browser.get(path)).status));
        assert.deepEqual(found, statuses, username);
      }
      const visitor = app.browser();
      const { status, headers } = await visitor.get("/publish?a=b", typed);
      assert.deepEqual([status, headers.location], [302, "/sign-in?returnTo=%2Fpublish%3Fa%3Db"]);
      const program = await visitor.get("/publish", json);
      assert.equal(program.status, 401);
      assert.deepEqual(program.json(), { error: { code: "signed_out", message: "Sign in to continue." } });
      assert.equal(program.headers["cache-control"], "no-store");
      assert.equal((await visitor.post("/anybody", {}, { Accept: "text/html" })).status, 404);

      const vik = app.browser();
      await signIn(vik, "vik_viewer");
      assert.deepEqual((await vik.get("/publish", json)).json(), {
        error: {
          code: "privilege_missing",
          message: "Your role lacks a privilege for this.",
          needed: "portal:publisher:publishFeatures, portal:user:createItem",
        },
      });
      await vik.get("/publish", typed);
      const error = app.errors.at(-1) as AuthError;
      assert.ok(error instanceof AuthError);
      assert.deepEqual(
        [error.code, error.status, error.expose, error.signInUrl],
        ["privilege_missing", 403, true, "/sign-in?returnTo=%2Fpublish"],
      );
      assert.deepEqual(error.needed, ["portal:publisher:publishFeatures", "portal:user:createItem"]);
    });

    test("redirect a page visit only: a script, an image or a program gets 401 as JSON", async (t) => {
      const app = await openAuthApp(t, { mode });
      const page = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
      const status = async (headers: Record<string, string>, method = "GET") =>
        (await app.browser().send("/reports", { method, headers })).status;
      assert.equal(await status({ "Sec-Fetch-Mode": "navigate", Accept: page }), 302);
      assert.equal(await status({ Accept: page }), 302, "a browser without Fetch Metadata");
      for (const mode of ["cors", "same-origin", "no-cors"])
        for (const Accept of ["*/*", page, "image/avif,image/webp,*/*;q=0.8"])
          assert.equal(await status({ "Sec-Fetch-Mode": mode, Accept }), 401, `${mode} ${Accept}`);
      for (const headers of [{}, { Accept: "*/*" }, { Accept: "application/json" }] as Record<
        string,
        string
      >[])
        assert.equal(await status(headers), 401, JSON.stringify(headers));
      const script = { "Sec-Fetch-Mode": "cors", Accept: "*/*" };
      const { error } = (await app.browser().get("/reports", script)).json() as { error: { code: string } };
      assert.equal(error.code, "signed_out");
    });

    test("work before the mount and outside its path", async (t) => {
      const app = await openAuthApp(t, {
        mode,
        mount: "/gis",
        before: (host, auth) =>
          host.get("/early", auth.requireSignIn(), (req, res) => void res.send(req.arcgis.user?.username)),
        routes: (host, auth) =>
          host.get("/late", auth.requireSignIn(), (req, res) => void res.send(req.arcgis.user?.username)),
      });
      const browser = app.browser();
      assert.equal((await browser.get("/early")).headers.location, "/gis/sign-in?returnTo=%2Fearly");
      const { headers } = await signIn(browser, "sandy_admin", "/gis/sign-in");
      assert.equal(headers.location, "/gis/");
      assert.equal((await browser.get("/early")).body, "sandy_admin");
      assert.equal((await browser.get("/late")).body, "sandy_admin");
      assert.deepEqual([...browser.cookies.keys()], ["arcgis.sid.gis"]);
      assert.equal((await browser.get("/sign-in")).status, 404, "a host's own /sign-in stays its own");
      assert.equal(
        (await browser.get("/gis/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" })).headers.location,
        "/gis/",
      );
      assert.equal((await browser.get("/late")).status, 302);
    });

    test("a profile that is old is asked for again, and counts for a day while the portal is down", async (t) => {
      const app = await openAuthApp(t, {
        mode,
        routes: (host) => host.get("/admins", requireRole("org_admin"), (_req, res) => void res.send("in")),
      });
      const browser = app.browser();
      await signIn(browser, "sandy_admin");
      const age = (ms: number) =>
        app.auth.store.update(idOf(browser), (data) => {
          (
            data as unknown as { arcgisSignIn: { user: { fetchedAt: number } } }
          ).arcgisSignIn.user.fetchedAt -= ms;
        });
      const asked = () => app.sandbox.log.filter(({ endpoint }) => endpoint === "self").length;
      assert.equal((await browser.get("/admins")).status, 200);
      assert.equal(asked(), 1);
      await age(11 * 60_000);
      app.sandbox.faults.set("self", { kind: "status", status: 503 });
      assert.equal((await browser.get("/admins")).status, 200);
      assert.equal((await browser.get("/admins")).status, 200);
      assert.equal(asked(), 2, "not at every request");
      await age(86_400_000);
      assert.equal((await browser.get("/admins")).status, 502);
      app.sandbox.faults.clear();
      const sandy = app.sandbox.users.find(({ username }) => username === "sandy_admin");
      if (sandy) sandy.role = "org_user";
      assert.equal((await browser.get("/admins")).status, 403);
    });
  });

describe("guards", () => {
  test("without names are an error when they are made", () => {
    for (const make of [requireOrganization, requireRole, requirePrivilege, requireGroup]) {
      assert.throws(() => make(), { name: "TypeError", message: /at least one name/ });
      assert.throws(() => make(""), TypeError);
      assert.throws(() => make(undefined as never), TypeError);
    }
    assert.equal(typeof requireSignIn(), "function");
  });

  test("allowedOrganizations binds every guard, and the sign-in itself", async (t) => {
    const app = await openAuthApp(t);
    const ned = app.browser();
    await signIn(ned, "ned_county");
    const { clientId, portal, sessionSecret, encryptionKey, redirectUri } = app.options;
    const auth = arcgisAuth({
      clientId,
      portal,
      sessionSecret,
      encryptionKey,
      redirectUri,
      store: app.auth.store,
      allowedOrganizations: [city],
    });
    t.after(() => auth.close());
    const host = express();
    host.use(auth);
    const guards = [
      auth.requireSignIn(),
      auth.requireRole("org_user"),
      auth.requireGroup("9e107d9d372bb6826bd81d3542a419d6"),
      auth.requireOrganization("FEDCBA9876543210"),
      auth.requirePrivilege("portal:user:createItem"),
    ];
    for (const [index, guard] of guards.entries())
      host.get(`/${index}`, guard, (_req, res) => void res.send("in"));
    const server = host.listen(0, "127.0.0.1");
    t.after(() => void server.close().closeAllConnections());
    await once(server, "listening");
    const url = `http://localhost:${(server.address() as { port: number }).port}`;
    const browser = new Browser(url, ned.cookies);
    for (const index of guards.keys()) {
      const response = await browser.get(`/${index}`, json);
      assert.equal(response.status, 403, String(index));
      assert.equal((response.json() as { error: { code: string } }).error.code, "organization_not_allowed");
    }
    const callback = new URL(await callbackFor(browser, "ned_county"));
    const refused = await browser.get(callback.pathname + callback.search, json);
    assert.equal(refused.status, 403);
    assert.equal(app.sandbox.revoked.length, 1);
    app.sandbox.faults.set("self", { kind: "status", status: 503, times: 1 });
    const unknown = new URL(await callbackFor(browser, "sandy_admin"));
    assert.equal(
      (await browser.get(unknown.pathname + unknown.search, json)).status,
      502,
      "the user is not known",
    );
  });

  test("of the package need exactly one arcgisAuth in front of them, and say so", async (t) => {
    const app = await openAuthApp(t, {
      before: (host) => host.get("/early", requireSignIn(), (_req, res) => void res.send("in")),
    });
    const { status, body } = await app.browser().get("/early", json);
    assert.equal(status, 500);
    assert.equal((JSON.parse(body) as { error: { code: string } }).error.code, "not_mounted");
    const error = app.errors.at(-1) as AuthError;
    assert.match(error.message, /app\.use\(auth\) first/);
    assert.equal(error.expose, false);
  });
});

describe("several mounts", () => {
  for (const mode of modes)
    test(`OA-7 OA-14 share a store, and are signed in to apart, ${mode} session`, async (t) => {
      const countyUri = "http://localhost:9/portals/county/authenticate";
      const county = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [countyUri] }] });
      t.after(() => county.close());
      const store = new SealedStore({ backend: fileBackend(folder(t)), encryptionKey: secret() });
      t.after(() => store.close());
      const shared = {
        store,
        sessionSecret: secret(),
        shareSession: mode === "shared",
        ...(mode === "shared" && { cookieName: "arcgis.sid" }),
      };
      const app = await openAuthApp(t, {
        auth: { ...shared, basePath: "" },
        routes: (host, auth) => {
          const second = arcgisAuth({
            ...validOptions(),
            ...shared,
            portal: county.url,
            sessionKey: "arcgis:county",
            redirectUri: countyUri,
          });
          t.after(() => second.close());
          host.use(second);
          host.get("/one", auth.requireSignIn(), (req, res) => void res.send(req.arcgis.user?.username));
          host.get("/two", second.requireSignIn(), (req, res) => void res.send(req.arcgis.user?.username));
          host.get("/free", requireSignIn(), (_req, res) => void res.send("in"));
        },
      });
      const browser = app.browser();
      await signIn(browser, "sandy_admin");
      assert.equal((await browser.get("/one")).body, "sandy_admin");
      assert.equal((await browser.get("/two")).headers.location, "/portals/county/sign-in?returnTo=%2Ftwo");
      const { headers } = await browser.get("/portals/county/sign-in");
      const { pathname, search } = new URL(
        await choose(String(headers.location), { username: "ned_county" }),
      );
      assert.equal((await browser.get(`/authenticate${search}`)).status, 400, "not by the other mount");
      assert.equal((await browser.get(pathname + search)).status, 303);
      assert.equal((await browser.get("/one")).body, "sandy_admin");
      assert.equal((await browser.get("/two")).body, "ned_county");
      assert.match((await browser.get("/free", json)).body, /not_mounted/);
      assert.match((app.errors.at(-1) as AuthError).message, /behind several arcgisAuth/);
      await browser.get("/portals/county/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
      assert.equal((await browser.get("/one")).body, "sandy_admin");
      assert.equal((await browser.get("/two")).status, 302);
      assert.equal((await store.admin.names()).length, 1);
    });

  test("that share a session need a property each", (t) => {
    const store = new SealedStore({ backend: fileBackend(folder(t)), encryptionKey: secret() });
    const options = { ...validOptions(), store, shareSession: true };
    const first = arcgisAuth(options);
    assert.throws(() => arcgisAuth(options), /sessionKey: "arcgis" is in use/);
    const second = arcgisAuth({ ...options, sessionKey: "arcgis:county" });
    for (const auth of [first, second]) auth.close();
    store.close();
  });
});

describe("authErrorHandler", () => {
  /** The routes fail with what is set; returns what goes to stderr for one request. */
  async function logOf(t: TestContext, error: unknown, env = "development") {
    const app = await openAuthApp(t, {
      before: (host) => host.set("env", env),
      routes: (host) => host.get("/fails", () => Promise.reject(error)),
    });
    const log = t.mock.method(console, "error", () => {});
    const { body } = await app.browser().get("/fails", json);
    log.mock.restore();
    return { body, lines: log.mock.calls.map(({ arguments: given }) => given.join(" ")) };
  }

  test("writes the reason of a 5xx to stderr, with its causes, and not into the response", async (t) => {
    const cause = new AuthError("portal_unreachable", { cause: "HTTP 503" });
    const { body, lines } = await logOf(t, new AuthError("not_mounted", { message: "no callback", cause }));
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? "",
      /^AuthError: no callback\n +at .*\n\[cause\]: AuthError: .*\[cause\]: HTTP 503$/s,
    );
    assert.doesNotMatch(body, /no callback|HTTP 503/);
  });

  test("writes nothing for a 4xx, with env test, and for errors that are not ours", async (t) => {
    assert.deepEqual((await logOf(t, new AuthError("csrf"))).lines, []);
    assert.deepEqual((await logOf(t, new AuthError("not_mounted"), "test")).lines, []);
    assert.deepEqual((await logOf(t, new Error("of the app"))).lines, []);
  });

  test("LG-1 writes no property of a cause, such as the arguments of a Redis command", async (t) => {
    const cause = Object.assign(new Error("READONLY"), { command: { args: [secret()] } });
    const { lines } = await logOf(t, new AuthError("store_unavailable", { cause }));
    assert.match(lines[0] ?? "", /\[cause\]: Error: READONLY/);
    assert.ok(!lines[0]?.includes(cause.command.args[0] as string));
  });
});

describe("the options", () => {
  test("a portal that is not the URL of its REST API is an error that shows one", () => {
    for (const portal of ["https://gis.example.com/portal", "https://www.arcgis.com", "https://a.b/sharing"])
      for (const name of ["portal", "portalServerUrl"])
        assert.throws(() => arcgisAuth({ ...validOptions(), [name]: portal }), {
          name: "TypeError",
          message: `arcgisAuth:\n- ${name}: must end in /sharing/rest, such as https://gis.example.com/portal/sharing/rest`,
        });
    for (const portal of ["https://a.b/sharing/rest", "https://a.b/portal/sharing/rest/"])
      void arcgisAuth({ ...validOptions(), portal }).close();
  });

  test("a required one that the environment does not have is an error that names it, a secret with a way to make one", () => {
    const { A: missing } = process.env as { A?: string };
    assert.throws(
      () =>
        arcgisAuth({
          clientId: missing,
          redirectUri: missing,
          sessionSecret: missing,
          encryptionKey: missing,
        }),
      ({ message }: Error) => {
        const problems = message.split("\n- ").slice(1);
        const names = new Set(problems.map((problem) => problem.split(":")[0]));
        assert.deepEqual([...names].sort(), ["clientId", "encryptionKey", "redirectUri", "sessionSecret"]);
        assert.match(message, /sessionSecret: .*: node -p "crypto\.randomBytes/);
        return true;
      },
    );
  });
});

describe("an app with the library in it", () => {
  test("a mount that does not fit is an error that says why", async (t) => {
    const app = await openAuthApp(t, {
      mount: "/gis",
      auth: { redirectUri: "http://localhost:9/authenticate" },
    });
    assert.equal((await app.browser().get("/gis/sign-in")).status, 500);
    assert.match(
      (app.errors.at(-1) as AuthError).message,
      /mounted at "\/gis", and the callback \/authenticate is not below it/,
    );
    const unshared = await openAuthApp(t, {
      auth: { shareSession: true },
      before: (host) => host.use(session({ secret: "x", resave: false, saveUninitialized: false })),
    });
    assert.equal((await unshared.browser().get("/")).status, 500);
    assert.match(
      (unshared.errors.at(-1) as AuthError).message,
      /session\(auth\.sessionOptions\).*another store/,
    );
  });

  for (const changed of [{ name: "mine" }, { secret: secret() }])
    test(`shareSession with another ${Object.keys(changed)} of session() is an error for a user, and says why`, async (t) => {
      const app = await openAuthApp(t, {
        auth: { shareSession: true },
        before: (host, auth) => host.use(session({ ...auth.sessionOptions, ...changed })),
      });
      const browser = app.browser();
      assert.equal((await browser.get("/")).status, 200);
      await signIn(browser);
      assert.equal((await browser.get("/")).status, 500);
      assert.match((app.errors.at(-1) as AuthError).message, /another name or secret$/);
    });

  test("OA-12 a mount in another spelling is the same mount, and an odd request target is no fault", async (t) => {
    const app = await openAuthApp(t, { mount: "/gis" });
    const browser = app.browser();
    const { search } = new URL(
      await callbackFor(browser, "sandy_admin", "/GIS/Sign-In?returnTo=/GIS/SIGN-OUT"),
    );
    const { status, headers } = await browser.get(`/Gis/AUTHENTICATE/${search}`);
    assert.deepEqual([status, headers.location], [303, "/gis/"]);
    const below = await openAuthApp(t, { auth: { basePath: "/gis" } });
    for (const target of ["//", "///", "//gis", "/gis//", "http://"]) {
      const { status } = await sendRaw(below.url, rawGet(target, "Host: localhost"));
      assert.ok(status < 500, `${status} for ${target}`);
    }
  });

  test("a base path is relative to the mount, and proxyPrefix is what a proxy has removed", async (t) => {
    const mounted = await openAuthApp(t, { mount: "/gis", auth: { basePath: "" } });
    const browser = mounted.browser();
    assert.equal((await signIn(browser, "sandy_admin", "/gis/sign-in")).headers.location, "/gis/");
    assert.equal((await browser.get("/reports")).body, "reports for sandy_admin");

    const app = await openAuthApp(t, {
      auth: { redirectUri: "http://localhost:9/gis/authenticate", proxyPrefix: "/gis" },
    });
    const behind = app.browser();
    const { headers } = await behind.get("/sign-in?returnTo=/gis/reports");
    const callback = new URL(await choose(String(headers.location), { username: "sandy_admin" }));
    const { pathname, search } = callback;
    assert.equal((await behind.get(pathname.slice("/gis".length) + search)).headers.location, "/gis/reports");
    assert.match((await app.browser().get("/reports")).headers.location ?? "", /^\/gis\/sign-in\?/);
  });

  test("keeps its own session, whatever its store, beside an own sign-in", async (t) => {
    const app = await openAuthApp(t, {
      before: (host) => {
        host.use(session({ name: "host", secret: "x", resave: false, saveUninitialized: false }));
        host.get("/count", (req, res) => {
          const mine = req.session as unknown as { count?: number };
          mine.count = (mine.count ?? 0) + 1;
          res.send(String(mine.count));
        });
      },
    });
    const browser = app.browser();
    await browser.get("/count");
    await signIn(browser);
    assert.equal((await browser.get("/count")).body, "2");
    await browser.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
    assert.equal((await browser.get("/count")).body, "3");
  });

  test("SE-1 in a shared session its data moves to the new id, and stays after a sign-out", async (t) => {
    const app = await openAuthApp(t, {
      mode: "shared",
      routes: (host) =>
        host.get("/count", (req, res) => {
          const mine = req.session as unknown as { count?: number };
          mine.count = (mine.count ?? 0) + 1;
          res.send(String(mine.count));
        }),
    });
    const browser = app.browser();
    await browser.get("/count");
    const before = idOf(browser);
    await signIn(browser);
    assert.notEqual(idOf(browser), before);
    assert.equal((await browser.get("/count")).body, "2");
    await browser.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
    assert.equal((await browser.get("/count")).body, "3");
    assert.equal((await browser.get("/reports")).status, 302);
    assert.equal(app.files().length, 1);
  });

  test("SE-1 onSignOut can remove the app's data from a shared session", async (t) => {
    const app = await openAuthApp(t, {
      auth: {
        shareSession: true,
        onSignOut: ({ req }) => void delete (req.session as unknown as { cart?: string } | undefined)?.cart,
      },
      routes: (host) => {
        host.get("/add", (req, res) => {
          Object.assign(req.session, { cart: "book", language: "en" });
          res.end();
        });
        host.get("/mine", (req, res) => void res.json(req.session));
      },
    });
    const browser = app.browser();
    await signIn(browser);
    await browser.get("/add");
    await browser.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
    const { cookie: _, ...data } = (await browser.get("/mine")).json() as Record<string, unknown>;
    assert.deepEqual(data, { language: "en" });
    await signIn(browser);
    await browser.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
    assert.deepEqual(
      app.events.filter(({ type }) => type === "hook-failed"),
      [],
    );
  });

  test("TK-5 a full disk keeps no user signed in", async (t) => {
    const app = await openAuthApp(t, { mode: "shared" });
    const browser = app.browser();
    await signIn(browser);
    const { refreshToken } = await storedIdentity(app, browser);
    t.mock.method(app.auth.store, "update", () => Promise.reject(new AuthError("store_unavailable")));
    const { status } = await browser.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
    assert.equal(status, 303);
    assert.deepEqual(app.files(), []);
    assert.deepEqual(app.sandbox.revoked, [refreshToken]);
  });

  for (const mode of modes)
    test(`reads a sign-in in front of session(), on upgrades, and never for another user, ${mode} session`, async (t) => {
      const app = await openAuthApp(t, {
        mode,
        before: (host, auth) => {
          host.get(
            "/hot",
            auth.readOnly,
            (req, res) =>
              void res.json({ name: req.arcgis.user?.fullName ?? null, session: req.session !== undefined }),
          );
        },
      });
      app.server.on("upgrade", async (req, socket) => {
        const identity = await app.auth.identityOf(req);
        socket.end(
          `HTTP/1.1 ${identity ? 101 : 401} x\r\nX-User: ${identity?.username}\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n`,
        );
      });
      const upgrade = async (browser: Browser) => {
        const Cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
        const outgoing = request(app.url, { headers: { Connection: "Upgrade", Upgrade: "x", Cookie } }).end();
        const [response] = await Promise.race([once(outgoing, "upgrade"), once(outgoing, "response")]);
        return [response.statusCode, response.headers["x-user"]];
      };
      const browser = app.browser();
      assert.deepEqual((await browser.get("/hot")).json(), { name: null, session: false });
      assert.deepEqual(await upgrade(browser), [401, "undefined"]);
      await signIn(browser);
      const hot = await browser.get("/hot");
      assert.deepEqual(hot.json(), { name: "Sandy Boxwell", session: false });
      assert.deepEqual(hot.setCookies, []);
      assert.deepEqual(await upgrade(browser), [101, "sandy_admin"]);
      app.sandbox.expireRefreshTokens();
      await expireStoredToken(app, browser);
      assert.deepEqual((await browser.get("/hot")).json(), { name: null, session: false });
      assert.deepEqual(await upgrade(browser), [401, "undefined"]);
    });

  test("uses ArcGIS REST JS with the identity, and tokens go to the portal and its servers alone", async (t) => {
    const app = await openAuthApp(t, {
      routes: (host) => {
        host.get("/self", async (req, res) => {
          const identity = await req.arcgis.identity();
          assert.ok(identity instanceof ArcGISIdentityManager);
          const self = await restRequest(`${identity.portal}/community/self`, {
            authentication: identity,
            request: req.arcgis.request,
          } as never);
          res.send(self.fullName);
        });
        host.get(
          "/token-for",
          async (req, res) => void res.send(await req.arcgis.tokenFor(String(req.query.url))),
        );
      },
    });
    const browser = app.browser();
    await signIn(browser);
    assert.equal((await browser.get("/self")).body, "Sandy Boxwell");
    app.sandbox.expireAccessTokens();
    assert.equal((await browser.get("/self")).body, "Sandy Boxwell", "one refresh, one retry");
    assert.equal(app.grants("refresh_token"), 1);
    const { token } = await storedIdentity(app, browser);
    const tokenFor = (url: string) => browser.get(`/token-for?url=${encodeURIComponent(url)}`, json);
    assert.equal((await tokenFor(`${app.sandbox.url}/community/self`)).body, token);
    const layer = String(app.sandbox.layers[0]);
    const forServer = await tokenFor(layer);
    assert.equal(forServer.status, 200);
    assert.notEqual(forServer.body, token);
    assert.equal((await tokenFor(layer)).body, forServer.body, "it is kept");
    const { origin } = app.sandbox;
    const evil = [
      `${origin}.evil.example/portal/sharing/rest`,
      `https://evil.example/?${app.sandbox.url}`,
      `${app.sandbox.url}/%2e%2e/%2e%2e/x`,
      `${app.sandbox.url}/..%2f..%2fx`,
      `${app.sandbox.url}/%252e%252e%252fx`,
      app.sandbox.url.replace("/sharing", "x/sharing"),
      `${origin}/`,
      "http://user@127.0.0.1/rest/services",
      "https://services.arcgis.com/x/rest/services",
      "javascript:alert(1)",
      `https://evil.example/${"x".repeat(9_000)}`,
    ];
    const asked = app.sandbox.log.length;
    for (const url of evil) {
      const response = await tokenFor(url);
      assert.ok([403, 502, 504].includes(response.status), `${response.status} ${url}`);
    }
    assert.ok(app.sandbox.log.slice(asked).every(({ params }) => params.token === undefined));
  });

  test("TK-7 a server that claims to be federated, and one whose response is hostile, get nothing", async (t) => {
    const app = await openAuthApp(t, {
      routes: (host) =>
        host.get(
          "/token-for",
          async (req, res) => void res.send(await req.arcgis.tokenFor(String(req.query.url))),
        ),
    });
    const browser = app.browser();
    await signIn(browser);
    let owner: unknown = app.sandbox.url.replace("/sharing/rest", "");
    const claims: unknown[] = [];
    const server = express();
    server.use((req, res) => {
      claims.push(req.headers);
      res.json({ owningSystemUrl: owner });
    });
    const listening = server.listen(0, "127.0.0.1");
    t.after(() => void listening.close().closeAllConnections());
    await once(listening, "listening");
    const { port } = listening.address() as { port: number };
    const ask = (path = "/arcgis/rest/services/x") =>
      browser.get(`/token-for?url=${encodeURIComponent(`http://127.0.0.1:${port}${path}`)}`, json);
    let servers = 0;
    // The portal itself does not know that server.
    assert.notEqual((await ask()).status, 200);
    for (owner of [
      "/".repeat(60_000),
      "x".repeat(60_000),
      "x".repeat(70_000), // is not read to its end
      { a: 1 },
      null,
      "https://www.arcgis.com",
      `${app.sandbox.origin}/portal${"/x".repeat(4_000)}`,
    ]) {
      const begin = performance.now();
      servers += 1;
      assert.equal((await ask(`/gis${servers}/rest/services/x`)).status, 403);
      assert.ok(performance.now() - begin < 1_000 * slowness());
    }
    assert.equal((await ask("/gis1/%72est/services")).status, 403, "the decoded path is judged");
    assert.doesNotMatch(JSON.stringify(claims), /Bearer/);
  });

  test("hooks: onSignIn refuses before there is a session, onSignOut comes after its end", async (t) => {
    const seen: string[] = [];
    const app = await openAuthApp(t, {
      auth: {
        onSignIn: ({ user, identity }) => {
          seen.push(`in ${user.fullName} ${identity.username}`);
          if (user.username === "vik_viewer") throw Object.assign(new Error("not you"), { status: 418 });
        },
        onSignOut: ({ user }) => {
          seen.push(`out ${user.username}`);
          throw new Error("too late");
        },
      },
    });
    const vik = app.browser();
    const refused = await signIn(vik, "vik_viewer");
    assert.deepEqual([refused.status, refused.body], [418, "host: not you"]);
    assert.equal(app.sandbox.revoked.length, 1);
    assert.equal(app.files().length, 0);
    const sandy = app.browser();
    await signIn(sandy);
    assert.equal((await sandy.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" })).status, 303);
    assert.deepEqual(seen, ["in Vik Rao vik_viewer", "in Sandy Boxwell sandy_admin", "out sandy_admin"]);
    assert.deepEqual(
      app.events.map(({ type }) => type),
      [
        "sign-in-started",
        "revoke",
        "sign-in-failed",
        "sign-in-started",
        "sign-in",
        "revoke",
        "sign-out",
        "hook-failed",
      ],
    );
    assert.deepEqual(app.events.map(({ username }) => username).filter(Boolean), [
      "vik_viewer",
      "sandy_admin",
      "sandy_admin",
      "sandy_admin",
    ]);
  });

  test("errors of others pass, JSON clients get JSON, and a page of its own asks before signing out", async (t) => {
    const app = await openAuthApp(t, {
      auth: {
        confirmSignOut: (req, res) =>
          void res.send(`Really, ${req.arcgis.user?.fullName}? ${req.arcgis.signOutForm()}`),
      },
      routes: (host) =>
        host.get("/teapot", () => {
          throw Object.assign(new Error("short and stout"), { status: 418 });
        }),
    });
    const browser = app.browser();
    assert.deepEqual(
      [(await browser.get("/teapot")).status, (await browser.get("/teapot")).body],
      [418, "host: short and stout"],
    );
    assert.deepEqual((await browser.get("/authenticate", json)).json(), {
      error: {
        code: "callback_malformed",
        message: "This sign-in cannot be finished: the portal's response is incomplete. Sign in again.",
      },
    });
    await signIn(browser);
    assert.match(
      (await browser.get("/sign-out", typed)).body,
      /^Really, Sandy Boxwell\? <form method="post" action="\/sign-out">/,
    );
  });

  test("TK-5 a revocation waits until the refresh token expires, and no longer", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    const app = await openAuthApp(t);
    app.sandbox.settings.refreshTokenSeconds = 600;
    app.sandbox.faults.set("revokeToken", { kind: "status", status: 503 });
    const browser = app.browser();
    await signIn(browser);
    await browser.get("/sign-out", { ...typed, "Sec-Fetch-Site": "same-origin" });
    t.mock.timers.tick(599_000);
    assert.equal(await app.auth.revokePending(), 1);
    t.mock.timers.tick(1_000);
    assert.equal(await app.auth.revokePending(), 0);
    assert.deepEqual(app.sandbox.revoked, []);
  });

  test("TK-5 a token that was queued twice is revoked and counted once, and simultaneous retries share one run", async (t) => {
    const app = await openAuthApp(t);
    const item = {
      portal: app.sandbox.url,
      clientId: "test-app",
      username: "sandy_admin",
      token: "x".repeat(40),
      until: Date.now() + 60_000,
    };
    app.sandbox.faults.set("revokeToken", { kind: "status", status: 503 });
    await app.auth.store.admin.changePending(() => [item, item]);
    assert.deepEqual(await Promise.all([app.auth.revokePending(), app.auth.revokePending()]), [1, 1]);
    assert.equal(app.sandbox.log.filter(({ endpoint }) => endpoint === "revokeToken").length, 1);
    app.sandbox.faults.clear();
    assert.equal(await app.auth.revokePending(), 0);
  });

  test("TK-7 the portal's token is for what is below its /sharing, and for no other path of its host", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    await signIn(browser, "sandy_admin");
    const identity = await storedIdentity(app, browser);
    const { url } = app.sandbox;
    const home = url.replace(/\/sharing\/rest$/, "");
    for (const own of [url, `${url}/community/self`, `${home}/sharing/servers/x`])
      assert.equal(await identity.getToken(own), identity.token, own);
    for (const other of [home, `${home}/other`, `${home}/sharingx`, new URL("/other", url).href])
      await assert.rejects(identity.getToken(other), { code: "untrusted_url" }, other);
  });

  test("TK-10 close() queues what is not revoked yet at once, before it waits for anything", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    await signIn(browser, "sandy_admin");
    app.sandbox.faults.set("revokeToken", { kind: "hang" });
    void app.auth.revoke(await storedIdentity(app, browser));
    const { mock } = t.mock.method(app.auth.store.admin, "changePending");
    const closed = app.auth.close();
    assert.equal(mock.callCount(), 1);
    await closed;
  });

  test("close() waits for a revocation that is in progress, or queues it", async (t) => {
    const app = await openAuthApp(t);
    const browser = app.browser();
    await signIn(browser, "sandy_admin");
    const { refreshToken } = await storedIdentity(app, browser);
    app.sandbox.faults.set("revokeToken", { kind: "status", status: 503, times: 1 });
    await signIn(browser, "vik_viewer");
    await app.auth.close();
    const next = await openAuthApp(t, {
      dir: app.dir,
      sandbox: app.sandbox,
      auth: { sessionSecret: app.options.sessionSecret, encryptionKey: app.options.encryptionKey },
    });
    await until(() => next.sandbox.revoked.includes(refreshToken), "the next process revokes it");
  });
});

describe("options", () => {
  test("are all checked when arcgisAuth is made, without repeating a secret", () => {
    const wrong = {
      clientId: 1,
      redirectUri: "http://example.com/authenticate",
      sessionSecret: "a short secret",
      encryptionKey: [],
      portal: "https://user@gis.example.com/portal/sharing/rest",
      expiration: -1,
      basePath: "gis/",
      cookieName: "my cookie",
      allowedOrganizations: [],
      store: {},
      nonsense: true,
    };
    assert.throws(
      () => arcgisAuth(wrong as never),
      (error: Error) => {
        for (const name of Object.keys(wrong)) assert.match(error.message, new RegExp(`^- ${name}: `, "m"));
        assert.doesNotMatch(error.message, /a short secret/);
        return error instanceof TypeError;
      },
    );
  });

  test("that are undefined are as good as left out", async (t) => {
    const app = await openAuthApp(t, {
      auth: {
        pkce: undefined,
        expiration: undefined,
        idleSeconds: undefined,
        maxSeconds: undefined,
        allowedOrganizations: undefined,
        basePath: undefined,
        cookieName: undefined,
        store: undefined,
      },
    });
    const browser = app.browser();
    await signIn(browser);
    assert.equal((await browser.get("/reports")).status, 200);
    assert.equal(app.auth.store.lifetimes.maxSeconds, 2_592_000);
  });
});
