import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Request } from "express";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser } from "./support/browser.ts";
import { whoIs } from "./support/expect.ts";
import { freePort, startProgram } from "./support/program.ts";
import { rounds } from "./support/rounds.ts";
import { callbackFor, folder, openSite, type Site, secret, signIn } from "./support/site.ts";
import { csrfTokenOf, until } from "./support/user.ts";

const day = 24 * 60 * 60_000;

describe("signing out", () => {
  test("SE-9 a sign-out with 40 requests in flight leaves no identity in any session, every time", async (t) => {
    // What 40 routes of an app around us may be doing with the session at that moment.
    const work = {
      async save(req: Request) {
        Object.assign(req.session, { visited: secret() });
        await promisify(req.session.save.bind(req.session))();
      },
      async saveAtTheEnd(req: Request) {
        Object.assign(req.session, { visited: secret() });
      },
      async refreshTheToken(req: Request) {
        let isThere = false;
        const isStored = await site.store.update(req.sessionID, ({ arcgis }) => {
          isThere = arcgis !== undefined;
          arcgis?.updateToken(secret(), new Date(Date.now() + day));
        });
        if (isStored && isThere) refreshes.kept++;
        else refreshes.tooLate++;
      },
      async saveAfterReload(req: Request) {
        await promisify(req.session.reload.bind(req.session))().catch(() => {});
        Object.assign(req.session ?? {}, { visited: secret() });
      },
    };
    const times = rounds(4, 20);
    const refreshes = { kept: 0, tooLate: 0 };
    let waiting: (() => void)[] = [];
    const site: Site = await openSite(t, {
      routes: ({ router }) => {
        router.get("/work/:kind", async (req, res) => {
          assert.equal(req.session.arcgis?.username, "sandy_admin");
          await new Promise<void>((resolve) => void waiting.push(resolve));
          await work[req.params.kind as keyof typeof work](req);
          res.end();
        });
      },
    });

    for (let round = 0; round < times; round++) {
      const browser = site.browser();
      await signIn(browser);
      const thief = browser.copy();
      const csrfToken = csrfTokenOf(await browser.get("/"));
      waiting = [];
      const kinds = Object.keys(work);
      const inFlight = Array.from({ length: 40 }, (_, index) =>
        thief.get(`/work/${kinds[index % kinds.length]}`),
      );
      await until(() => waiting.length === 40, "all 40 have their session and hold on to it");

      // A quarter goes on before the sign-out arrives, half while it is under way, a quarter after it.
      const { kept } = refreshes;
      for (const go of waiting.slice(0, 10)) go();
      // In every other round one of them is first: where files are slow, the sign-out always was.
      if (round % 2 === 0) await until(() => refreshes.kept > kept, "one of them has stored its token");
      const signedOut = browser.post("/sign-out", { csrf_token: csrfToken });
      for (const go of waiting.slice(10, 30)) {
        await new Promise(setImmediate);
        go();
      }
      assert.equal((await signedOut).status, 303);
      for (const go of waiting.slice(30)) go();
      for (const { status } of await Promise.all(inFlight)) assert.equal(status, 200);

      // What the app itself stored may stay, under an id without a sign-in.
      for (const name of await site.store.admin.names()) {
        const left = await site.store.admin.inspect(name);
        assert.ok(left && "data" in left);
        assert.deepEqual(Object.keys(left.data).sort(), ["cookie", "visited"], `round ${round}`);
        await site.store.admin.end(name);
      }
      assert.equal(await whoIs(thief), undefined, `round ${round}`);
    }
    // Or the race was none.
    assert.ok(refreshes.kept >= times / 2 && refreshes.tooLate >= times, JSON.stringify(refreshes));
  });
});

describe("the life of a session", () => {
  test("a server that is killed and started again knows who was signed in, and finishes a sign-in under way", async (t) => {
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const redirectUris = [`${url}/authenticate`];
    const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris }] });
    t.after(() => sandbox.close());
    const env = {
      CLIENT_ID: "test-app",
      PORTAL_URL: sandbox.url,
      REDIRECT_URI: `${url}/authenticate`,
      SESSION_SECRET: secret(),
      ENCRYPTION_KEY: secret(),
      PORT: String(port),
    };
    const server = { file: fileURLToPath(import.meta.resolve("#src/server.ts")), cwd: folder(t), url, env };
    const first = await startProgram(t, server);
    const [browser, late] = [new Browser(url), new Browser(url)];
    await signIn(browser, "sandy_admin");
    const callback = await callbackFor(late, "vik_viewer");
    first.kill("SIGKILL");
    await once(first, "exit");

    await startProgram(t, server);
    assert.equal(await whoIs(browser), "sandy_admin");
    assert.equal((await late.get(callback)).status, 303);
    assert.equal(await whoIs(late), "vik_viewer");
  });
});
