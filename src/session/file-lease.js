import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
/**
 * Takes the lease that this file stands for, or gives `undefined` when somebody else holds it. It ends when it
 * is released, after `ms`, or at once when its holder is a process of this machine that is gone.
 *
 * @param path on a disk that all processes share; nothing is left there when nobody holds the lease
 */
export async function leaseFile(path, ms) {
    const mine = `${hostname()} ${process.pid} ${randomUUID()}`;
    const release = async () => {
        if ((await holderOf(path)) === mine)
            await unlink(path).catch(ignoreMissing);
    };
    if (await take(path, mine))
        return release;
    const holder = await holderOf(path);
    if (holder !== undefined && !(await isOver(path, holder, ms)))
        return undefined;
    if (holder !== undefined)
        await remove(path, holder);
    return (await take(path, mine)) ? release : undefined;
}
/** Takes the lease as soon as it is free: for work that lasts milliseconds. */
export async function leaseFileSoon(path, ms) {
    for (;;) {
        const release = await leaseFile(path, ms);
        if (release)
            return release;
        await sleep(5 + Math.random() * 10);
    }
}
/** The one step that only a single process in the world can do: to make a file that is not there. */
async function take(path, mine) {
    const draft = `${path}.${randomUUID()}.draft`;
    const file = await open(draft, "wx", 0o600);
    try {
        await file.writeFile(mine).finally(() => file.close());
        // A link appears with its content, so that nobody reads a lease without a holder.
        await link(draft, path);
        return true;
    }
    catch (error) {
        if (error.code !== "EEXIST")
            throw error;
        return false;
    }
    finally {
        await unlink(draft).catch(ignoreMissing);
    }
}
async function isOver(path, holder, ms) {
    const about = await stat(path).catch(ignoreMissing);
    if (about && about.mtimeMs + ms < Date.now())
        return true;
    const [host, pid] = holder.split(" ");
    return host === hostname() && !isRunning(Number(pid));
}
/** Removes the lease of this holder and no other: between a look and a removal, somebody may have taken it anew. */
async function remove(path, holder) {
    const aside = `${path}.${randomUUID()}.draft`;
    const moved = await rename(path, aside).then(() => true, ignoreMissing);
    if (!moved)
        return;
    if ((await readFile(aside, "utf8")) !== holder)
        await link(aside, path).catch(() => { });
    await unlink(aside);
}
async function holderOf(path) {
    return readFile(path, "utf8").catch(ignoreMissing);
}
function isRunning(pid) {
    try {
        return process.kill(pid, 0);
    }
    catch (error) {
        // EPERM: it runs, as another user.
        return error.code === "EPERM";
    }
}
function ignoreMissing(error) {
    if (error.code !== "ENOENT")
        throw error;
    return undefined;
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiZmlsZS1sZWFzZS5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImZpbGUtbGVhc2UudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLFVBQVUsRUFBRSxNQUFNLGFBQWEsQ0FBQztBQUN6QyxPQUFPLEVBQUUsSUFBSSxFQUFFLElBQUksRUFBRSxRQUFRLEVBQUUsTUFBTSxFQUFFLElBQUksRUFBRSxNQUFNLEVBQUUsTUFBTSxrQkFBa0IsQ0FBQztBQUM5RSxPQUFPLEVBQUUsUUFBUSxFQUFFLE1BQU0sU0FBUyxDQUFDO0FBQ25DLE9BQU8sRUFBRSxVQUFVLElBQUksS0FBSyxFQUFFLE1BQU0sc0JBQXNCLENBQUM7QUFJM0Q7Ozs7O0dBS0c7QUFDSCxNQUFNLENBQUMsS0FBSyxVQUFVLFNBQVMsQ0FBQyxJQUFZLEVBQUUsRUFBVTtJQUN0RCxNQUFNLElBQUksR0FBRyxHQUFHLFFBQVEsRUFBRSxJQUFJLE9BQU8sQ0FBQyxHQUFHLElBQUksVUFBVSxFQUFFLEVBQUUsQ0FBQztJQUM1RCxNQUFNLE9BQU8sR0FBRyxLQUFLLElBQUksRUFBRTtRQUN6QixJQUFJLENBQUMsTUFBTSxRQUFRLENBQUMsSUFBSSxDQUFDLENBQUMsS0FBSyxJQUFJO1lBQUUsTUFBTSxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUMsS0FBSyxDQUFDLGFBQWEsQ0FBQyxDQUFDO0lBQy9FLENBQUMsQ0FBQztJQUNGLElBQUksTUFBTSxJQUFJLENBQUMsSUFBSSxFQUFFLElBQUksQ0FBQztRQUFFLE9BQU8sT0FBTyxDQUFDO0lBRTNDLE1BQU0sTUFBTSxHQUFHLE1BQU0sUUFBUSxDQUFDLElBQUksQ0FBQyxDQUFDO0lBQ3BDLElBQUksTUFBTSxLQUFLLFNBQVMsSUFBSSxDQUFDLENBQUMsTUFBTSxNQUFNLENBQUMsSUFBSSxFQUFFLE1BQU0sRUFBRSxFQUFFLENBQUMsQ0FBQztRQUFFLE9BQU8sU0FBUyxDQUFDO0lBQ2hGLElBQUksTUFBTSxLQUFLLFNBQVM7UUFBRSxNQUFNLE1BQU0sQ0FBQyxJQUFJLEVBQUUsTUFBTSxDQUFDLENBQUM7SUFDckQsT0FBTyxDQUFDLE1BQU0sSUFBSSxDQUFDLElBQUksRUFBRSxJQUFJLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxPQUFPLENBQUMsQ0FBQyxDQUFDLFNBQVMsQ0FBQztBQUN4RCxDQUFDO0FBRUQsK0VBQStFO0FBQy9FLE1BQU0sQ0FBQyxLQUFLLFVBQVUsYUFBYSxDQUFDLElBQVksRUFBRSxFQUFVO0lBQzFELFNBQVMsQ0FBQztRQUNSLE1BQU0sT0FBTyxHQUFHLE1BQU0sU0FBUyxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsQ0FBQztRQUMxQyxJQUFJLE9BQU87WUFBRSxPQUFPLE9BQU8sQ0FBQztRQUM1QixNQUFNLEtBQUssQ0FBQyxDQUFDLEdBQUcsSUFBSSxDQUFDLE1BQU0sRUFBRSxHQUFHLEVBQUUsQ0FBQyxDQUFDO0lBQ3RDLENBQUM7QUFDSCxDQUFDO0FBRUQscUdBQXFHO0FBQ3JHLEtBQUssVUFBVSxJQUFJLENBQUMsSUFBWSxFQUFFLElBQVk7SUFDNUMsTUFBTSxLQUFLLEdBQUcsR0FBRyxJQUFJLElBQUksVUFBVSxFQUFFLFFBQVEsQ0FBQztJQUM5QyxNQUFNLElBQUksR0FBRyxNQUFNLElBQUksQ0FBQyxLQUFLLEVBQUUsSUFBSSxFQUFFLEtBQUssQ0FBQyxDQUFDO0lBQzVDLElBQUksQ0FBQztRQUNILE1BQU0sSUFBSSxDQUFDLFNBQVMsQ0FBQyxJQUFJLENBQUMsQ0FBQyxPQUFPLENBQUMsR0FBRyxFQUFFLENBQUMsSUFBSSxDQUFDLEtBQUssRUFBRSxDQUFDLENBQUM7UUFDdkQsa0ZBQWtGO1FBQ2xGLE1BQU0sSUFBSSxDQUFDLEtBQUssRUFBRSxJQUFJLENBQUMsQ0FBQztRQUN4QixPQUFPLElBQUksQ0FBQztJQUNkLENBQUM7SUFBQyxPQUFPLEtBQUssRUFBRSxDQUFDO1FBQ2YsSUFBSyxLQUErQixDQUFDLElBQUksS0FBSyxRQUFRO1lBQUUsTUFBTSxLQUFLLENBQUM7UUFDcEUsT0FBTyxLQUFLLENBQUM7SUFDZixDQUFDO1lBQVMsQ0FBQztRQUNULE1BQU0sTUFBTSxDQUFDLEtBQUssQ0FBQyxDQUFDLEtBQUssQ0FBQyxhQUFhLENBQUMsQ0FBQztJQUMzQyxDQUFDO0FBQ0gsQ0FBQztBQUVELEtBQUssVUFBVSxNQUFNLENBQUMsSUFBWSxFQUFFLE1BQWMsRUFBRSxFQUFVO0lBQzVELE1BQU0sS0FBSyxHQUFHLE1BQU0sSUFBSSxDQUFDLElBQUksQ0FBQyxDQUFDLEtBQUssQ0FBQyxhQUFhLENBQUMsQ0FBQztJQUNwRCxJQUFJLEtBQUssSUFBSSxLQUFLLENBQUMsT0FBTyxHQUFHLEVBQUUsR0FBRyxJQUFJLENBQUMsR0FBRyxFQUFFO1FBQUUsT0FBTyxJQUFJLENBQUM7SUFDMUQsTUFBTSxDQUFDLElBQUksRUFBRSxHQUFHLENBQUMsR0FBRyxNQUFNLENBQUMsS0FBSyxDQUFDLEdBQUcsQ0FBQyxDQUFDO0lBQ3RDLE9BQU8sSUFBSSxLQUFLLFFBQVEsRUFBRSxJQUFJLENBQUMsU0FBUyxDQUFDLE1BQU0sQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDO0FBQ3hELENBQUM7QUFFRCxvSEFBb0g7QUFDcEgsS0FBSyxVQUFVLE1BQU0sQ0FBQyxJQUFZLEVBQUUsTUFBYztJQUNoRCxNQUFNLEtBQUssR0FBRyxHQUFHLElBQUksSUFBSSxVQUFVLEVBQUUsUUFBUSxDQUFDO0lBQzlDLE1BQU0sS0FBSyxHQUFHLE1BQU0sTUFBTSxDQUFDLElBQUksRUFBRSxLQUFLLENBQUMsQ0FBQyxJQUFJLENBQUMsR0FBRyxFQUFFLENBQUMsSUFBSSxFQUFFLGFBQWEsQ0FBQyxDQUFDO0lBQ3hFLElBQUksQ0FBQyxLQUFLO1FBQUUsT0FBTztJQUNuQixJQUFJLENBQUMsTUFBTSxRQUFRLENBQUMsS0FBSyxFQUFFLE1BQU0sQ0FBQyxDQUFDLEtBQUssTUFBTTtRQUFFLE1BQU0sSUFBSSxDQUFDLEtBQUssRUFBRSxJQUFJLENBQUMsQ0FBQyxLQUFLLENBQUMsR0FBRyxFQUFFLEdBQUUsQ0FBQyxDQUFDLENBQUM7SUFDeEYsTUFBTSxNQUFNLENBQUMsS0FBSyxDQUFDLENBQUM7QUFDdEIsQ0FBQztBQUVELEtBQUssVUFBVSxRQUFRLENBQUMsSUFBWTtJQUNsQyxPQUFPLFFBQVEsQ0FBQyxJQUFJLEVBQUUsTUFBTSxDQUFDLENBQUMsS0FBSyxDQUFDLGFBQWEsQ0FBQyxDQUFDO0FBQ3JELENBQUM7QUFFRCxTQUFTLFNBQVMsQ0FBQyxHQUFXO0lBQzVCLElBQUksQ0FBQztRQUNILE9BQU8sT0FBTyxDQUFDLElBQUksQ0FBQyxHQUFHLEVBQUUsQ0FBQyxDQUFDLENBQUM7SUFDOUIsQ0FBQztJQUFDLE9BQU8sS0FBSyxFQUFFLENBQUM7UUFDZixtQ0FBbUM7UUFDbkMsT0FBUSxLQUErQixDQUFDLElBQUksS0FBSyxPQUFPLENBQUM7SUFDM0QsQ0FBQztBQUNILENBQUM7QUFFRCxTQUFTLGFBQWEsQ0FBQyxLQUE0QjtJQUNqRCxJQUFJLEtBQUssQ0FBQyxJQUFJLEtBQUssUUFBUTtRQUFFLE1BQU0sS0FBSyxDQUFDO0lBQ3pDLE9BQU8sU0FBUyxDQUFDO0FBQ25CLENBQUMifQ==