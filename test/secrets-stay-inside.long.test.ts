import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Browser, click, crossSite, type TestResponse, typed } from "./support/browser.ts";
import { needsPosix } from "./support/posix.ts";
import { folder, secret } from "./support/site.ts";

/** Base64url of this many characters. */
const random = (length: number) => randomBytes(length).toString("base64url").slice(0, length);

/** How the portal responds: as it should, or in one of the ways in which it gives away what it was told. */
type Mode = "honest" | "error" | "nested" | "page" | "redirect" | "nonsense";

/** A portal that remembers every secret it is told or gives away, and repeats them when it is switched to that. */
async function parrotPortal(t: TestContext) {
  const secrets = new Set<string>();
  let mode: Mode = "honest";
  let lifeSeconds = 1800;

  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (chunk) => {
      body += chunk;
    });
    req.on("end", () => {
      const params = Object.fromEntries(new URLSearchParams(body));
      const token = String(req.headers["x-esri-authorization"] ?? "").replace("Bearer ", "");
      const told = [params.code, params.code_verifier, params.client_secret, params.auth_token, token];
      for (const each of told) if (each) secrets.add(each);
      const path = String(req.url).split("?", 1).join();

      if (mode === "honest") return void res.end(JSON.stringify(validResponse(path)));
      // Two grants come to nothing when the portal fails only afterwards, at the profile.
      if (mode === "nested" && path.endsWith("/token"))
        return void res.end(JSON.stringify(validResponse(path)));
      // And one that this server has never heard of.
      const another = random(40);
      secrets.add(another);
      const gossip = `Refused ${path}: ${told.filter(Boolean).join(", ")} (${body}) "${token}" ${another}`;
      if (mode === "error")
        res.end(JSON.stringify({ error: { code: 400, message: gossip, details: [gossip] } }));
      else if (mode === "nested") res.end(JSON.stringify({ error: { code: gossip, message: gossip } }));
      else if (mode === "page") res.writeHead(500, gossip.slice(0, 40)).end(`<h1>${gossip}</h1>`);
      else if (mode === "redirect") res.writeHead(307, { Location: `/x?${body}&token=${token}` }).end();
      else res.end(gossip);
    });
  });

  function validResponse(path: string): object {
    if (path.endsWith("/revokeToken/")) return { success: true };
    if (path.endsWith("/self")) return { username: "sandy_admin", fullName: "Sandy Boxwell", name: "City" };
    const response = {
      access_token: `${random(224)}..`,
      expires_in: lifeSeconds,
      username: "sandy_admin",
      ssl: false,
      refresh_token: `${random(382)}..`,
      refresh_token_expires_in: 1_209_600,
    };
    secrets.add(response.access_token).add(response.refresh_token);
    return response;
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/portal`,
    secrets,
    speak: (as: Mode) => {
      mode = as;
    },
    /** From now on tokens live so long. */
    giveOutFor: (seconds: number) => {
      lifeSeconds = seconds;
    },
  };
}

/** Runs the server as `npm start` does, in a process of its own that is told to say all it can. */
async function startServer(t: TestContext, settings: Record<string, unknown>) {
  const cwd = folder(t);
  writeFileSync(join(cwd, "config.json"), JSON.stringify(settings), { mode: 0o600 });
  const entry = fileURLToPath(import.meta.resolve("#src/server.ts"));
  const child = spawn(process.execPath, [entry], {
    cwd,
    env: { PATH: process.env.PATH, DEBUG: "*", NODE_ENV: "development", LOG_LEVEL: "trace" },
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  while (!output.includes('"listening"')) {
    assert.equal(child.exitCode, null, output);
    await Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  }
  const { url } = JSON.parse(String(output.split("\n").find((line) => line.includes('"listening"'))));
  return {
    url: String(url),
    output: () => output,
    stop: async () => {
      child.kill("SIGTERM");
      const [code] = await once(child, "close");
      return code;
    },
  };
}

const fromPage = { "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" };

/** Every way a text can stand in another one. */
function spellings(text: string): string[] {
  const bytes = Buffer.from(text);
  const encodings = [
    text,
    encodeURIComponent(text),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ];
  return [...new Set(encodings)];
}

function assertNowhere(secrets: Iterable<string>, text: string, place: string): void {
  for (const each of secrets) {
    for (const spelling of spellings(each)) {
      const at = text.indexOf(spelling);
      assert.ok(
        at < 0,
        `${place} holds a secret: ${text.slice(Math.max(0, at - 200), at + spelling.length + 50)}`,
      );
    }
  }
}

test("OU-1 LG-1 OA-5 no token, code, state, verifier, cookie or key gets into pages, logs or file names, whatever fails", async (t) => {
  const portal = await parrotPortal(t);
  const keys = { SESSION_SECRET: secret(), ENCRYPTION_KEY: secret(), CLIENT_SECRET: secret() };
  const sessions = join(folder(t), "sessions");
  const server = await startServer(t, {
    CLIENT_ID: "canary-app",
    PORTAL_URL: portal.url,
    REDIRECT_URI: "http://localhost/authenticate",
    SESSION_DIR: sessions,
    PORT: 0,
    RATE_LIMIT: "off",
    ...keys,
  });

  const pages: string[] = [];
  const codes = new Set<string>();
  const states = new Set<string>();
  const cookies = new Set<string>();
  const formTokens = new Set<string>();
  let files = "";

  /** Looks at everything a response brings to the browser, and keeps what is secret in it. */
  async function visit(browser: Browser, send: Promise<TestResponse>): Promise<TestResponse> {
    const response = await send;
    const { location = "", "set-cookie": _, ...headers } = response.headers;
    const leads = new URL(location, server.url);
    const state = leads.searchParams.get("state");
    if (state) states.add(state);
    leads.searchParams.delete("state");
    pages.push(response.body, JSON.stringify(headers), leads.href);
    for (const value of browser.cookies.values()) {
      cookies.add(value);
      for (const part of decodeURIComponent(value).replace(/^s:/, "").split("."))
        if (part.length > 20) cookies.add(part);
    }
    const csrfToken = /name="csrf_token" value="([^"]+)"/.exec(response.body)?.[1];
    if (csrfToken) formTokens.add(csrfToken);
    for (const name of readdirSync(sessions)) files += name + contentOf(join(sessions, name));
    return response;
  }
  const get = (browser: Browser, url: string, headers: Record<string, string> = typed) =>
    visit(browser, browser.get(url, headers));

  async function signInAt(browser: Browser, more = ""): Promise<TestResponse> {
    const { headers } = await get(browser, "/sign-in?returnTo=/");
    const state = new URL(String(headers.location)).searchParams.get("state");
    states.add(String(state));
    // Codes of ArcGIS can be as short as this.
    const code = random(21);
    codes.add(code);
    return get(browser, `/authenticate?code=${code}&state=${state}${more}`, crossSite);
  }

  const modes: Mode[] = ["error", "nested", "page", "redirect", "nonsense"];
  for (const mode of modes) {
    const browser = new Browser(server.url);
    portal.speak("honest");
    assert.equal((await signInAt(browser)).status, 303);
    assert.match((await get(browser, "/")).body, /Sandy Boxwell/);
    assert.equal((await get(browser, "/sign-out")).status, 200);

    // A token that expires at once, and a request that needs it.
    const late = new Browser(server.url);
    portal.giveOutFor(0.01);
    assert.equal((await signInAt(late)).status, 303);
    await sleep(10);
    portal.speak(mode);
    portal.giveOutFor(1800);
    const asked = await late.get(`/proxy?${portal.url}/sharing/rest/x`, { ...typed, ...fromPage });
    // What the portal itself sends a script is not looked at here: only that nothing of it is kept.
    assert.ok([200, 401, 502].includes(asked.status), `${mode}: ${asked.status} ${asked.body}`);

    const again = await signInAt(browser);
    assert.equal(again.status, mode === "error" ? 400 : mode === "nested" ? 303 : 502, mode);
    await signInAt(browser, "&error=access_denied&error_description=x");
    await signInAt(browser, "&code=twice");
    await get(browser, `/nothing?code=${[...codes][0]}&state=${[...states][0]}`);
    await get(browser, `/authenticate?code=${random(21)}&state=${[...states][0]}`);
    await visit(browser, browser.post("/sign-out", { csrf_token: "forged" }));
    await visit(browser, browser.post("/authenticate", { code: String([...codes][0]) }));
    assert.equal(
      (await get(browser, "/sign-out", click)).status,
      303,
      "signed out, though nothing is revoked",
    );
    assert.match((await get(browser, "/")).body, /Sign in with ArcGIS/);
  }
  portal.speak("honest");
  const lost = new Browser(server.url);
  await signInAt(lost);
  rmSync(sessions, { recursive: true });
  writeFileSync(sessions, "");
  const { status } = await lost.get("/");
  assert.equal(status, 503);
  pages.push((await lost.get("/authenticate?code=x&state=y")).body);
  assert.equal(await server.stop(), needsPosix("SIGTERM") ? null : 0);

  const tokens = portal.secrets;
  const log = server.output();
  assert.ok(
    tokens.size > 30 && codes.size > 15 && states.size > 15 && cookies.size > 15 && formTokens.size >= 5,
  );
  assert.ok(files.length > 5_000 && pages.length > 100);
  // Nothing but our own lines, though express and its parts were told by DEBUG to print what they do.
  const lines = log
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const message of [
    "signed in",
    "signed out",
    "not revoked",
    "the profile could not be fetched",
    "the portal rejects the refresh token",
    "not refreshed",
    "refused",
  ]) {
    assert.ok(
      lines.some(({ msg }) => msg === message),
      `the log tells of it: ${message}`,
    );
  }
  const vague = lines.filter(({ msg, reason }) => /^not re|^the portal|^the profile/.test(msg) && !reason);
  assert.deepEqual(vague, [], "and why");
  assert.ok(
    lines.some(({ reason }) => /^400: Refused/.test(reason)),
    "the portal's words are kept",
  );

  assertNowhere([...tokens, ...Object.values(keys)], pages.join("\n"), "a page or header");
  assertNowhere([...codes, ...states, ...cookies], pages.join("\n"), "a page or header");
  assertNowhere(
    [...tokens, ...codes, ...states, ...cookies, ...formTokens, ...Object.values(keys)],
    log,
    "the log",
  );
  assertNowhere(
    [...tokens, ...codes, ...states, ...cookies, ...formTokens, ...Object.values(keys)],
    files,
    "a file",
  );
  const open = [...cookies].map((value) => Buffer.from(value, "base64url").toString("latin1")).join();
  assertNowhere([...tokens, ...codes, ...states], open, "a cookie");
  const digests = [...states].map((state) => createHash("sha256").update(state).digest("base64url"));
  assertNowhere(digests, open, "a cookie");
});

/** A lock may be released between the listing and the reading. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
