import { randomBytes } from "node:crypto";
import { copyFileSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { folder, run } from "../children.js";
import { makeSecret, signedInUsers } from "../field.js";
import { alternate } from "../load.js";
import { started } from "./starts.js";

/** Whether a folder full of sessions slows anything down: pages, the start, the reaper. */
export async function storedSessions(field, plan) {
  const count = plan.storedSessions.toLocaleString("en");
  const results = new Map();
  const contestants = [];
  const full = join(folder("stored-full"), "sessions");

  for (const [id, label] of [
    ["stored-none", "our app on files, signed in GET /, no others stored"],
    ["stored-full", `our app on files, signed in GET /, ${count} sessions stored`],
  ]) {
    const children = [await field.app(id)];
    contestants.push({ id, label, children, users: await signedInUsers(children[0], plan.users) });
  }
  fill(full, plan.storedSessions);
  plan.say(`${count} sessions stored`);

  for (const [id, figures] of await alternate(contestants, plan)) results.set(id, figures);
  for (const { children } of contestants) await children[0].stop();

  const restart = () => field.app("stored-full");
  results.set("stored-start", await started(`our app on files: start with ${count} sessions`, restart, plan));
  for (const [id, what, idleSeconds] of [
    ["reaper-alive", "all alive", 14 * 24 * 60 * 60],
    ["reaper-expired", "all expired", 60],
  ]) {
    const label = `the reaper goes through ${count} sessions, ${what}`;
    try {
      const env = { FOLDER: full, IDLE_SECONDS: String(idleSeconds), ENCRYPTION_KEY: makeSecret() };
      results.set(id, { label, ...(await run(id, join(import.meta.dirname, "reap.js"), env)) });
    } catch (error) {
      results.set(id, { label, failure: error.message });
    }
    plan.say(label);
  }
  return results;
}

/** Copies a stored session under random names, an hour old: sealed and signed in, only not for this name. */
function fill(path, count) {
  const [original] = readdirSync(path).filter((file) => /^[0-9a-f]{64}\./.test(file));
  if (!original) throw new Error("there is no session file to copy");
  const anHourAgo = Date.now() / 1000 - 3600;
  for (let made = 1; made < count; made++) {
    const copy = join(path, original.replace(/^[0-9a-f]{64}/, randomBytes(32).toString("hex")));
    copyFileSync(join(path, original), copy);
    utimesSync(copy, anHourAgo, anHourAgo);
  }
}
