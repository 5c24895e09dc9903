import { settled, usageOf } from "../load.js";
import { signInWithArcGIS, Visitor } from "../visitor.js";

const visitors = 20;

/** What docs/deploy.md advises for a machine with little memory. */
const heapFlag = "--max-old-space-size=256";

const contestants = [
  ["sign-in-tutorial", "the tutorial's way: sign-ins", (field) => field.peer("tutorial")],
  ["sign-in-memory", "express-session, in memory: sign-ins", (field) => field.peer("memory")],
  ["sign-in-passport", "passport, in memory: sign-ins", (field) => field.peer("passport")],
  ["sign-in-connect-redis", "connect-redis + AES-GCM: sign-ins", (field) => field.peer("connect-redis")],
  ["sign-in-app", "our app on files: sign-ins", (field) => field.app("sign-in-app")],
  [
    "sign-in-app-heap",
    `our app on files with ${heapFlag}: sign-ins`,
    (field) => field.app("sign-in-heap", { flags: [heapFlag] }),
  ],
  [
    "sign-in-app-redis",
    "our app on Redis: sign-ins",
    (field) => field.app("sign-in-redis", { onRedis: true }),
  ],
];

/**
 * Whole sign-ins, up to the page that greets the user, by so many visitors at once. Then our app goes on until it
 * has seen as many as its memory is judged by.
 */
export async function signIns(field, plan) {
  const results = new Map();
  const children = new Map();
  for (const [id, label, start] of contestants) {
    results.set(id, { label, rates: [], cpus: [], p50s: [], p99s: [], portalCpus: [], count: 0, rss: 0 });
    if (id === "sign-in-app-redis") results.get(id).redisCpus = [];
    await orFailure(id, async () => children.set(id, await start(field)));
  }

  for (let round = 0; round < plan.signInRounds; round++) {
    for (const id of round % 2 ? [...children.keys()].reverse() : [...children.keys()]) {
      await orFailure(id, async () => {
        const its = results.get(id);
        const one = await measured(children.get(id), field, { seconds: plan.signInSeconds });
        for (const figure of ["rate", "cpu", "p50", "p99", "portalCpu"]) its[`${figure}s`].push(one[figure]);
        its.redisCpus?.push(one.redisCpu);
        its.count += one.count;
        its.rss = one.rss;
        plan.say(`${its.label}: ${one.rate.toFixed(1)}/s, ${(one.cpu / 1000).toFixed(2)} ms of CPU each`);
      });
    }
  }

  for (const id of ["sign-in-app", "sign-in-app-heap"]) {
    await orFailure(id, async () => {
      const its = results.get(id);
      const child = children.get(id);
      its.rssByCount = [];
      for (const count of [0.4, 1].map((part) => part * plan.signInsInAll)) {
        const missing = count - its.count;
        if (missing > 0) its.count += (await measured(child, field, { amount: missing })).count;
        its.rssByCount.push((await child.usage()).rss);
      }
      its.rss = its.rssByCount.at(-1);
      its.heap = await child.heap();
    });
  }
  for (const child of children.values()) await child.stop();
  return results;

  /** Takes a step with a contestant that has not failed yet. */
  async function orFailure(id, step) {
    const its = results.get(id);
    if (its.failure) return;
    try {
      await step();
    } catch (error) {
      its.failure = error.message;
    }
  }
}

async function measured(child, { portal, redis }, limit) {
  await settled([child, portal]);
  const [before, portalBefore] = await Promise.all([usageOf([child]), usageOf([portal])]);
  const redisBefore = await redis.cpuUs?.();
  const { times, ms } = await many(child, limit);
  await settled([child, portal]);
  const [after, portalAfter] = await Promise.all([usageOf([child]), usageOf([portal])]);
  const redisAfter = await redis.cpuUs?.();
  times.sort((a, b) => a - b);
  return {
    count: times.length,
    rate: (times.length / ms) * 1000,
    cpu: (after.cpuUs - before.cpuUs) / times.length,
    redisCpu: (redisAfter - redisBefore) / times.length,
    portalCpu: (portalAfter.cpuUs - portalBefore.cpuUs) / times.length,
    p50: times[Math.floor(times.length * 0.5)],
    p99: times[Math.floor(times.length * 0.99)],
    rss: after.rss,
  };
}

/** So many visitors sign in at once, each time in a new browser, until the time is over or the amount is reached. */
async function many({ url }, { seconds = Infinity, amount = Infinity }) {
  const startedAt = performance.now();
  const times = [];
  let begun = 0;
  async function signInAgain() {
    while (performance.now() < startedAt + seconds * 1000 && begun < amount) {
      begun++;
      const from = performance.now();
      await signInWithArcGIS(new Visitor(url));
      times.push(performance.now() - from);
    }
  }
  await Promise.all(Array.from({ length: visitors }, signInAgain));
  return { times, ms: performance.now() - startedAt };
}
