import { randomUUID } from "node:crypto";
import { open, rename, rm, unlink, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { draftExtension, endTurn, waitForTurn, wasThere, whoseTurn } from "./turns.js";
/** Writes a file that nobody else writes meanwhile: all or nothing, and durably. */
export async function writeWhole(path, text) {
    const draft = `${path}.${randomUUID()}${draftExtension}`;
    try {
        await writeFile(draft, text, { encoding: "latin1", flag: "wx", mode: 0o600, flush: true });
        await rename(draft, path);
    }
    catch (error) {
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
export async function replaceFile(path, make) {
    const draft = await waitForTurn(path + draftExtension);
    let isDone = false;
    try {
        const text = await make();
        if (text === undefined)
            return false;
        // r+, so that the draft of a turn that has ended is not made anew.
        const written = writeFile(draft, text, { encoding: "latin1", flag: "r+", flush: true });
        isDone = await wasThere(written.then(() => rename(draft, path)));
    }
    finally {
        await endTurn(draft);
    }
    if (!isDone)
        return replaceFile(path, make);
    await syncFolder(path);
    return true;
}
/**
 * Removes a file for good and durably, and ends the turn of whoever is about to replace it. Gives false when there
 * was none. It takes no turn for that: a full disk has no room for one.
 */
export async function removeFile(path) {
    const turn = await whoseTurn(path + draftExtension);
    if (turn)
        await endTurn(turn);
    const existed = await wasThere(unlink(path));
    if (existed)
        await syncFolder(path);
    // Who had the turn, or has taken it since, may have replaced the file. Where neither was, nobody can any more.
    return existed || turn ? (await removeFile(path)) || existed : false;
}
/** Without this, a power cut could undo what was done to the names in a folder. */
async function syncFolder(path) {
    if (process.platform === "win32")
        return;
    const folder = await open(dirname(path));
    await folder.sync().finally(() => folder.close());
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic2hhcmVkLWZpbGUuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJzaGFyZWQtZmlsZS50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEVBQUUsVUFBVSxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ3pDLE9BQU8sRUFBRSxJQUFJLEVBQUUsTUFBTSxFQUFFLEVBQUUsRUFBRSxNQUFNLEVBQUUsU0FBUyxFQUFFLE1BQU0sa0JBQWtCLENBQUM7QUFDdkUsT0FBTyxFQUFFLE9BQU8sRUFBRSxNQUFNLFdBQVcsQ0FBQztBQUNwQyxPQUFPLEVBQUUsY0FBYyxFQUFFLE9BQU8sRUFBRSxXQUFXLEVBQUUsUUFBUSxFQUFFLFNBQVMsRUFBRSxNQUFNLFlBQVksQ0FBQztBQUV2RixvRkFBb0Y7QUFDcEYsTUFBTSxDQUFDLEtBQUssVUFBVSxVQUFVLENBQUMsSUFBWSxFQUFFLElBQVk7SUFDekQsTUFBTSxLQUFLLEdBQUcsR0FBRyxJQUFJLElBQUksVUFBVSxFQUFFLEdBQUcsY0FBYyxFQUFFLENBQUM7SUFDekQsSUFBSSxDQUFDO1FBQ0gsTUFBTSxTQUFTLENBQUMsS0FBSyxFQUFFLElBQUksRUFBRSxFQUFFLFFBQVEsRUFBRSxRQUFRLEVBQUUsSUFBSSxFQUFFLElBQUksRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsQ0FBQyxDQUFDO1FBQzNGLE1BQU0sTUFBTSxDQUFDLEtBQUssRUFBRSxJQUFJLENBQUMsQ0FBQztJQUM1QixDQUFDO0lBQUMsT0FBTyxLQUFLLEVBQUUsQ0FBQztRQUNmLE1BQU0sRUFBRSxDQUFDLEtBQUssRUFBRSxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsQ0FBQyxDQUFDO1FBQ2pDLE1BQU0sS0FBSyxDQUFDO0lBQ2QsQ0FBQztJQUNELE1BQU0sVUFBVSxDQUFDLElBQUksQ0FBQyxDQUFDO0FBQ3pCLENBQUM7QUFFRDs7Ozs7R0FLRztBQUNILE1BQU0sQ0FBQyxLQUFLLFVBQVUsV0FBVyxDQUFDLElBQVksRUFBRSxJQUF1QztJQUNyRixNQUFNLEtBQUssR0FBRyxNQUFNLFdBQVcsQ0FBQyxJQUFJLEdBQUcsY0FBYyxDQUFDLENBQUM7SUFDdkQsSUFBSSxNQUFNLEdBQUcsS0FBSyxDQUFDO0lBQ25CLElBQUksQ0FBQztRQUNILE1BQU0sSUFBSSxHQUFHLE1BQU0sSUFBSSxFQUFFLENBQUM7UUFDMUIsSUFBSSxJQUFJLEtBQUssU0FBUztZQUFFLE9BQU8sS0FBSyxDQUFDO1FBQ3JDLG1FQUFtRTtRQUNuRSxNQUFNLE9BQU8sR0FBRyxTQUFTLENBQUMsS0FBSyxFQUFFLElBQUksRUFBRSxFQUFFLFFBQVEsRUFBRSxRQUFRLEVBQUUsSUFBSSxFQUFFLElBQUksRUFBRSxLQUFLLEVBQUUsSUFBSSxFQUFFLENBQUMsQ0FBQztRQUN4RixNQUFNLEdBQUcsTUFBTSxRQUFRLENBQUMsT0FBTyxDQUFDLElBQUksQ0FBQyxHQUFHLEVBQUUsQ0FBQyxNQUFNLENBQUMsS0FBSyxFQUFFLElBQUksQ0FBQyxDQUFDLENBQUMsQ0FBQztJQUNuRSxDQUFDO1lBQVMsQ0FBQztRQUNULE1BQU0sT0FBTyxDQUFDLEtBQUssQ0FBQyxDQUFDO0lBQ3ZCLENBQUM7SUFDRCxJQUFJLENBQUMsTUFBTTtRQUFFLE9BQU8sV0FBVyxDQUFDLElBQUksRUFBRSxJQUFJLENBQUMsQ0FBQztJQUM1QyxNQUFNLFVBQVUsQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUN2QixPQUFPLElBQUksQ0FBQztBQUNkLENBQUM7QUFFRDs7O0dBR0c7QUFDSCxNQUFNLENBQUMsS0FBSyxVQUFVLFVBQVUsQ0FBQyxJQUFZO0lBQzNDLE1BQU0sSUFBSSxHQUFHLE1BQU0sU0FBUyxDQUFDLElBQUksR0FBRyxjQUFjLENBQUMsQ0FBQztJQUNwRCxJQUFJLElBQUk7UUFBRSxNQUFNLE9BQU8sQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUM5QixNQUFNLE9BQU8sR0FBRyxNQUFNLFFBQVEsQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQztJQUM3QyxJQUFJLE9BQU87UUFBRSxNQUFNLFVBQVUsQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUNwQywrR0FBK0c7SUFDL0csT0FBTyxPQUFPLElBQUksSUFBSSxDQUFDLENBQUMsQ0FBQyxDQUFDLE1BQU0sVUFBVSxDQUFDLElBQUksQ0FBQyxDQUFDLElBQUksT0FBTyxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUM7QUFDdkUsQ0FBQztBQUVELG1GQUFtRjtBQUNuRixLQUFLLFVBQVUsVUFBVSxDQUFDLElBQVk7SUFDcEMsSUFBSSxPQUFPLENBQUMsUUFBUSxLQUFLLE9BQU87UUFBRSxPQUFPO0lBQ3pDLE1BQU0sTUFBTSxHQUFHLE1BQU0sSUFBSSxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDO0lBQ3pDLE1BQU0sTUFBTSxDQUFDLElBQUksRUFBRSxDQUFDLE9BQU8sQ0FBQyxHQUFHLEVBQUUsQ0FBQyxNQUFNLENBQUMsS0FBSyxFQUFFLENBQUMsQ0FBQztBQUNwRCxDQUFDIn0=