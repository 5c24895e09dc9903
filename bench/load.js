import { setTimeout as wait } from "node:timers/promises";
import autocannon from "autocannon";

/** What no goal compares: every third round is enough. */
const onlyShown = new Set([
  "app-forged",
  "app-redis",
  "bare-express",
  "memory",
  "connect-redis",
  "cookie-session",
  "iron-session",
  "session-file-store",
  "our-sessions",
  "our-sessions-anonymous",
  "our-sessions-stale",
  "our-sessions-forged",
  "our-sessions-writable",
  "proxy-json-4-bare",
  "proxy-pbf-4-bare",
  "proxy-json-200-bare",
  "proxy-png-200-bare",
  "forward-auth-everyone",
  "forward-auth-refused",
]);

/** What autocannon itself takes of the machine for a request (us of CPU), one figure a round. */
export const generatorCpus = [];

/**
 * One server, or several with the same session, under one kind of request.
 *
 * @typedef {object} Contestant
 * @property {string} id under which its figures are kept
 * @property {string} label what the table calls it
 * @property {object[]} children the processes; connections are dealt out to them in turn
 * @property {string} [path] default "/"
 * @property {{ username?: string, cookie: string }[]} [users] whose requests they are, in rotation
 * @property {Record<string, string>} [headers] other headers of the request
 * @property {{ status: number, text?: string, header?: string }} [expect] every response's status, and a text in it or
 *   in this header; the user name by default
 * @property {{ cpuUs(): Promise<number> }} [redis] where the sessions are, if its CPU is of interest
 * @property {number} [amount] for the very slow: so many requests instead of so many seconds
 */

/**
 * What the rounds of a contestant gave, or why there is nothing.
 *
 * @typedef {object} Figures
 * @property {string} label
 * @property {number[]} rates requests a second, round by round
 * @property {number[]} cpus CPU time of the server a request (us)
 * @property {number[]} [redisCpus] the same of Redis
 * @property {number[]} p50s time to the response (ms): half are faster
 * @property {number[]} p99s
 * @property {number} rss memory of its processes after the last round (bytes)
 * @property {string} [failure]
 */

/**
 * Loads all contestants round by round (those that no goal compares in every third), every other round in reverse order: so a slow drift of the machine hits
 * them alike. A contestant with a wrong response is out, and says so.
 *
 * @param {Contestant[]} contestants
 * @param {{ rounds: number, seconds: number, warmUpSeconds: number, connections: number,
 *   say: (text: string) => void }} plan
 * @returns {Promise<Map<string, Figures>>}
 */
export async function alternate(contestants, { rounds, seconds, warmUpSeconds, connections, say }) {
  const figures = new Map(
    contestants.map(({ id, label, redis }) => [
      id,
      { label, rates: [], cpus: [], p50s: [], p99s: [], rss: 0, ...(redis && { redisCpus: [] }) },
    ]),
  );
  const inRace = new Set(contestants);

  async function orOut(contestant, step) {
    if (!inRace.has(contestant)) return;
    try {
      await step();
    } catch (error) {
      figures.get(contestant.id).failure = error.message;
      say(`${contestant.label}: ${error.message}`);
      inRace.delete(contestant);
    }
  }

  for (const contestant of contestants) {
    await orOut(contestant, async () => {
      await check(contestant);
      if (!contestant.amount) await load(contestant, { connections, seconds: warmUpSeconds });
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const contestant of round % 2 ? contestants.toReversed() : contestants) {
      if (round % 3 && onlyShown.has(contestant.id)) continue;
      await orOut(contestant, async () => {
        await settled(contestant.children);
        const { amount } = contestant;
        const one = await measured(contestant, amount ? { connections, amount } : { connections, seconds });
        const its = figures.get(contestant.id);
        its.rates.push(one.rate);
        its.cpus.push(one.cpu);
        its.redisCpus?.push(one.redisCpu);
        its.p50s.push(one.p50);
        its.p99s.push(one.p99);
        its.rss = one.rss;
        say(`round ${round + 1}: ${contestant.label}: ${one.rate.toFixed(0)}/s, ${one.cpu.toFixed(0)} us`);
      });
    }
  }
  for (const contestant of contestants) await orOut(contestant, () => check(contestant));
  return figures;
}

async function measured(contestant, limit) {
  const { children, redis } = contestant;
  const before = await usageOf(children);
  const redisBefore = await redis?.cpuUs();
  const own = process.cpuUsage();
  const { latencies, ms } = await load(contestant, limit);
  const { user, system } = process.cpuUsage(own);
  const after = await usageOf(children);
  const redisAfter = await redis?.cpuUs();
  if (latencies.length === 0) throw new Error("there was no response in time");
  generatorCpus.push((user + system) / latencies.length);
  latencies.sort();
  const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))];
  return {
    rate: (latencies.length / ms) * 1000,
    cpu: (after.cpuUs - before.cpuUs) / latencies.length,
    redisCpu: (redisAfter - redisBefore) / latencies.length,
    p50: at(0.5),
    p99: at(0.99),
    rss: after.rss,
  };
}

/** Sends requests over so many connections, each sending the next when it has its response. */
function load(contestant, { connections, seconds, amount }) {
  const { children, path = "/", headers, users, expect = { status: 200 } } = contestant;
  const clients = amount ? Math.min(connections, amount) : connections;
  let clientsMade = 0;
  const latencies = [];
  let wrong = 0;
  let last = 0;
  return new Promise((resolve, reject) => {
    let startedAt;
    const generator = autocannon(
      {
        url: children.map(({ url }) => url + path),
        headers,
        connections: clients,
        // Each connection takes its share of the users: all of them come in turn.
        setupClient(client) {
          const index = clientsMade++;
          const share = users?.filter((_, user) => user % clients === index);
          if (share?.length)
            client.setRequests(share.map((user) => ({ headers: headersOf(contestant, user) })));
        },
        timeout: 120,
        sampleInt: 50,
        ...(amount ? { amount } : { duration: seconds }),
      },
      (error, result) => {
        if (error) return reject(error);
        if (wrong > 0)
          return reject(new Error(`${wrong} of ${latencies.length} responses had a wrong status`));
        if (result.errors > 0) return reject(new Error(`${result.errors} requests failed`));
        resolve({ latencies: Float64Array.from(latencies), ms: last - startedAt });
      },
    );
    generator.once("start", () => {
      startedAt = performance.now();
    });
    // autocannon's own histogram counts in whole milliseconds.
    generator.on("response", (_client, status, _bytes, ms) => {
      if (status !== expect.status) wrong++;
      latencies.push(ms);
      last = performance.now();
    });
  });
}

/** Looks at a response of each process, for the first and the last user: a fast error page would win every race. */
async function check(contestant) {
  const { children, path = "/", users = [undefined], expect = { status: 200 } } = contestant;
  for (const { url } of children) {
    for (const user of new Set([users[0], users.at(-1)])) {
      const response = await fetch(url + path, { headers: headersOf(contestant, user), redirect: "manual" });
      const text = await response.text();
      const body = expect.header ? response.headers.get(expect.header) : text;
      if (response.status !== expect.status)
        throw new Error(`${path} sent ${response.status}, not ${expect.status}`);
      const said = expect.text ?? user?.username;
      if (said && !body?.includes(said)) throw new Error(`${path} does not say "${said}"`);
    }
  }
}

function headersOf({ headers }, user) {
  return { ...headers, ...(user && { cookie: user.cookie }) };
}

/** CPU time and memory of processes together. */
export async function usageOf(children) {
  const all = await Promise.all(children.map((child) => child.usage()));
  const sum = (key) => all.reduce((total, usage) => total + usage[key], 0);
  return { cpuUs: sum("cpuUs"), rss: sum("rss") };
}

/** Resolves when the processes have nothing left to do. */
export async function settled(children) {
  for (let tries = 0; tries < 200; tries++) {
    const before = await usageOf(children);
    await wait(50);
    const after = await usageOf(children);
    if (after.cpuUs - before.cpuUs < 10_000) return;
  }
}
