import { median, number } from "./numbers.js";
import { resources } from "./scenarios/proxy.js";

/** What performance is to be reached, judged from the results of this run. Not measured means not reached. */
export function goals(results, plan) {
  const signIns = plan.signInsInAll.toLocaleString("en");
  const stored = plan.storedSessions.toLocaleString("en");
  const sizeOf = (id) => (id.endsWith("200") ? 5 : 4);
  return [
    byCpu(1, "our start page on files to passport in memory, same bytes", "app", "passport", 1),
    byCpu(1, "for comparison: to express-openid-connect", "app", "openid-connect"),
    byCpu(1, "for comparison: to the tutorial's way", "app", "tutorial"),
    byCpu(1, "for comparison: anonymous GET / to Express with our bytes", "app-anonymous", "copy-anonymous"),
    byCpu(1, "for comparison: GET /sign-in to Express with our bytes", "app-sign-in", "copy-sign-in"),
    byCpu(
      1,
      "for comparison: anonymous GET / to a cookie whose session is gone",
      "app-stale",
      "app-anonymous",
    ),
    byCpu(2, "our file store to MemoryStore, an identity manager", "our-store", "memory-manager", 0.95),
    byCpu(2, "our file store to MemoryStore, plain data", "our-store-plain", "memory-plain", 0.85),
    most(3, "CPU for a whole sign-in on files", 2.5, "ms", cpuOf("sign-in-app")),
    byCpu(3, "sign-ins on files to sign-ins on Redis", "sign-in-app", "sign-in-app-redis", 0.75),
    ...resources.map(({ id, what }) =>
      byCpu(sizeOf(id), `/proxy to http-proxy-middleware, ${what}`, id, `${id}-peer`, 1),
    ),
    byCpu(6, "forward auth to a bare Express 204", "forward-auth", "bare-204", 0.6),
    byRate(7, `start page with ${stored} sessions stored to none`, "stored-full", "stored-none", 0.95),
    most(7, `reaper, ${stored} alive`, 10, "s", seconds("reaper-alive")),
    most(7, `reaper, ${stored} expired`, 10, "s", seconds("reaper-expired")),
    most(7, "longest stall of the event loop, all alive", 20, "ms", results.get("reaper-alive")?.stallMs),
    most(7, "longest stall of the event loop, all expired", 20, "ms", results.get("reaper-expired")?.stallMs),
    most(
      8,
      `RSS after ${signIns} sign-ins, with the heap flag of docs/deploy.md`,
      140,
      "MB",
      megabytes(results.get("sign-in-app-heap")?.rss),
    ),
    most(
      8,
      "heap then, after garbage collection",
      30,
      "MB",
      megabytes(results.get("sign-in-app-heap")?.heap),
    ),
    most(8, "growth over the last 60 % of them", 5, "MB", growth("sign-in-app-heap")),
    atMost(9, "RSS idle to the tutorial's server", "start-app", "start-tutorial", "rss", 1.3),
    atMost(9, "start to listening, to the tutorial's server", "start-app", "start-tutorial", "startMs", 1.5),
    byRate(10, "two processes on one folder to two that share nothing", "two-files", "two-apart", 0.9),
    byRate(10, "two processes on one Redis to one process", "two-redis", "one-redis"),
    most(10, "sign-outs that the other process missed, one folder", 0, "", results.get("two-files")?.stale),
    most(10, "sign-outs that the other process missed, one Redis", 0, "", results.get("two-redis")?.stale),
    most(11, "longest stall that a single request causes", 50, "ms", longestStall()),
    atMost(
      12,
      "consumer's install, packages, to express-openid-connect",
      "install-ours",
      "install-peer",
      "packages",
      1,
    ),
    atMost(12, "consumer's install, size", "install-ours", "install-peer", "bytes", 1),
    atMost(12, "import time", "install-ours", "install-peer", "importMs", 1),
    most("", `${plan.largeMegabytes} MB through /proxy: RSS growth`, 50, "MB", grown("proxy-large")),
    most("", `${plan.slowReaders} slow downloads through /proxy: RSS growth`, 50, "MB", grown("proxy-slow")),
  ];

  function byCpu(row, what, id, peer, least) {
    return ratioGoal(row, what, id, peer, least, "by CPU");
  }

  function byRate(row, what, id, peer, least) {
    return ratioGoal(row, what, id, peer, least, "by rate");
  }

  function ratioGoal(row, what, id, peer, least, by) {
    const rate = ratio(results.get(id)?.rates, results.get(peer)?.rates);
    const cpu = ratio(results.get(peer)?.cpus, results.get(id)?.cpus);
    const goal = least === undefined ? "" : `${least} x ${by}`;
    if (rate === undefined) return { row, what, goal };
    const value = by === "by CPU" ? cpu : rate;
    const reached = least === undefined ? "" : value >= least;
    return { row, what, goal, value: `${number(rate)} x`, byCpu: `${number(cpu)} x`, reached };
  }

  function atMost(row, what, id, peer, figure, limit) {
    const goal = `at most ${limit} x`;
    const [ours, theirs] = [results.get(id)?.[figure], results.get(peer)?.[figure]];
    if (ours === undefined || theirs === undefined) return { row, what, goal };
    return { row, what, goal, value: `${number(ours / theirs)} x`, reached: ours / theirs <= limit };
  }

  function most(row, what, limit, unit, value) {
    const goal = `at most ${limit} ${unit}`.trim();
    if (value === undefined) return { row, what, goal };
    return { row, what, goal, value: `${number(value)} ${unit}`.trim(), reached: value <= limit };
  }

  function cpuOf(id) {
    const { cpus = [] } = results.get(id) ?? {};
    return cpus.length ? median(cpus) / 1000 : undefined;
  }

  function growth(id) {
    const [before, after] = results.get(id)?.rssByCount ?? [];
    return after === undefined ? undefined : megabytes(Math.max(0, after - before));
  }

  function grown(id) {
    return megabytes(results.get(id)?.grown);
  }

  function longestStall() {
    const medians = [...results.values()].flatMap(({ stalls }) => (stalls ? [median(stalls)] : []));
    return medians.length ? Math.max(...medians) : undefined;
  }

  function seconds(id) {
    const { ms } = results.get(id) ?? {};
    return ms && ms / 1000;
  }
}

function megabytes(bytes) {
  return bytes === undefined ? undefined : bytes / 1e6;
}

/** The median of the ratios round by round, `undefined` when one of the two did not run. */
function ratio(above = [], below = []) {
  const rounds = Math.min(above.length, below.length);
  if (rounds === 0) return undefined;
  return median(Array.from({ length: rounds }, (_, round) => above[round] / below[round]));
}
