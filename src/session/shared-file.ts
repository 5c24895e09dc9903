import { randomUUID } from "node:crypto";
import { rename, rm, unlink, writeFile } from "node:fs/promises";
import { syncFolder } from "./folder-sync.ts";
import { draftExtension, endTurn, waitForTurn, wasThere, whoseTurn } from "./turns.ts";

/** Writes a file that nobody else writes meanwhile: all or nothing, and durably. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}${draftExtension}`;
  try {
    await writeFile(draft, text, { encoding: "latin1", flag: "wx", mode: 0o600, flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(path);
}

/**
 * Replaces a file: all or nothing, and durably. `make` gives the text while nobody else can change the file; it is
 * called again when the turn was ended before the text was in place. When it gives nothing, nothing is written.
 *
 * @throws what `make` throws, or the file system
 */
export async function replaceFile(path: string, make: () => Promise<string | undefined>): Promise<boolean> {
  const draft = await waitForTurn(path + draftExtension);
  let isDone = false;
  try {
    const text = await make();
    if (text === undefined) return false;
    // r+, so that the draft of a turn that has ended is not made anew.
    const written = writeFile(draft, text, { encoding: "latin1", flag: "r+", flush: true });
    isDone = await wasThere(written.then(() => rename(draft, path)));
  } finally {
    await endTurn(draft);
  }
  if (!isDone) return replaceFile(path, make);
  await syncFolder(path);
  return true;
}

/**
 * Removes a file for good and durably, and ends the turn of whoever is about to replace it. Gives false when there
 * was none. It takes no turn for that: a full disk has no room for one.
 */
export async function removeFile(path: string): Promise<boolean> {
  const turn = await whoseTurn(path + draftExtension);
  if (turn) await endTurn(turn);
  const existed = await wasThere(unlink(path));
  if (existed) await syncFolder(path);
  // Who had the turn, or has taken it since, may have replaced the file. Where neither was, nobody can any more.
  return existed || turn ? (await removeFile(path)) || existed : false;
}
