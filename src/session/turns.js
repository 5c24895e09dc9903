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
export async function takeTurn(place, name = randomUUID()) {
    const own = `${place}.${randomUUID()}${draftExtension}`;
    await mkdir(own, { mode: 0o700 });
    try {
        await writeFile(join(own, name), "", { flag: "wx", mode: 0o600 });
        await rename(own, place);
        return join(place, name);
    }
    catch (error) {
        await rm(own, { recursive: true, force: true });
        return unless(...inTheWay)(error);
    }
}
/** Takes the turn as soon as it is free. */
export async function waitForTurn(place) {
    let other;
    let since = 0;
    for (;;) {
        const turn = await whoseTurn(place);
        const mine = turn ? undefined : await takeTurn(place);
        if (mine)
            return mine;
        if (turn !== other)
            [other, since] = [turn, performance.now()];
        if (turn && performance.now() - since > patienceMs)
            await endTurn(turn);
        else
            await sleep(lookEveryMs);
    }
}
/** The path of the file of whoever has the turn. */
export async function whoseTurn(place) {
    const [name] = (await readdir(place).catch(unless("ENOENT"))) ?? [];
    return name === undefined ? undefined : join(place, name);
}
/** Ends a turn. Gives false when it had ended before. */
export async function endTurn(turn) {
    const hadTurn = await wasThere(unlink(turn));
    await rmdir(dirname(turn)).catch(unless("ENOENT", ...inTheWay));
    return hadTurn;
}
/** What is said about a folder with something in it; on Windows, that it is not permitted. */
const inTheWay = ["ENOTEMPTY", "EEXIST", ...(process.platform === "win32" ? ["EPERM"] : [])];
export function wasThere(step) {
    return step.then(() => true, (error) => unless("ENOENT")(error) ?? false);
}
/** A `catch` that gives `undefined` for these error codes of the operating system and rethrows all others. */
export function unless(...codes) {
    return (error) => {
        if (!codes.includes(error.code ?? ""))
            throw error;
        return undefined;
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoidHVybnMuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJ0dXJucy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEVBQUUsVUFBVSxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ3pDLE9BQU8sRUFBRSxLQUFLLEVBQUUsT0FBTyxFQUFFLE1BQU0sRUFBRSxFQUFFLEVBQUUsS0FBSyxFQUFFLE1BQU0sRUFBRSxTQUFTLEVBQUUsTUFBTSxrQkFBa0IsQ0FBQztBQUN4RixPQUFPLEVBQUUsT0FBTyxFQUFFLElBQUksRUFBRSxNQUFNLFdBQVcsQ0FBQztBQUMxQyxPQUFPLEVBQUUsVUFBVSxJQUFJLEtBQUssRUFBRSxNQUFNLHNCQUFzQixDQUFDO0FBRTNEOzs7Ozs7Ozs7O0dBVUc7QUFFSCw4R0FBOEc7QUFDOUcsTUFBTSxDQUFDLE1BQU0sY0FBYyxHQUFHLFFBQVEsQ0FBQztBQUV2QyxtR0FBbUc7QUFDbkcsTUFBTSxVQUFVLEdBQUcsTUFBTSxDQUFDO0FBQzFCLE1BQU0sV0FBVyxHQUFHLENBQUMsQ0FBQztBQUV0Qiw2RkFBNkY7QUFDN0YsTUFBTSxDQUFDLEtBQUssVUFBVSxRQUFRLENBQUMsS0FBYSxFQUFFLElBQUksR0FBVyxVQUFVLEVBQUU7SUFDdkUsTUFBTSxHQUFHLEdBQUcsR0FBRyxLQUFLLElBQUksVUFBVSxFQUFFLEdBQUcsY0FBYyxFQUFFLENBQUM7SUFDeEQsTUFBTSxLQUFLLENBQUMsR0FBRyxFQUFFLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxDQUFDLENBQUM7SUFDbEMsSUFBSSxDQUFDO1FBQ0gsTUFBTSxTQUFTLENBQUMsSUFBSSxDQUFDLEdBQUcsRUFBRSxJQUFJLENBQUMsRUFBRSxFQUFFLEVBQUUsRUFBRSxJQUFJLEVBQUUsSUFBSSxFQUFFLElBQUksRUFBRSxLQUFLLEVBQUUsQ0FBQyxDQUFDO1FBQ2xFLE1BQU0sTUFBTSxDQUFDLEdBQUcsRUFBRSxLQUFLLENBQUMsQ0FBQztRQUN6QixPQUFPLElBQUksQ0FBQyxLQUFLLEVBQUUsSUFBSSxDQUFDLENBQUM7SUFDM0IsQ0FBQztJQUFDLE9BQU8sS0FBSyxFQUFFLENBQUM7UUFDZixNQUFNLEVBQUUsQ0FBQyxHQUFHLEVBQUUsRUFBRSxTQUFTLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsQ0FBQyxDQUFDO1FBQ2hELE9BQU8sTUFBTSxDQUFDLEdBQUcsUUFBUSxDQUFDLENBQUMsS0FBOEIsQ0FBQyxDQUFDO0lBQzdELENBQUM7QUFDSCxDQUFDO0FBRUQsNENBQTRDO0FBQzVDLE1BQU0sQ0FBQyxLQUFLLFVBQVUsV0FBVyxDQUFDLEtBQWE7SUFDN0MsSUFBSSxLQUF5QixDQUFDO0lBQzlCLElBQUksS0FBSyxHQUFHLENBQUMsQ0FBQztJQUNkLFNBQVMsQ0FBQztRQUNSLE1BQU0sSUFBSSxHQUFHLE1BQU0sU0FBUyxDQUFDLEtBQUssQ0FBQyxDQUFDO1FBQ3BDLE1BQU0sSUFBSSxHQUFHLElBQUksQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDLENBQUMsQ0FBQyxNQUFNLFFBQVEsQ0FBQyxLQUFLLENBQUMsQ0FBQztRQUN0RCxJQUFJLElBQUk7WUFBRSxPQUFPLElBQUksQ0FBQztRQUN0QixJQUFJLElBQUksS0FBSyxLQUFLO1lBQUUsQ0FBQyxLQUFLLEVBQUUsS0FBSyxDQUFDLEdBQUcsQ0FBQyxJQUFJLEVBQUUsV0FBVyxDQUFDLEdBQUcsRUFBRSxDQUFDLENBQUM7UUFDL0QsSUFBSSxJQUFJLElBQUksV0FBVyxDQUFDLEdBQUcsRUFBRSxHQUFHLEtBQUssR0FBRyxVQUFVO1lBQUUsTUFBTSxPQUFPLENBQUMsSUFBSSxDQUFDLENBQUM7O1lBQ25FLE1BQU0sS0FBSyxDQUFDLFdBQVcsQ0FBQyxDQUFDO0lBQ2hDLENBQUM7QUFDSCxDQUFDO0FBRUQsb0RBQW9EO0FBQ3BELE1BQU0sQ0FBQyxLQUFLLFVBQVUsU0FBUyxDQUFDLEtBQWE7SUFDM0MsTUFBTSxDQUFDLElBQUksQ0FBQyxHQUFHLENBQUMsTUFBTSxPQUFPLENBQUMsS0FBSyxDQUFDLENBQUMsS0FBSyxDQUFDLE1BQU0sQ0FBQyxRQUFRLENBQUMsQ0FBQyxDQUFDLElBQUksRUFBRSxDQUFDO0lBQ3BFLE9BQU8sSUFBSSxLQUFLLFNBQVMsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDLENBQUMsQ0FBQyxJQUFJLENBQUMsS0FBSyxFQUFFLElBQUksQ0FBQyxDQUFDO0FBQzVELENBQUM7QUFFRCx5REFBeUQ7QUFDekQsTUFBTSxDQUFDLEtBQUssVUFBVSxPQUFPLENBQUMsSUFBWTtJQUN4QyxNQUFNLE9BQU8sR0FBRyxNQUFNLFFBQVEsQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQztJQUM3QyxNQUFNLEtBQUssQ0FBQyxPQUFPLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUMsTUFBTSxDQUFDLFFBQVEsRUFBRSxHQUFHLFFBQVEsQ0FBQyxDQUFDLENBQUM7SUFDaEUsT0FBTyxPQUFPLENBQUM7QUFDakIsQ0FBQztBQUVELDhGQUE4RjtBQUM5RixNQUFNLFFBQVEsR0FBRyxDQUFDLFdBQVcsRUFBRSxRQUFRLEVBQUUsR0FBRyxDQUFDLE9BQU8sQ0FBQyxRQUFRLEtBQUssT0FBTyxDQUFDLENBQUMsQ0FBQyxDQUFDLE9BQU8sQ0FBQyxDQUFDLENBQUMsQ0FBQyxFQUFFLENBQUMsQ0FBQyxDQUFDO0FBRTdGLE1BQU0sVUFBVSxRQUFRLENBQUMsSUFBc0I7SUFDN0MsT0FBTyxJQUFJLENBQUMsSUFBSSxDQUNkLEdBQUcsRUFBRSxDQUFDLElBQUksRUFDVixDQUFDLEtBQUssRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLFFBQVEsQ0FBQyxDQUFDLEtBQUssQ0FBQyxJQUFJLEtBQUssQ0FDNUMsQ0FBQztBQUNKLENBQUM7QUFFRCw4R0FBOEc7QUFDOUcsTUFBTSxVQUFVLE1BQU0sQ0FBQyxHQUFHLEtBQWU7SUFDdkMsT0FBTyxDQUFDLEtBQUssRUFBRSxFQUFFO1FBQ2YsSUFBSSxDQUFDLEtBQUssQ0FBQyxRQUFRLENBQUMsS0FBSyxDQUFDLElBQUksSUFBSSxFQUFFLENBQUM7WUFBRSxNQUFNLEtBQUssQ0FBQztRQUNuRCxPQUFPLFNBQVMsQ0FBQztJQUNuQixDQUFDLENBQUM7QUFDSixDQUFDIn0=