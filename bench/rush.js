// npm run rush [-- --users 5000 --minutes 10 --redis]
// A morning: so many users sign in within so many minutes, each at a random moment and from an address of their own, and
// open a map. What it looks for: users who are refused, and how long the others wait.
import { rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { stopAll, workFolder } from "./children.js";
import { openField } from "./field.js";
import { number } from "./numbers.js";
import { signInWithArcGIS, usernames, Visitor } from "./visitor.js";

const { values } = parseArgs({
  options: {
    users: { type: "string", default: "5000" },
    minutes: { type: "string", default: "10" },
    redis: { type: "boolean", default: false },
  },
});
const [users, minutes] = [Number(values.users), Number(values.minutes)];
if (!(users >= 1 && minutes > 0)) throw new Error("--users and --minutes take numbers above 0");

/** What a map of a few layers requests through /proxy, so many at a time, as a browser does with HTTP/1.1. */
const [requestsAMap, atATime] = [40, 6];

const waits = new Map();
const refused = new Map();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
rmSync(workFolder, { recursive: true, force: true });

try {
  const field = await openField({ say: console.error });
  const service = await field.peer("service");
  field.portal.tell({ federate: `${service.url}/arcgis` });
  const layer = `${service.url}/arcgis/rest/json/4096`;
  const app = await field.app("rush", {
    onRedis: values.redis,
    settings: {
      TRUST_PROXY: "127.0.0.1",
      RATE_LIMIT: "60",
      MAP_LAYERS: `${service.url}/arcgis/rest/services/Trees/FeatureServer/0 Trees`,
      PROXY_ALLOW: `${service.url}/arcgis/rest/`,
    },
  });
  const before = await app.usage();
  const startedAt = performance.now();
  const progress = setInterval(() => {
    const count = waits.get("sign-in")?.length ?? 0;
    const seconds = (performance.now() - startedAt) / 1000;
    console.error(`${seconds.toFixed(0).padStart(4)} s  ${count} of ${users} users have signed in`);
  }, 15_000);
  await Promise.all(Array.from({ length: users }, (_, index) => comeToWork(app, layer, index)));
  clearInterval(progress);
  const seconds = (performance.now() - startedAt) / 1000;
  const { cpuUs, rss } = await app.usage();
  const text = report({ seconds, rss, core: (cpuUs - before.cpuUs) / 1e6 / seconds });
  console.log(text);
  const isWhole = users === 5_000 && minutes === 10 && !values.redis;
  writeFileSync(join(import.meta.dirname, isWhole ? "rush.md" : "rush.quick.md"), text);
  if (refused.size > 0) process.exitCode = 1;
} finally {
  await stopAll();
  rmSync(workFolder, { recursive: true, force: true });
}

async function comeToWork(app, layer, index) {
  await wait(Math.random() * minutes * 60_000);
  const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const visitor = new Visitor(app.url, { "X-Forwarded-For": address });
  const username = usernames[1 + (index % (usernames.length - 1))];
  if (!(await timed("sign-in", () => signInWithArcGIS(visitor, username)))) return;
  if (!(await timed("map page", () => get(visitor, "/map", username)))) return;
  let left = requestsAMap;
  const load = async () => {
    while (left-- > 0) await timed("request of the map", () => get(visitor, `/proxy?${layer}`, "Trees"));
  };
  await Promise.all(Array.from({ length: atATime }, load));
}

async function get(visitor, path, expected) {
  const { status, text } = await visitor.get(path, { "Sec-Fetch-Site": "same-origin" });
  if (status !== 200 || !text.includes(expected)) throw new Error(`${path} sent ${status}`);
}

/** False when it failed. */
async function timed(what, step) {
  const startedAt = performance.now();
  try {
    await step();
  } catch ({ message }) {
    refused.set(message, (refused.get(message) ?? 0) + 1);
    return false;
  }
  if (!waits.has(what)) waits.set(what, []);
  waits.get(what).push(performance.now() - startedAt);
  return true;
}

function report({ seconds, rss, core }) {
  const rows = [...waits].map(([what, all]) => {
    const sorted = all.sort((a, b) => a - b);
    const at = (part) => `${number(sorted[Math.floor((sorted.length - 1) * part)])} ms`;
    return `| ${what} | ${sorted.length.toLocaleString("en")} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`;
  });
  const failures = [...refused].map(([message, count]) => `  - ${count} × ${message}`);
  return `# The rush's last result

\`npm run rush\`: ${users.toLocaleString("en")} users sign in within ${minutes} minutes, each from an address of their own, and open a map of
${requestsAMap} requests. One process on ${values.redis ? "Redis" : "files"}, with the portal, the ArcGIS Server and the users on the same ${availableParallelism()} cores.
Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}.

| | | half within | 99 % within | longest |
| --- | ---: | ---: | ---: | ---: |
${rows.join("\n")}

- refused or failed: ${[...refused.values()].reduce((sum, count) => sum + count, 0)}
${[...failures, ""].join("\n")}- the server: ${number(core * 100)} % of a core, RSS ${number(rss / 1e6)} MB, after ${number(seconds)} s
`;
}
