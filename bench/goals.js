import { median, number } from "./numbers.js";
import { answers } from "./scenarios/proxy.js";

/** What performance is to be reached, judged from the results of this run. Nothing measured, nothing reached. */
export function goals(results, plan) {
  const signIns = plan.signInsInAll.toLocaleString("en");
  const stored = plan.storedSessions.toLocaleString("en");
  const app = "our app on files, signed in,";
  return [
    faster(1, `${app} to passport's bare page`, "app", "passport", 1.3),
    faster(1, `${app} to express-openid-connect`, "app", "openid-connect", 2),
    faster(1, `${app} to the tutorial's way`, "app", "tutorial", 500),
    faster(2, "our session layer to cookie-session", "our-sessions", "cookie-session", 1),
    faster(2, "for comparison: for pages that change it", "our-sessions-writable", "cookie-session"),
    faster(2, "for comparison: our file store under express-session", "our-store", "cookie-session"),
    faster(3, "sign-ins on files to the tutorial's", "sign-in-app", "sign-in-tutorial", 80),
    faster(3, "sign-ins on files to connect-redis's", "sign-in-app", "sign-in-connect-redis", 1),
    most(3, "CPU a sign-in", 5, "ms", cpuOf("sign-in-app")),
    faster(4, "anonymous GET / to bare Express with our bytes", "app-anonymous", "copy-anonymous", 0.7),
    faster(4, "GET /sign-in to bare Express with our bytes", "app-sign-in", "copy-sign-in", 0.5),
    costs(5, "stale cookie to anonymous, session layer", "our-sessions-stale", "our-sessions-anonymous", 1.2),
    costs(
      5,
      "forged cookie to anonymous, session layer",
      "our-sessions-forged",
      "our-sessions-anonymous",
      1.2,
    ),
    costs(5, "stale cookie to anonymous, our app", "app-stale", "app-anonymous", 1.2),
    costs(5, "forged cookie to anonymous, our app", "app-forged", "app-anonymous", 1.2),
    faster(6, `signed in, ${stored} sessions stored to none`, "stored-full", "stored-none", 0.95),
    most(6, `reaper, ${stored} alive`, 10, "s", seconds("reaper-alive")),
    most(6, `reaper, ${stored} over`, 10, "s", seconds("reaper-over")),
    most(6, "longest stall of the event loop, all alive", 20, "ms", results.get("reaper-alive")?.stallMs),
    most(6, "longest stall of the event loop, all over", 20, "ms", results.get("reaper-over")?.stallMs),
    most(7, `RSS after ${signIns} sign-ins`, 120, "MB", megabytes("sign-in-app")),
    most(7, "RSS idle", 80, "MB", megabytes("start-app")),
    most(7, "start to listening", 400, "ms", results.get("start-app")?.startMs),
    most(7, `start to listening, ${stored} sessions stored`, 400, "ms", results.get("stored-start")?.startMs),
    faster(8, "two processes on one folder to one", "two-files", "one-files", 1.8),
    faster(8, "for comparison: two processes that share nothing", "two-apart", "one-files"),
    faster(8, "two processes on one Redis to one", "two-redis", "one-redis", 1.8),
    most(8, "sign-outs that the other process missed, one folder", 0, "", results.get("two-files")?.stale),
    most(8, "sign-outs that the other process missed, one Redis", 0, "", results.get("two-redis")?.stale),
    ...answers.map(({ id, what }) =>
      faster(9, `/proxy to a bare reverse proxy, ${what}`, id, `${id}-bare`, 0.7),
    ),
    most(9, `${plan.largeMegabytes} MB through /proxy: RSS growth`, 50, "MB", grown("proxy-large")),
    most(
      9,
      `${plan.slowReaders} downloads through /proxy nobody reads: RSS growth`,
      50,
      "MB",
      grown("proxy-slow"),
    ),
  ];

  function faster(point, what, id, peer, least) {
    const goal = least === undefined ? "" : `${least} x`;
    const rate = ratio(results.get(id)?.rates, results.get(peer)?.rates);
    const cpu = ratio(results.get(peer)?.cpus, results.get(id)?.cpus);
    if (rate === undefined) return { point, what, goal };
    const reached = least === undefined ? "" : rate >= least;
    return { point, what, goal, value: `${number(rate)} x`, byCpu: `${number(cpu)} x`, reached };
  }

  function costs(point, what, id, base, most) {
    const cpu = ratio(results.get(id)?.cpus, results.get(base)?.cpus);
    const goal = `at most ${most} x`;
    if (cpu === undefined) return { point, what, goal };
    return { point, what, goal, byCpu: `${number(cpu)} x`, reached: cpu <= most };
  }

  function most(point, what, limit, unit, value) {
    const goal = `at most ${limit} ${unit}`.trim();
    if (value === undefined) return { point, what, goal };
    return { point, what, goal, value: `${number(value)} ${unit}`.trim(), reached: value <= limit };
  }

  function cpuOf(id) {
    const { cpus = [] } = results.get(id) ?? {};
    return cpus.length ? median(cpus) / 1000 : undefined;
  }

  function grown(id) {
    const { grown } = results.get(id) ?? {};
    return grown === undefined ? undefined : grown / 1e6;
  }

  function seconds(id) {
    const { ms } = results.get(id) ?? {};
    return ms && ms / 1000;
  }

  function megabytes(id) {
    const { rss } = results.get(id) ?? {};
    return rss ? rss / 1e6 : undefined;
  }
}

/** The median of the ratios round by round, `undefined` when one of the two did not run. */
function ratio(above = [], below = []) {
  const rounds = Math.min(above.length, below.length);
  if (rounds === 0) return undefined;
  return median(Array.from({ length: rounds }, (_, round) => above[round] / below[round]));
}
