import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Browser, click } from "./support/browser.ts";
import { freePort, startProgram } from "./support/program.ts";
import { signIn } from "./support/sign-in.ts";
import { folder, secret } from "./support/temporary.ts";

// What others get: the package is packed in a clean clone, and installed into an empty project.

const root = join(import.meta.dirname, "..");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const pages = ["README.md", "docs/use-in-your-app.md"]
  .map((name) => readFileSync(join(root, name), "utf8"))
  .join();
const run = promisify(execFile);

const { installedNodes }: { installedNodes(): string[] } = await import(
  pathToFileURL(join(root, "scripts/nodes.js")).href
);
/** By their version: this Node, and those that `npm run nodes` has installed. */
const nodes = new Map(
  [process.execPath, ...installedNodes()].map((node) => [
    spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim(),
    node,
  ]),
);

const ends: (() => void)[] = [];
const lifetime = { after: (end: () => void) => void ends.push(end) } as Pick<TestContext, "after">;
/** The project that the package is installed in. */
const project = folder(lifetime);
const installed = join(project, "node_modules/arcgis-sign-in");
let packed: string[] = [];
let tarball: string;

async function install(cwd: string, ...packages: string[]): Promise<void> {
  writeFileSync(join(cwd, "package.json"), '{ "private": true, "type": "module" }');
  await npm(cwd, "install", "--prefer-offline", "--no-audit", "--no-fund", ...packages);
}

async function npm(cwd: string, ...args: string[]): Promise<string> {
  // npm hands its own settings, such as the folder of the package, to whatever it runs.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  return (await run("npm", args, { cwd, env, maxBuffer: 16 * 1024 * 1024 })).stdout;
}

before(async () => {
  const clone = folder(lifetime);
  const isLeftOver = (name: string) =>
    /^(node_modules|\.git|dist.*|sessions|bench|test|examples)$/.test(name);
  for (const name of readdirSync(root).filter((name) => !isLeftOver(name)))
    cpSync(join(root, name), join(clone, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(clone, "node_modules"));
  const output = await npm(clone, "pack", "--json", "--pack-destination", project);
  const [{ filename, files }] = JSON.parse(output.slice(output.indexOf("[\n")));
  packed = files.map(({ path }: { path: string }) => path);
  const others = [
    "@esri/arcgis-rest-portal",
    "@esri/arcgis-rest-request",
    "@types/express",
    "@types/express-session",
    "@types/node",
    "typescript",
  ].map((name) => `${name}@${manifest.devDependencies[name] ?? manifest.dependencies[name]}`);
  const helmet = `helmet@${manifest.dependencies.helmet}`;
  tarball = join(project, filename);
  await install(project, tarball, "express", "express-session", helmet, ...others);
});
after(() => {
  for (const end of ends.reverse()) end();
});

/** A block of README or docs, by the name above it. */
function example(name: string): string {
  const [, text] =
    new RegExp(`<!-- ${name.replace(".", "\\.")} -->\\n\`\`\`js\\n(.*?)\`\`\``, "s").exec(pages) ?? [];
  return text ?? assert.fail(`the docs have no ${name}`);
}

/** Writes an app into a folder of the project, starts it on its own port, and a sandbox portal of the package. */
async function start(
  t: TestContext,
  name: string,
  source: string,
  { page, node }: { page?: string; node?: string } = {},
): Promise<Browser> {
  const [port, portalPort] = [await freePort(), await freePort()];
  const url = `http://localhost:${port}`;
  const portal = `http://127.0.0.1:${portalPort}/portal/sharing/rest`;
  const cwd = join(project, name.replace(/\W/g, "-"));
  mkdirSync(cwd);
  const typed = source
    .replaceAll("http://localhost:3000", url)
    .replace(/\.listen\(3000\b/, `.listen(${port}`);
  assert.notEqual(typed, source, "it listens where the docs say");
  writeFileSync(join(cwd, name), typed);
  if (page) writeFileSync(join(cwd, "page.html"), page);
  writeFileSync(
    join(cwd, "portal.mjs"),
    `import { startSandbox } from "arcgis-sign-in/sandbox";
     const clients = [{ clientId: "my-app", redirectUris: ["${url}/authenticate"] }];
     await startSandbox({ port: ${portalPort}, clients });`,
  );
  await startProgram(t, { file: "portal.mjs", cwd, url: `${portal}/info`, env: {}, node });
  const env = {
    CLIENT_ID: "my-app",
    PORTAL_URL: portal,
    REDIRECT_URI: `${url}/authenticate`,
    PORT: String(port),
    SESSION_SECRET: secret(),
    ENCRYPTION_KEY: secret(),
  };
  await startProgram(t, { file: name, cwd, url, env, node });
  return new Browser(url);
}

describe("the tarball", () => {
  test("has what the entry points and the command need, the sources of the maps and the docs, and nothing of our own work", () => {
    const needed = Object.values(manifest.exports)
      .flatMap((entry) => (typeof entry === "string" ? entry : Object.values(entry as object)))
      .concat(Object.values(manifest.bin));
    for (const path of needed)
      assert.ok(packed.includes(String(path).replace(/^\.\//, "")), `${path} is packed`);
    for (const path of ["README.md", "LICENSE", "config.example.json", "docs/security.md", "views/home.ejs"])
      assert.ok(packed.includes(path), `${path} is packed`);
    const strange = packed.filter((path) => !/^(dist|src|views|docs|deploy|scripts)\/|^[\w.]+$/.test(path));
    assert.deepEqual(strange, []);
    assert.deepEqual(
      packed.filter((path) => /\.test\.|config\.json$|\.env|sessions\//.test(path)),
      [],
    );
    for (const path of packed.filter((name) => name.endsWith(".js.map"))) {
      const { sources } = JSON.parse(readFileSync(join(installed, path), "utf8"));
      for (const source of sources)
        assert.ok(existsSync(join(installed, dirname(path), source)), `${path}: ${source}`);
    }
  });

  test("installs the command and its peers, and no package a second time", async () => {
    const { stdout } = await run(join(project, "node_modules/.bin/arcgis-sign-in"), ["--version"]);
    assert.equal(stdout.trim(), manifest.version);
    assert.ok(existsSync(join(project, "node_modules/express-session")));
    assert.ok(!existsSync(join(installed, "node_modules")), "express and @esri/* are the app's own");
  });

  test("costs an app with express and express-session 145 packages and 43 MB at most, and redis only with REDIS_URL", async (t) => {
    const app = folder(t);
    await install(app, tarball, "express", "express-session");
    const packages = (await npm(app, "ls", "--all", "--parseable")).trim().split("\n").slice(1);
    assert.ok(new Set(packages).size <= 145, `${new Set(packages).size} packages`);
    const used = readdirSync(join(app, "node_modules"), { recursive: true, withFileTypes: true })
      .map((entry) => lstatSync(join(entry.parentPath, entry.name)))
      .reduce((bytes, { blocks, size }) => bytes + (blocks === undefined ? size : blocks * 512), 0);
    assert.ok(used <= 43 * 1024 * 1024, `${used} bytes`);

    const env = {
      PATH: process.env.PATH,
      CLIENT_ID: "my-app",
      REDIRECT_URI: "http://localhost:3000/authenticate",
      SESSION_SECRET: secret(),
      ENCRYPTION_KEY: secret(),
      REDIS_URL: "redis://127.0.0.1:1",
    };
    const bin = join(app, "node_modules/arcgis-sign-in/dist/cli/arcgis-sign-in.js");
    const { status, stderr } = spawnSync(process.execPath, [bin, "start"], {
      cwd: app,
      env,
      encoding: "utf8",
    });
    assert.deepEqual(
      [status, stderr],
      [78, "REDIS_URL: needs the package redis. Run: npm install redis@6\n"],
    );
  });
});

describe("TypeScript", () => {
  const source = `
    import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
    import { type ArcGISAuthOptions, arcgisAuth, AuthError, authErrorHandler, requireRole } from "arcgis-sign-in";
    import { arcgisProxy } from "arcgis-sign-in/proxy";
    import { type Sandbox, startSandbox } from "arcgis-sign-in/sandbox";
    import { type Config, ConfigError, createApp, loadConfig } from "arcgis-sign-in/server";
    import { fileBackend, SealedStore, type SessionBackend } from "arcgis-sign-in/session-store";
    import express, { type ErrorRequestHandler } from "express";
    import session from "express-session";

    const backend: SessionBackend = fileBackend("./sessions");
    const store: SealedStore = new SealedStore({ backend, encryptionKey: "k".repeat(32) });
    const options: ArcGISAuthOptions = {
      clientId: "my-app",
      redirectUri: "https://app.example/authenticate",
      sessionSecret: ["new", "old"],
      encryptionKey: "k",
      store,
      shareSession: true,
      onSignIn: ({ user }) => {
        if (user.role === "org_user") throw new AuthError("role_missing");
      },
    };
    const auth = arcgisAuth(options);
    const app = express();
    app.use(session(auth.sessionOptions), auth);
    app.get("/a", requireRole("org_admin"), async (req, res) => {
      const identity: ArcGISIdentityManager = await req.arcgis.identity();
      const stored: ArcGISIdentityManager | undefined = req.session.arcgis;
      res.json([identity.username, stored?.username, req.arcgis.user?.groups.length]);
    });
    // @ts-expect-error guards do not narrow it
    app.get("/b", auth.requireSignIn(), (req, res) => void res.send(req.arcgis.user.username));
    app.all("/proxy", arcgisProxy({ allow: ["https://gis.example.com/arcgis"] }));
    const onError: ErrorRequestHandler = (error, _req, res, next) =>
      error instanceof AuthError ? void res.status(error.status).send(error.code) : next(error);
    app.use(onError, authErrorHandler());

    const config: Config = loadConfig();
    const server = await createApp({ config, routes: ({ router, auth }) => void router.use(auth.requireSignIn()) });
    app.use("/gis", server);
    const sandbox: Sandbox = await startSandbox({ clients: [{ clientId: "my-app", redirectUris: [] }] });
    export const ends = [() => server.close(), () => sandbox.close(), ConfigError];
  `;

  function compile(compilerOptions: object, node = process.execPath): string[] {
    const cwd = join(project, "ts");
    mkdirSync(cwd, { recursive: true });
    const options = {
      target: "es2022",
      module: "nodenext",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      noEmit: true,
    };
    const tsconfig = { compilerOptions: { ...options, ...compilerOptions }, files: ["app.ts"] };
    writeFileSync(join(cwd, "tsconfig.json"), JSON.stringify(tsconfig));
    writeFileSync(join(cwd, "app.ts"), source);
    const { stdout } = spawnSync(
      node,
      [join(project, "node_modules/typescript/bin/tsc"), "--pretty", "false"],
      {
        cwd,
        encoding: "utf8",
      },
    );
    return stdout.split("\n").filter((line) => / error TS\d+: /.test(line));
  }

  for (const [version, node] of nodes) {
    test(`a strict nodenext app compiles with Node ${version}`, () => {
      assert.deepEqual(compile({ skipLibCheck: true }, node), []);
    });
  }

  test("our declarations pass without skipLibCheck; the errors left are in Esri's", () => {
    const errors = compile({ skipLibCheck: false });
    assert.deepEqual(
      errors.filter((line) => !line.startsWith("../node_modules/@esri/")),
      [],
    );
    assert.notEqual(errors.length, 0, "Esri has put them right: the docs need not ask for skipLibCheck");
  });
});

describe("an app with the installed package", () => {
  for (const [version, node] of nodes) {
    test(`ESM with Node ${version}: the app of the docs signs in, acts as the user, and is given an ArcGISIdentityManager`, async (t) => {
      const source = example("app.js").replace(
        "app.use(authErrorHandler());",
        `import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
       app.get("/same-class", requireSignIn(), async (req, res) => {
         res.json((await req.arcgis.identity()) instanceof ArcGISIdentityManager);
       });
       app.use(authErrorHandler());`,
      );
      const browser = await start(t, `esm-${version}.mjs`, source, { node });
      const refused = await browser.get("/reports", { Accept: "application/json" });
      assert.deepEqual([refused.status, /"code":"signed_out"/.test(refused.body)], [401, true]);
      const away = await browser.get("/reports", click);
      assert.deepEqual([away.status, away.headers.location], [302, "/sign-in?returnTo=%2Freports"]);
      const landed = await signIn(browser, "sandy_admin", String(away.headers.location));
      assert.deepEqual([landed.status, landed.headers.location], [303, "/reports"]);
      const titles = (await browser.get("/reports")).json() as string[];
      assert.ok(titles.length > 0 && titles.every((title) => typeof title === "string"));
      assert.equal((await browser.get("/same-class")).body, "true");
    });

    test(`CommonJS with Node ${version}: the same by require, where the class of require() is another one`, async (t) => {
      const source = `
      const { ArcGISIdentityManager } = require("@esri/arcgis-rest-request");
      const { arcgisAuth, authErrorHandler, requireSignIn } = require("arcgis-sign-in");
      const express = require("express");
      for (const name of ["session-store", "proxy", "server", "sandbox"]) require("arcgis-sign-in/" + name);
      const { CLIENT_ID, SESSION_SECRET, ENCRYPTION_KEY, PORTAL_URL } = process.env;
      const app = express();
      app.use(
        arcgisAuth({
          clientId: CLIENT_ID,
          redirectUri: "http://localhost:3000/authenticate",
          sessionSecret: SESSION_SECRET,
          encryptionKey: ENCRYPTION_KEY,
          portal: PORTAL_URL,
        }),
      );
      app.get("/me", requireSignIn(), async (req, res) => {
        const identity = await req.arcgis.identity();
        const { fullName } = await identity.getUser({ request: req.arcgis.request });
        const { ArcGISIdentityManager: Imported } = await import("@esri/arcgis-rest-request");
        res.json([fullName, identity instanceof ArcGISIdentityManager, identity instanceof Imported]);
      });
      app.use(authErrorHandler());
      app.listen(3000, "127.0.0.1");
    `;
      const browser = await start(t, `cjs-${version}.cjs`, source, { node });
      await signIn(browser, "sandy_admin");
      assert.deepEqual((await browser.get("/me")).json(), ["Sandy Boxwell", false, true]);
    });
  }

  for (const shared of [false, true]) {
    test(`with its own express-session, helmet, view engine, start page and error handler, ${shared ? "in one session" : "in two sessions"}`, async (t) => {
      const source = `
        import { readFile } from "node:fs/promises";
        import { arcgisAuth, requireRole } from "arcgis-sign-in";
        import express from "express";
        import session from "express-session";
        import helmet from "helmet";

        const { CLIENT_ID, SESSION_SECRET, ENCRYPTION_KEY, PORTAL_URL } = process.env;
        const auth = arcgisAuth({
          clientId: CLIENT_ID,
          redirectUri: "http://localhost:3000/authenticate",
          sessionSecret: SESSION_SECRET,
          encryptionKey: ENCRYPTION_KEY,
          portal: PORTAL_URL,
          shareSession: ${shared},
          confirmSignOut: (req, res) => res.render("page", { text: "Really? " + req.arcgis.signOutForm() }),
        });
        const own = { name: "shop", secret: SESSION_SECRET, resave: false, saveUninitialized: false };
        const app = express();
        app.engine("html", async (path, { text }, done) => {
          done(null, (await readFile(path, "utf8")).replace("{text}", () => text));
        });
        app.set("view engine", "html").set("views", import.meta.dirname);
        app.use(helmet(), session(${shared ? "auth.sessionOptions" : "own"}), auth);
        app.get("/", (req, res) => {
          req.session.visits = (req.session.visits ?? 0) + 1;
          res.render("page", { text: [req.session.visits, req.arcgis.user?.username, req.session.arcgis?.username].join() });
        });
        app.get("/admin", requireRole("org_admin"), (req, res) => res.send("admin"));
        app.use((req, res, next) => next(Object.assign(new Error("my own"), { status: 404 })));
        app.use((error, req, res, next) => {
          res.status(error.status).send([error.name, error.code, error.message, error.status].join());
        });
        app.listen(3000, "127.0.0.1");
      `;
      const name = shared ? "shared.mjs" : "own.mjs";
      const browser = await start(t, name, source, { page: "<p>{text}</p>" });
      const page = async (path: string) => (await browser.get(path, click)).body;

      assert.equal(await page("/"), "<p>1,,</p>");
      assert.equal((await signIn(browser, "vik_viewer")).status, 303);
      const home = await browser.get("/", click);
      assert.equal(home.body, `<p>2,vik_viewer,${shared ? "vik_viewer" : ""}</p>`);
      assert.ok(home.headers["content-security-policy"], "helmet's header");
      assert.equal(await page("/admin"), "AuthError,role_missing,Your role does not allow this.,403");
      assert.equal(await page("/nothing"), "Error,,my own,404");
      assert.match(
        (await browser.get("/authenticate?code=x&state=y", click)).body,
        /^AuthError,transaction_/,
      );

      const asked = await browser.get("/sign-out");
      assert.match(asked.body, /^<p>Really\? <form /);
      const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(asked.body)?.[1] ?? "";
      assert.equal((await browser.post("/sign-out", { csrf_token })).status, 303);
      assert.equal(await page("/"), "<p>3,,</p>");
    });
  }

  test("the whole server, mounted as in the docs", async (t) => {
    const source = example("host.js").replace(".listen(config.port, config.host)", ".listen(3000)");
    const browser = await start(
      t,
      "host.mjs",
      source.replace(
        "const config",
        "process.env.REDIRECT_URI = `http://localhost:3000/gis/authenticate`;\nconst config",
      ),
    );
    const { status, headers } = await browser.get("/gis/sign-in", click);
    assert.equal(status, 302);
    assert.match(String(headers.location), /redirect_uri=[^&]*%2Fgis%2Fauthenticate/);
    for (const path of ["/gis/", "/gis/assets/leaflet.js", "/gis/healthz"])
      assert.equal((await browser.get(path)).status, 200, path);
  });

  test("only the store, as in the docs, keeps an identity for the next request", async (t) => {
    const source = `
      import express from "express";
      import session from "express-session";
      import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
      const yourOptions = { secret: process.env.SESSION_SECRET, resave: false, saveUninitialized: false };
      const app = express();
      ${example("store.js")}
      app.get("/", (req, res) => {
        const { mine } = req.session;
        res.json(mine instanceof ArcGISIdentityManager && mine.token);
      });
      app.get("/begin", (req, res) => {
        const portal = process.env.PORTAL_URL;
        const tokenExpires = new Date(Date.now() + 60_000);
        req.session.mine = new ArcGISIdentityManager({ portal, username: "jo", token: "abc", tokenExpires });
        res.end();
      });
      app.listen(3000, "127.0.0.1");
    `;
    const browser = await start(t, "store.mjs", source);
    assert.equal((await browser.get("/")).body, "false");
    await browser.get("/begin");
    assert.equal((await browser.get("/")).body, '"abc"');
  });
});
