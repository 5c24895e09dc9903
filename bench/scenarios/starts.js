import { setTimeout as wait } from "node:timers/promises";
import { median } from "../numbers.js";

/** From the start of the process to listening, and the memory of a server before its first request. */
export async function starts(field, plan) {
  return new Map([
    ["start-tutorial", await started("the tutorial's way: start", () => field.peer("tutorial"), plan)],
    ["start-app", await started("our app on files: start", () => field.app("start-app"), plan)],
  ]);
}

/** Starts something several times. */
export async function started(label, start, plan) {
  try {
    const times = [];
    const memory = [];
    for (let count = 0; count < plan.starts; count++) {
      const child = await start();
      await wait(500);
      const { rss } = await child.usage();
      times.push(child.startMs);
      memory.push(rss);
      await child.stop();
    }
    plan.say(`${label}: ${median(times).toFixed(0)} ms`);
    return { label, startMs: median(times), rss: median(memory) };
  } catch (error) {
    return { label, failure: error.message };
  }
}
