import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { createApp } from "#src/app/create-app.ts";
import { type ErrorCode, nextSteps } from "#src/app/errors.ts";
import { openLog } from "#src/app/log.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { Browser, click, crossSite, type Sending, type TestResponse, typed } from "./support/browser.ts";
import { errorOf } from "./support/expect.ts";
import { script } from "./support/proxy.ts";
import { callbackFor, choose, openSite, signIn } from "./support/site.ts";
import { startUpstream } from "./support/upstream.ts";
import { csrfTokenOf } from "./support/user.ts";

type Schema = Record<string, unknown>;
interface Described {
  description: string;
  headers?: Record<string, { required?: boolean; schema: Schema }>;
  content?: Record<string, { schema?: Schema }>;
}
type Operation = { responses: Record<string, Described> };
interface Document {
  info: { description: string; version: string };
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: { ErrorCode: { enum: string[] } } };
}

const methods = ["get", "head", "post", "put", "patch", "delete"];
const path = join(import.meta.dirname, "../docs/openapi.yaml");
const validator = new Validator();
const ajv = addFormats.default(new Ajv2020({ strict: true, allowUnionTypes: true }));
let document: Document;
before(async () => {
  const { valid, errors } = await validator.validate(path);
  assert.ok(valid, JSON.stringify(errors, undefined, 1));
  assert.equal(validator.version, "3.1");
  document = validator.resolveRefs() as unknown as Document;
});

/** Every operation, such as "GET /sign-in", with its responses by status. */
function operations(): [string, Operation["responses"]][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method): [string, Operation["responses"]][] =>
      item[method] ? [[`${method.toUpperCase()} ${path}`, item[method].responses]] : [],
    ),
  );
}

/** The codes that a text names. */
const codesIn = (text: string) =>
  [...text.matchAll(/`(\w+)`/g)].map(([, word = ""]) => word).filter((word) => word in nextSteps);

/** Asserts that a response is what the document says of it; returns which one of the document it is. */
function check(method: string, url: string, { status, headers, body, setCookies }: TestResponse): string {
  const { pathname } = new URL(url, "http://localhost");
  const route = pathname
    .replace(/^\/portals\/county(?=\/)/, "")
    .replace(/^(\/assets)\/.*/, "$1/{version}/{file}");
  const operation = `${method} ${route}`;
  const [, responses] = operations().find(([name]) => name === operation) ?? assert.fail(`no ${operation}`);
  const key = [`${status}`, `${Math.floor(status / 100)}XX`].find((key) => responses[key]);
  const described = responses[key ?? ""] ?? assert.fail(`${operation}: ${status} is not documented: ${body}`);
  const name = `${operation} ${key}`;
  const validate = (schema: Schema, value: unknown) =>
    assert.ok(ajv.validate(schema, value), `${name}: ${ajv.errorsText()} in ${JSON.stringify(value)}`);

  for (const [header, { required, schema }] of Object.entries(described.headers ?? {})) {
    const value = header === "Set-Cookie" ? setCookies[0] : headers[header.toLowerCase()];
    if (required) assert.notEqual(value, undefined, `${name} has no ${header}`);
    if (value !== undefined) validate(schema, value);
  }
  for (const header of ["location", "retry-after"])
    if (headers[header])
      assert.ok(described.headers?.[header.replace(/\b\w/g, (it) => it.toUpperCase())], `${name}: ${header}`);

  const type = headers["content-type"]?.split(";", 1).join();
  if (type === undefined) {
    assert.equal(body, "", name);
    assert.ok(
      !described.content || /no body/i.test(described.description) || method === "HEAD",
      `${name} has no body`,
    );
    return name;
  }
  const media = described.content?.[type] ?? described.content?.["*/*"] ?? assert.fail(`${name}: ${type}`);
  if (media.schema) validate(media.schema, type === "application/json" ? JSON.parse(body) : body);
  if (type === "text/html" && method !== "HEAD") assert.match(body, /^<!doctype html>.*<\/html>\s*$/is, name);
  const isOfThisServer = /"error":\{"code":"(\w+)"|data-code="(\w+)"/.exec(status < 400 ? "" : body);
  if (isOfThisServer) {
    const code = (isOfThisServer[1] ?? isOfThisServer[2]) as ErrorCode;
    assert.ok(codesIn(described.description).includes(code), `${name} does not name ${code}`);
  }
  return name;
}

test("docs/openapi.yaml has the version of the package, and the codes of the catalog under the status that each has", () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  assert.equal(document.info.version, version);
  const { ErrorCode } = document.components.schemas;
  assert.deepEqual(ErrorCode.enum, Object.keys(nextSteps));
  const named = new Set(codesIn(document.info.description));
  for (const [name, responses] of operations())
    for (const [key, { description }] of Object.entries(responses))
      for (const code of codesIn(description)) {
        const status = String(errorOf(code as ErrorCode).status);
        assert.ok([status, `${status[0]}XX`].includes(key), `${name} ${key}: ${code}`);
        named.add(code);
      }
  // That one is for the developers of an app around the library.
  const codes = ErrorCode.enum.filter((code) => code !== "not_mounted");
  assert.deepEqual(
    codes.filter((code) => !named.has(code)),
    [],
  );
});

interface Layer {
  name: string;
  route?: { path: string | string[]; stack: { method?: string }[] };
  handle: { stack?: Layer[] };
}

/** The paths of all routes. The library makes its own when it is mounted; portalRoutes names those, too. */
function routesIn(stack: Layer[]): string[] {
  return stack.flatMap(({ route, handle }) => (route ? [route.path].flat() : routesIn(handle.stack ?? [])));
}

const features = (upstream: string) => ({
  TRUST_PROXY: "127.0.0.1",
  TOKEN_HANDOVER: true,
  EMBED_ORIGINS: [upstream],
  SECURITY_CONTACT: "security@example.com",
  PROXY_ALLOW: `${upstream}/`,
  PROXY_MAX_BYTES: 2_000,
  ACCESS: [
    { path: "/about", allow: "everyone" },
    { path: "/admin", roles: ["org_admin"] },
  ],
});

test("docs/openapi.yaml has every route of the server, and no other; each refuses the methods that it does not have", async (t) => {
  const { origin } = await startUpstream(t);
  const site = await openSite(t, { settings: features(origin) });
  const log = await openLog("silent");
  const app = await createApp({ config: site.config, store: site.store, log });
  t.after(() => app.close());
  const documented = Object.keys(document.paths);
  const routes = new Set(routesIn((app.router as unknown as { stack: Layer[] }).stack));
  assert.deepEqual([...routes].sort(), documented.filter((path) => !path.startsWith("/assets/")).sort());

  const browser = site.browser();
  await signIn(browser);
  for (const route of routes) {
    const own = methods
      .filter((method) => document.paths[route]?.[method])
      .map((method) => method.toUpperCase());
    const expected = new Set(own.includes("GET") ? [...own, "HEAD"] : own);
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"].filter(
      (it) => !expected.has(it),
    )) {
      const { status, headers, body } = await browser.send(route, { method, headers: script });
      assert.equal(status, 405, `${method} ${route}: ${body}`);
      assert.deepEqual(new Set(String(headers.allow).split(", ")), expected, `${method} ${route}`);
    }
  }
});

const json = { Accept: "application/json" };
const html = { Accept: "text/html" };
const prefetch = { ...click, "Sec-Purpose": "prefetch" };

test("every response in docs/openapi.yaml is one that the server gives, with these headers and this content", async (t) => {
  const seen = new Set<string>();
  /** Sends a request, and checks the response; `method url`. */
  async function ask(browser: Browser, request: string, sending: Sending = {}): Promise<TestResponse> {
    const [method = "", url = ""] = request.split(" ");
    const response = await browser.send(url, { headers: typed, ...sending, method });
    seen.add(check(method, url, response));
    return response;
  }
  const post = (browser: Browser, url: string, form: Record<string, string>) =>
    ask(browser, `POST ${url}`, { form, headers: { ...click, Origin: browser.base } });
  const get = (browser: Browser, url: string, headers: Record<string, string> = typed) =>
    ask(browser, `GET ${url}`, { headers });

  const upstream = await startUpstream(t);
  const county = await startSandbox({ clients: [] });
  t.after(() => county.close());
  const portals = [{ id: "county", title: "County GIS", url: county.url, clientId: "county-app" }];
  const site = await openSite(t, { settings: { ...features(upstream.origin), PORTALS: portals } });
  county.clients.push({
    clientId: "county-app",
    redirectUris: [`${site.url}/portals/county/authenticate`],
    title: "App",
  });

  // Visitors.
  const visitor = site.browser();
  for (const path of [
    "/",
    "/account",
    "/signed-in",
    "/signed-out",
    "/portals/county/",
    "/portals/county/account",
  ])
    await get(visitor, path);
  for (const path of ["/healthz", "/readyz", "/metrics", "/.well-known/security.txt"])
    await get(visitor, path);
  await get(visitor, "/metrics", { "X-Forwarded-For": "192.0.2.1" });
  const { body: home } = await get(visitor, "/");
  const [styles = ""] = /\/assets\/\w{12}\/app\.css/.exec(home) ?? [];
  const { headers } = await get(visitor, styles);
  await get(visitor, styles, { "If-None-Match": String(headers.etag) });
  await get(visitor, styles, { Range: "bytes=0-9" });
  await get(visitor, styles, { Range: "bytes=999999-" });
  await get(visitor, "/assets/0123456789ab/nothing.css", json);
  for (const path of ["/sign-ins", "/map", `/embed?url=${upstream.origin}/`]) {
    await get(visitor, path);
    await get(visitor, path, json);
  }
  for (const path of ["/api/session", "/api/credential", "/proxy"]) await get(visitor, path, script);
  const proxyAsks = (path: string, headers = html) => ({ ...headers, "X-Forwarded-Uri": path });
  await get(visitor, "/auth", proxyAsks("/about"));
  await get(visitor, "/auth", proxyAsks("/plans"));
  await get(visitor, "/auth", proxyAsks("/plans", json));
  await get(visitor, "/auth?redirect=true", proxyAsks("/plans"));
  await get(visitor, "/auth", json);
  await get(visitor, "/sign-out");
  await post(visitor, "/sign-ins", {});

  // Sign-in.
  await get(visitor, "/sign-in");
  await get(visitor, "/sign-in?portal=nowhere");
  await get(visitor, "/sign-in?portal=county");
  await ask(visitor, "HEAD /sign-in");
  for (const path of ["/sign-in?portal=main", "/authenticate", "/sign-out"]) {
    await get(visitor, path, prefetch);
    await ask(visitor, `HEAD ${path}`);
  }
  await get(visitor, "/authenticate", json);
  await get(visitor, "/authenticate?code=x&state=y");
  const choices = await get(visitor, "/sign-in?returnTo=/map");
  const pathOf = (url: string) => url.slice(site.url.length);
  await get(visitor, pathOf(await choose(String(choices.headers.location), { action: "cancel" })));
  for (const [kind, expected] of [
    ["html", 502],
    ["status", 502],
  ] as const) {
    site.sandbox.faults.set("token", kind === "html" ? { kind } : { kind, status: 500 });
    const failed = pathOf(await callbackFor(visitor, "sandy_admin", "/sign-in?returnTo=/"));
    assert.equal((await get(visitor, failed, json)).status, expected);
  }
  site.sandbox.faults.clear();
  const user = site.browser();
  await get(user, pathOf(await callbackFor(user, "vik_viewer", "/sign-in?returnTo=/map")));

  // Users.
  for (const path of ["/", "/account", "/map", "/sign-ins", "/api/session", "/api/session?touch=false"])
    await get(user, path);
  await get(user, `/embed?url=${upstream.origin}/`);
  await get(user, "/embed?url=x");
  await get(user, "/embed?url=https://example.com/");
  await get(user, "/api/credential", script);
  await get(user, "/api/credential", crossSite);
  await get(user, "/auth", proxyAsks("/plans"));
  await get(user, "/auth", proxyAsks("/admin", json));
  await get(user, "/auth", proxyAsks("/plans//x"));
  upstream.behave = ({ url }, res) =>
    res.writeHead(Number.parseInt(url.slice(1), 10) || 404, { "Content-Type": "application/json" }).end("{}");
  for (const method of methods.map((it) => it.toUpperCase())) {
    const request = `${method} /proxy?`;
    for (const status of [200, 400, 413, 404, 500])
      await ask(user, `${request}${upstream.origin}/${status}`, { headers: script });
    await ask(user, `${request}https://example.com/`, { headers: script });
    await ask(visitor, `${request}${upstream.origin}/`, { headers: script });
  }
  const proxied = `POST /proxy?${upstream.origin}/200`;
  await ask(user, proxied, { headers: { ...script, "Content-Encoding": "gzip" }, body: "x" });
  await ask(user, proxied, { headers: script, body: "x".repeat(2_001) });
  upstream.behave = (_seen, res) => res.writeHead(200, { "Content-Type": "text/html" }).end("<p>");
  await ask(user, `GET /proxy?${upstream.origin}/`, { headers: script });

  // Forms.
  const csrf_token = csrfTokenOf(await get(user, "/sign-ins"));
  for (const path of ["/sign-ins", "/sign-out"]) {
    const charset = { "Content-Type": "application/x-www-form-urlencoded; charset=x" };
    await ask(user, `POST ${path}`, { body: "a=b", headers: { ...click, ...charset } });
    await post(user, path, { csrf_token: "x" });
    await post(user, path, { a: "x".repeat(9_000) });
  }
  await post(user, "/sign-ins", { csrf_token, session: "others" });
  await get(user, "/sign-out", crossSite);
  await get(user.copy(), "/sign-out", click);
  const leaving = site.browser();
  await signIn(leaving, "sandy_admin", "/sign-in?portal=main");
  await post(leaving, "/sign-out", { csrf_token: csrfTokenOf(await get(leaving, "/")) });

  // The same sessions with other settings.
  await signIn(user, "vik_viewer", "/sign-in?portal=main");
  const secrets = {
    SESSION_SECRET: site.config.sessionSecrets,
    ENCRYPTION_KEY: site.config.encryptionKeys,
    SESSION_DIR: site.config.sessionDir,
  };
  const { sandbox } = site;
  const closed = await openSite(t, {
    ...{ sandbox, sessionDir: site.config.sessionDir },
    settings: { ...secrets, AUTO_SIGN_IN: true, RATE_LIMIT: 2, ALLOWED_ORGS: ["AnotherOne"] },
  });
  const member = new Browser(closed.url, user.cookies);
  for (const path of ["/sign-ins", "/map", "/api/session"]) await get(member, path);
  for (const path of ["/embed", "/api/credential", "/.well-known/security.txt"]) await get(member, path);
  for (const path of ["/", "/account"]) await get(closed.browser(), path);
  for (const path of ["/sign-in", "/sign-in", "/sign-in", "/authenticate"]) await get(closed.browser(), path);
  const insecure = await openSite(t, { settings: { REDIRECT_URI: "https://localhost/authenticate" } });
  await get(insecure.browser(), "/sign-in");

  // The store fails.
  rmSync(site.config.sessionDir, { recursive: true });
  writeFileSync(site.config.sessionDir, "a file in place of the folder");
  for (const [name, responses] of operations()) {
    const [method = "", path] = name.split(" ");
    const isProbe = path === "/readyz";
    if (
      !isProbe &&
      (!responses["5XX"] || path === "/proxy") &&
      !/store_unavailable/.test(responses["503"]?.description ?? "")
    )
      continue;
    const sending = {
      headers: { ...script, ...proxyAsks("/plans", json) },
      ...(method === "POST" && { form: { csrf_token } }),
    };
    const { status } = await ask(isProbe ? closed.browser() : user, `${method} ${path}?portal=main`, sending);
    assert.equal(status, 503, name);
  }

  const documented = operations().flatMap(([name, responses]) =>
    Object.keys(responses).map((key) => `${name} ${key}`),
  );
  assert.deepEqual(
    documented.filter((name) => !seen.has(name)),
    [],
    "the server has given each",
  );
});
