import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, rmdir, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/*
 * How processes that share a folder take turns, one at a time, and nobody waits for one that was killed.
 *
 * The place of a turn is a folder, and whose file lies in it has the turn. Everybody puts a file of a name of its own
 * into a folder of their own and moves that to the place, which the file system refuses as long as there is a
 * folder with something in it.
 *
 * A turn ends when its file is removed, or moved away: one step of the file system, which succeeds once. So anybody
 * may end anybody's turn at any moment, that very turn and no later one. Whoever must not go on after that makes
 * a rename of the file their last step.
 */

/** What ends like this was left behind by a killed process, once it is old. It may be removed at any time. */
export const draftExtension = ".draft";

/** Turns at work on a file last milliseconds. After so long, the next one in the queue ends it. */
const patienceMs = 10_000;
const lookEveryMs = 5;

/** Takes the turn and gives the path of its file; `undefined` when it is somebody else's. */
export async function takeTurn(place: string, name: string = randomUUID()): Promise<string | undefined> {
  const own = `${place}.${randomUUID()}${draftExtension}`;
  await mkdir(own, { mode: 0o700 });
  try {
    await writeFile(join(own, name), "", { flag: "wx", mode: 0o600 });
    await rename(own, place);
    return join(place, name);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    return unless(...inTheWay)(error as NodeJS.ErrnoException);
  }
}

/** Takes the turn as soon as it is free. */
export async function waitForTurn(place: string): Promise<string> {
  let other: string | undefined;
  let since = 0;
  for (;;) {
    const turn = await whoseTurn(place);
    const mine = turn ? undefined : await takeTurn(place);
    if (mine) return mine;
    if (turn !== other) [other, since] = [turn, performance.now()];
    if (turn && performance.now() - since > patienceMs) await endTurn(turn);
    else await sleep(lookEveryMs);
  }
}

/** The path of the file of whoever has the turn. */
export async function whoseTurn(place: string): Promise<string | undefined> {
  const [name] = (await readdir(place).catch(unless("ENOENT"))) ?? [];
  return name === undefined ? undefined : join(place, name);
}

/** Ends a turn. Gives false when it had ended before. */
export async function endTurn(turn: string): Promise<boolean> {
  const hadTurn = await wasThere(unlink(turn));
  await rmdir(dirname(turn)).catch(unless("ENOENT", ...inTheWay));
  return hadTurn;
}

/** What is said about a folder with something in it; on Windows, that it is not permitted. */
const inTheWay = ["ENOTEMPTY", "EEXIST", ...(process.platform === "win32" ? ["EPERM"] : [])];

/** Whether a step on a file found it there; false for ENOENT. */
export function wasThere(step: Promise<unknown>): Promise<boolean> {
  return step.then(
    () => true,
    (error) => unless("ENOENT")(error) ?? false,
  );
}

/** A `catch` that gives `undefined` for these error codes of the operating system and rethrows all others. */
export function unless(...codes: string[]): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
    return undefined;
  };
}
