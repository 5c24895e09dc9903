import { rmSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { stopAll, workFolder } from "./children.js";
import { openField } from "./field.js";
import { report } from "./report.js";
import { forwardAuth } from "./scenarios/forward-auth.js";
import { install } from "./scenarios/install.js";
import { pages } from "./scenarios/pages.js";
import { proxy } from "./scenarios/proxy.js";
import { signIns } from "./scenarios/sign-ins.js";
import { stalls } from "./scenarios/stalls.js";
import { starts } from "./scenarios/starts.js";
import { storedSessions } from "./scenarios/stored-sessions.js";
import { stores } from "./scenarios/stores.js";
import { twoProcesses } from "./scenarios/two-processes.js";

const scenarios = [
  starts,
  pages,
  stores,
  proxy,
  forwardAuth,
  signIns,
  storedSessions,
  twoProcesses,
  stalls,
  install,
];

/** How long each part takes. The quick plan shows that all is in place; quote the figures of the full one only. */
const plans = {
  full: {
    users: 1_000,
    connections: 50,
    rounds: 9,
    seconds: 1.5,
    warmUpSeconds: 1.5,
    tutorialRequests: 50,
    signInRounds: 3,
    signInSeconds: 6,
    signInsInAll: 10_000,
    storedSessions: 100_000,
    signOuts: 100,
    largeMegabytes: 100,
    slowReaders: 100,
    starts: 9,
    stallRepeats: 5,
  },
  quick: {
    users: 20,
    connections: 20,
    rounds: 1,
    seconds: 0.5,
    warmUpSeconds: 0.1,
    tutorialRequests: 10,
    signInRounds: 1,
    signInSeconds: 1,
    signInsInAll: 100,
    storedSessions: 2_000,
    signOuts: 10,
    largeMegabytes: 20,
    slowReaders: 20,
    starts: 1,
    stallRepeats: 2,
  },
};

/**
 * Runs the scenarios, prints the tables, and writes them to results.md. A run that is not the whole one writes
 * results.quick.md, which git ignores.
 *
 * @param {{ quick: boolean, only: string, profile: boolean }} options `only`: names of scenarios, with commas;
 *   `profile`: our app leaves CPU profiles in profiles/, which costs it a part of its speed
 */
export async function benchmark({ quick, only, profile }) {
  const names = only ? only.split(",") : scenarios.map(({ name }) => name);
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no scenario ${unknown}. There are ${scenarios.map(({ name }) => name).join(", ")}.`,
    );
    process.exitCode = 1;
    return;
  }

  const startedAt = performance.now();
  const say = (text) =>
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${text}`);
  const plan = { ...plans[quick ? "quick" : "full"], quick, say, profile, loadBefore: loadavg()[0] };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
  rmSync(workFolder, { recursive: true, force: true });

  try {
    const field = await openField(plan);
    const results = new Map();
    for (const scenario of scenarios.filter(({ name }) => names.includes(name))) {
      say(`--- ${scenario.name}`);
      try {
        for (const [id, figures] of await scenario(field, plan)) results.set(id, figures);
      } catch (error) {
        results.set(scenario.name, { label: scenario.name, failure: error.message });
      }
    }
    const text = report(results, plan, (performance.now() - startedAt) / 1000);
    console.log(text);
    const whole = !quick && !only && !profile;
    writeFileSync(join(import.meta.dirname, whole ? "results.md" : "results.quick.md"), text);
  } finally {
    await stopAll();
    rmSync(workFolder, { recursive: true, force: true });
  }
}
