/**
 * `npm test` runs the test files that are not long: what to run before each commit, in less than a minute on two cores.
 * `npm run test:all`, and so `npm run check` and CI, also runs the long ones (`*.long.test.ts`: browsers, Redis, reverse
 * proxies, commands in processes of their own, waits, loads), repeats races and goes through matrices in full
 * (support/rounds.ts).
 *
 * A few processes each take the next file from a queue, because loading the same packages in a process for each file, as
 * `node --test` does, takes longer than most files. Each file is a suite of its own, and also runs alone:
 * `npm run build:test && node --test dist-test/store.test.js`.
 */
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, run } from "node:test";
import { spec } from "node:test/reporters";

const folder = import.meta.dirname;
const clocks = { date: Date.now, steady: performance.now };

if (process.env.TEST_QUEUE) await work(process.env.TEST_QUEUE);
else lead();

/** Starts the processes, and fails when a test does or when a file was not run to its end. */
function lead(): void {
  const queue = mkdtempSync(join(tmpdir(), "arcgis-sign-in-tests-"));
  process.env.TEST_QUEUE = queue;
  const isAll = process.argv.includes("--all");
  if (isAll) process.env.TEST_ALL = "1";
  const size = (file: string) => statSync(join(folder, file)).size;
  // What was compiled from a file that has been removed since is no test anymore.
  const isThere = (file: string) => existsSync(join(folder, "../test", file.replace(/js$/, "ts")));
  const isMeant = (file: string) => isThere(file) && (isAll || !file.endsWith(".long.test.js"));
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.js") && isMeant(file));
  // A long file that is begun last would keep everybody waiting.
  files.sort((a, b) => size(b) - size(a));
  for (const [turn, file] of files.entries()) writeFileSync(join(queue, `${1000 + turn} ${file}`), "");

  // Long tests wait for timers and for other programs, so there is room for two more.
  const processes = availableParallelism() + (isAll ? 2 : 0);
  const tests = run({
    files: Array.from({ length: processes }, () => import.meta.filename),
    concurrency: processes,
    // Only what hangs ends by these times, and no test because the machine is slow.
    timeout: 2 * 60 * 60_000,
  });
  const fail = () => {
    process.exitCode = 1;
  };
  tests.on("test:fail", fail);
  tests.on("end", () => {
    for (const name of readdirSync(queue)) {
      fail();
      console.error(`✖ not run to its end: ${name}`);
    }
    rmSync(queue, { recursive: true });
  });
  tests.compose(new spec()).pipe(process.stdout);
}

/** Takes one file after the other; what stays in the queue was not run, or not to its end. */
async function work(queue: string): Promise<void> {
  // What has no number is under way already.
  const waiting = readdirSync(queue).filter((name) => /^\d+ /.test(name));
  for (const name of waiting.sort()) {
    const file = name.slice(5);
    const taken = join(queue, file);
    try {
      renameSync(join(queue, name), taken);
    } catch {
      // Another process was faster.
      continue;
    }
    await describe(file, { timeout: 30 * 60_000 }, async () => {
      await import(`./${file}`);
    });
    // The next file would find a clock that stands still.
    const isReal = Date.now === clocks.date && performance.now === clocks.steady;
    if (!isReal) throw new Error(`${file} has left a clock mocked`);
    rmSync(taken);
  }
  const { closeChromium } = await import("./support/chromium.ts");
  await closeChromium();
}
