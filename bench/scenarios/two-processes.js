import { cpSync } from "node:fs";
import { join } from "node:path";
import { folder } from "../children.js";
import { signedInUsers } from "../field.js";
import { alternate } from "../load.js";
import { signInWithArcGIS, usernames, Visitor } from "../visitor.js";

/**
 * Two processes of our app behind one address, half of the connections each, beside two that share nothing: on a
 * machine with few cores the load generator takes its share, and those show what the machine allows.
 */
export async function twoProcesses(field, plan) {
  const results = new Map();
  for (const [kind, onRedis] of [
    ["files", false],
    ["redis", true],
  ]) {
    try {
      for (const [id, figures] of await onOneStore(field, plan, kind, onRedis)) results.set(id, figures);
    } catch (error) {
      const label = `two processes of our app on one ${onRedis ? "Redis" : "folder"}`;
      results.set(`two-${kind}`, { label, failure: error.message });
    }
  }
  return results;
}

async function onOneStore(field, plan, kind, onRedis) {
  const place = onRedis ? "Redis" : "folder";
  const shared = join(folder(`two-${kind}`), "sessions");
  const one = await field.app(`two-${kind}-1`, { sessionDir: shared, onRedis });
  const other = await field.app(`two-${kind}-2`, { sessionDir: shared, onRedis });
  const users = await signedInUsers(one, plan.users);
  const redis = onRedis ? field.redis : undefined;
  const contestants = [
    { id: `one-${kind}`, label: `one process of our app on one ${place}`, children: [one], users, redis },
    {
      id: `two-${kind}`,
      label: `two processes of our app on one ${place}`,
      children: [one, other],
      users,
      redis,
    },
  ];
  if (!onRedis) {
    const apart = join(folder("two-apart"), "sessions");
    cpSync(shared, apart, { recursive: true });
    const third = await field.app("two-apart-2", { sessionDir: apart });
    contestants.push({
      id: "two-apart",
      label: "two processes of our app that share nothing",
      children: [one, third],
      users,
    });
  }
  const results = await alternate(contestants, plan);
  results.get(`two-${kind}`).stale = await missedSignOuts(one, other, plan.signOuts);
  results.get(`two-${kind}`).signOuts = plan.signOuts;
  for (const child of new Set(contestants.flatMap(({ children }) => children))) await child.stop();
  return results;
}

/** Signs out at one process and asks the other at once; returns how often the other still knew the user. */
async function missedSignOuts(one, other, count) {
  let stale = 0;
  for (let each = 0; each < count; each++) {
    const [here, there] = each % 2 ? [one, other] : [other, one];
    const visitor = new Visitor(here.url);
    await signInWithArcGIS(visitor);
    const { cookie } = visitor;
    const seenThere = async () => {
      const response = await fetch(`${there.url}/`, { headers: { cookie } });
      return (await response.text()).includes(usernames[0]);
    };
    // So that the other process has it in its memory, if it keeps anything there.
    if (!(await seenThere())) throw new Error("the other process does not know the user");
    await visitor.get("/sign-out", click);
    if (await seenThere()) stale++;
  }
  return stale;
}

/** What a browser sends along when a person clicks a link of the same site (W3C Fetch Metadata). */
const click = { "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };
