// npm run soak [-- --minutes 60]
// An hour of mixed load on our app, on files and on Redis side by side: sign-ins, pages, the proxy, sign-outs, and a
// portal whose faults come and go. What it looks for: memory that grows, and errors that were not injected.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startSandbox } from "../dist/sandbox/index.js";
import { start, startRedis, stopAll, workFolder } from "./children.js";
import { makeSecret } from "./field.js";
import { median, number } from "./numbers.js";
import { redirectUri, signInWithArcGIS, usernames, Visitor } from "./visitor.js";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" } } });
const minutes = Number(values.minutes);
if (!(minutes >= 1)) throw new Error("--minutes takes a number of minutes, at least 1");

/** So many visitors at each app. Each pauses between two requests: this is about hours, not about speed. */
const visitors = 5;
const pauseMs = [40, 160];
const requestsASession = 40;
/** A fault is on for the first part of a cycle. Afterwards our app may leave the portal alone for up to 30 s. */
const cycle = { faultMs: 20_000, aftermathMs: 45_000, wholeMs: 120_000 };
/** Short enough for a few refreshes in each session. */
const accessTokenSeconds = 30;
const sampleEveryMs = 5_000;
const [username] = usernames;

const faults = [
  ["token", { kind: "status", status: 500 }],
  ["token", { kind: "html" }],
  ["token", { kind: "reset" }],
  ["token", { kind: "hang" }],
  ["revokeToken", { kind: "status", status: 500 }],
  ["revokeToken", { kind: "hang" }],
  ["self", { kind: "html" }],
  ["self", { kind: "delay", ms: 2_000 }],
];

/** What a fault at the portal may look like here: bad gateway and gateway timeout. */
const injectedStatus = [502, 504];
/** As a browser says it of a page's own requests. */
const sameOrigin = { "Sec-Fetch-Site": "same-origin" };

const startedAt = performance.now();
const endsAt = startedAt + minutes * 60_000;
const elapsed = () => performance.now() - startedAt;
let trouble = -Infinity;

rmSync(workFolder, { recursive: true, force: true });
mkdirSync(workFolder, { recursive: true });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

try {
  const clients = [{ clientId: "bench", redirectUris: [redirectUri] }];
  const sandbox = await startSandbox({ clients, users: [{ username }] });
  sandbox.settings.accessTokenSeconds = accessTokenSeconds;
  const redis = await startRedis();
  const apps = await Promise.all([
    startApp("files", sandbox, {}),
    startApp("Redis", sandbox, { REDIS_URL: redis.url }),
  ]);
  const work = apps.flatMap((app) => [
    ...Array.from({ length: visitors }, () => comeAndGo(app, sandbox)),
    sample(app),
  ]);
  await Promise.all([...work, switchFaults(sandbox)]);
  await sandbox.close();
  const text = report(apps);
  console.log(text);
  writeFileSync(join(import.meta.dirname, minutes >= 60 ? "soak.md" : "soak.quick.md"), text);
  if (apps.some((app) => app.unexpected.length > 0)) process.exitCode = 1;
} finally {
  await stopAll();
  rmSync(workFolder, { recursive: true, force: true });
}

async function startApp(name, sandbox, env) {
  const child = await start(`soak-${name}`, join(import.meta.dirname, "../dist/server.js"), {
    CLIENT_ID: "bench",
    PORTAL_URL: sandbox.url,
    REDIRECT_URI: redirectUri,
    SESSION_SECRET: makeSecret(),
    ENCRYPTION_KEY: makeSecret(),
    PORT: "0",
    RATE_LIMIT: "off",
    ...env,
  });
  return { name, child, counts: new Map(), injected: 0, unexpected: [], samples: [] };
}

/** Signs in, works, signs out or just stays away, again and again. */
async function comeAndGo(app, sandbox) {
  const profile = `${sandbox.url}/community/self?f=json`;
  while (performance.now() < endsAt) {
    const visitor = new Visitor(app.child.url);
    if (!(await attempt(app, "sign-in", () => signInWithArcGIS(visitor)))) continue;
    let csrfToken;
    for (let count = 0; count < requestsASession && performance.now() < endsAt; count++) {
      await wait(pauseMs[0] + Math.random() * (pauseMs[1] - pauseMs[0]));
      const kind = ["page", "api", "proxy", "signed out"][count % 4];
      await attempt(app, kind, async () => {
        if (kind === "signed out") return expect(await new Visitor(app.child.url).get("/"), 200, "Sign in");
        if (kind === "api") return expect(await visitor.get("/api/session"), 200, username);
        if (kind === "proxy")
          return expect(await visitor.get(`/proxy?${profile}`, sameOrigin), 200, username);
        const page = await visitor.get("/");
        csrfToken = /name="csrf_token" value="([^"]+)"/.exec(page.text)?.[1];
        return expect(page, 200, username);
      });
    }
    if (Math.random() < 0.2 || !csrfToken) continue;
    await attempt(app, "sign-out", async () => {
      expect(await visitor.post("/sign-out", { csrf_token: csrfToken }, sameOrigin), 303, "");
      expect(await visitor.get("/api/session"), 401, "signed_out");
    });
  }
}

function expect({ status, text }, wantedStatus, wantedText) {
  if (status === wantedStatus && text.includes(wantedText)) return;
  throw Object.assign(new Error(`${status} instead of ${wantedStatus}: ${text.slice(0, 300)}`), { status });
}

/** Counts what succeeds. A failure is injected when it says so and a fault is, or lately was, switched on. */
async function attempt(app, kind, step) {
  try {
    await step();
    app.counts.set(kind, (app.counts.get(kind) ?? 0) + 1);
    return true;
  } catch (error) {
    const isLate = performance.now() > trouble + cycle.aftermathMs;
    if (!isLate && injectedStatus.includes(error.status)) app.injected++;
    else app.unexpected.push(`${Math.round(elapsed() / 1000)} s, ${kind}: ${error.message}`);
    await wait(500);
    return false;
  }
}

async function switchFaults({ faults: switches }) {
  for (let round = 0; performance.now() < endsAt; round++) {
    await until(cycle.wholeMs - cycle.faultMs);
    const [endpoint, fault] = faults[round % faults.length];
    switches.set(endpoint, fault);
    for (const end = performance.now() + cycle.faultMs; performance.now() < Math.min(end, endsAt); ) {
      trouble = performance.now();
      await wait(100);
    }
    switches.clear();
  }
}

async function sample(app) {
  while (performance.now() < endsAt) {
    app.samples.push({ ms: elapsed(), ...(await app.child.usage()) });
    await until(sampleEveryMs);
  }
}

async function until(ms) {
  await wait(Math.max(0, Math.min(ms, endsAt - performance.now())));
}

function report(apps) {
  const sixth = (endsAt - startedAt) / 6;
  const rssIn = ({ samples }, part) =>
    median(samples.filter(({ ms }) => Math.floor(ms / sixth) === part).map(({ rss }) => rss)) / 1e6;
  const rows = apps.map((app) => {
    const rss = [0, 1, 2, 3, 4, 5].map((part) => rssIn(app, part));
    const growth = ((rss[5] / rss[1] - 1) * 100).toFixed(1);
    const requests = [...app.counts].map(([kind, count]) => `${number(count)} × ${kind}`).join(", ");
    return [
      `## On ${app.name}`,
      "",
      `- succeeded: ${requests}`,
      `- failed while a fault was on at the portal, or within ${cycle.aftermathMs / 1000} s: ${app.injected}`,
      `- failed otherwise: ${app.unexpected.length}`,
      ...app.unexpected.slice(0, 20).map((line) => `  - ${line.replaceAll("\n", " ")}`),
      `- memory (RSS, median of each sixth of the time, MB): ${rss.map((value) => value.toFixed(1)).join(", ")}; last against second: ${growth} %`,
      `- CPU: ${number((app.samples.at(-1).cpuUs / 1000 / (app.samples.at(-1).ms || 1)) * 100)} % of a core`,
      "",
    ].join("\n");
  });
  return [
    "# The soak test's last result",
    "",
    `\`npm run soak\`: ${minutes} minutes, ${visitors} visitors at each app, access tokens of ${accessTokenSeconds} s, one of ${faults.length} faults at the portal for`,
    `${cycle.faultMs / 1000} s in every ${cycle.wholeMs / 1000} s. Node ${process.versions.node}, ${availableParallelism()} cores, ${new Date().toISOString().slice(0, 10)}.`,
    "",
    ...rows,
  ].join("\n");
}
