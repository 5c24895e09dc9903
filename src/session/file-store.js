import { randomUUID } from "node:crypto";
import { chmodSync, constants, lstatSync, mkdirSync } from "node:fs";
import { lstat, open, opendir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import session from "express-session";
import sessionFileStore from "session-file-store";
import { leaseFile, leaseFileSoon } from "./file-lease.js";
import { oneAtATime } from "./one-at-a-time.js";
import { removeFile, replaceFile, writeWhole } from "./shared-file.js";
import { draftExtension, unless } from "./turns.js";
const extension = ".session";
const recordFile = /^[0-9a-f]{64}\.session$/;
const leaseExtension = ".lease";
/** Here wait the tokens that are still to be revoked. */
const pendingFile = "pending-revocations";
const pendingLeaseMs = 5_000;
/** Far above any session: a larger file is not ours, and is not read into memory. */
const largestFile = 256 * 1024;
/** What is over is left alone for a minute more, and so are drafts and leases: nobody needs them any longer. */
const graceMs = 60_000;
/** The reaper lets others work so often. */
const pauseEveryMs = 5;
/** So many it removes side by side: most of the time it waits for a disk, or for a portal. */
const removedAtOnce = 16;
/**
 * Keeps records as files, one a session, in a folder that several processes may share.
 *
 * session-file-store names, lists and clears the files. Its way of reading and writing them is not used: it
 * waits a quarter of a second for a missing file, deletes what it cannot decode, hangs on a pipe, brings back
 * a session that was destroyed meanwhile, and leaves files that everybody on the machine may read.
 *
 * @throws Error when the folder is a symbolic link, belongs to another user, or cannot be made.
 */
export function fileStore({ path, idleSeconds, repaired, warn }) {
    const folder = resolve(path);
    prepareFolder(folder, repaired);
    const PackageStore = sessionFileStore(session);
    const files = new PackageStore({ path: folder, fileExtension: extension, reapInterval: -1 });
    const list = promisify(files.list.bind(files));
    // Processes take turns by their drafts. Within this one, a queue spares them the waiting.
    const inTurn = oneAtATime();
    function fileOf(name, ending = extension) {
        if (!recordFile.test(name + extension)) {
            throw new TypeError("a record's name has 64 hexadecimal digits");
        }
        return folder + sep + name + ending;
    }
    /** A file is never written to, only replaced: another state is another inode, or at least another time. */
    function versionOf({ ino, size, mtimeMs, ctimeMs }) {
        return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    }
    /** Blocks for the 5 us that this takes. On a thread of the pool it would cost each request five times as much. */
    function version(name) {
        const about = lstatSync(fileOf(name), { throwIfNoEntry: false });
        return about && versionOf(about);
    }
    async function read(name) {
        const path = fileOf(name);
        const unusable = (reason) => void warn?.("a session file cannot be used", { record: name.slice(0, 8), reason });
        // O_NOFOLLOW: a link is not ours. O_NONBLOCK: a pipe would keep a thread waiting for ever.
        const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
        const file = await open(path, flags).catch(async (error) => {
            const code = String(error.code);
            if (code === "ENOENT")
                return undefined;
            if (!["ELOOP", "ENXIO", "EACCES"].includes(code))
                throw error;
            // Throws when the whole folder is shut: that is more than one bad file.
            await lstat(path);
            return unusable(`it cannot be opened (${code})`);
        });
        if (!file)
            return undefined;
        try {
            const about = await file.stat();
            if (!about.isFile())
                return unusable("it is not a regular file");
            if (about.size > largestFile)
                return unusable("it is far too large");
            const [content, seen, ...more] = (await file.readFile("latin1")).split("\n");
            if (!content || !seen || more.length > 0)
                return unusable("it is damaged");
            return { content, seen, version: versionOf(about) };
        }
        finally {
            await file.close();
        }
    }
    async function change(name, next) {
        if (version(name) === undefined)
            return false;
        return replaceFile(fileOf(name), async () => {
            const record = await read(name);
            const changed = record && next(record);
            return changed && textOf(changed);
        });
    }
    async function reap(farewell = async (_name) => true) {
        const leftBehind = [];
        let pauseAt = performance.now() + pauseEveryMs;
        for await (const { name } of await opendir(folder, { bufferSize: 1_000 })) {
            if (isLeftBehind(name))
                leftBehind.push(name);
            // Not while looking at the next ones: a folder from which something is being removed keeps everybody waiting.
            if (leftBehind.length === removedAtOnce)
                await removeAll(leftBehind.splice(0), farewell);
            if (performance.now() < pauseAt)
                continue;
            await nextTurn();
            pauseAt = performance.now() + pauseEveryMs;
        }
        await removeAll(leftBehind, farewell);
    }
    /** Whether nobody has written here for so long that nobody will. Blocks as `version` does, for the same reason. */
    function isLeftBehind(entry) {
        const isRecord = recordFile.test(entry);
        const isTurn = entry.endsWith(draftExtension) || entry.endsWith(leaseExtension);
        if (!isRecord && !isTurn)
            return false;
        const about = lstatSync(join(folder, entry), { throwIfNoEntry: false });
        if (!about || (isRecord && !about.isFile()))
            return false;
        return Date.now() > about.mtimeMs + graceMs + (isRecord ? idleSeconds * 1000 : 0);
    }
    async function removeAll(entries, farewell) {
        await Promise.all(entries.map((entry) => remove(entry, farewell)));
    }
    async function remove(entry, farewell) {
        const path = join(folder, entry);
        try {
            if (!recordFile.test(entry))
                await rm(path, { recursive: true, force: true });
            else if (await farewell(nameOf(entry)))
                await unlink(path);
        }
        catch (error) {
            const { code, message } = error;
            if (code === "ENOENT")
                return;
            warn?.("a session file could not be removed", { record: entry.slice(0, 8), reason: message });
        }
    }
    async function changePending(next) {
        const path = join(folder, pendingFile);
        // The usual case, at every start: nothing waits, and nothing is to wait.
        if (!(await lstat(path).catch(unless("ENOENT"))) && next(undefined) === undefined)
            return;
        const release = await leaseFileSoon(path + leaseExtension, pendingLeaseMs);
        try {
            const before = await readFile(path, "latin1").catch(unless("ENOENT"));
            const after = next(before);
            if (after === undefined)
                await unlink(path).catch(unless("ENOENT"));
            else if (after !== before)
                await writeWhole(path, after);
        }
        finally {
            await release();
        }
    }
    return {
        read,
        version,
        create: (name, record) => inTurn(name, async () => writeWhole(fileOf(name), textOf(record))),
        change: (name, next) => inTurn(name, () => change(name, next)),
        remove: (name) => inTurn(name, async () => removeFile(fileOf(name))),
        lease: async (name, ms) => leaseFile(fileOf(name, leaseExtension), ms),
        changePending: (next) => inTurn(pendingFile, () => changePending(next)),
        names: async () => (await list()).filter((file) => recordFile.test(file)).map(nameOf),
        reap,
        async ping() {
            const probe = join(folder, randomUUID() + draftExtension);
            await writeFile(probe, "probe", { flag: "wx", mode: 0o600 });
            await unlink(probe);
        },
        async close() { },
    };
}
/** Makes the folder or puts its mode right: what lies in it is for this server's own user alone. */
function prepareFolder(path, repaired) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const about = lstatSync(path);
    if (!about.isDirectory())
        throw new Error(`${path} is not a folder (a symbolic link will not do)`);
    if (process.platform === "win32")
        return;
    if (about.uid !== process.getuid?.())
        throw new Error(`${path} belongs to another user`);
    if ((about.mode & 0o077) === 0)
        return;
    chmodSync(path, 0o700);
    repaired?.(`other users could open the folder ${path}; its mode is 0700 now`);
}
function nameOf(file) {
    return file.slice(0, -extension.length);
}
function textOf({ content, seen }) {
    return `${content}\n${seen}`;
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiZmlsZS1zdG9yZS5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImZpbGUtc3RvcmUudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLFVBQVUsRUFBRSxNQUFNLGFBQWEsQ0FBQztBQUN6QyxPQUFPLEVBQUUsU0FBUyxFQUFFLFNBQVMsRUFBRSxTQUFTLEVBQUUsU0FBUyxFQUFjLE1BQU0sU0FBUyxDQUFDO0FBQ2pGLE9BQU8sRUFBRSxLQUFLLEVBQUUsSUFBSSxFQUFFLE9BQU8sRUFBRSxRQUFRLEVBQUUsRUFBRSxFQUFFLE1BQU0sRUFBRSxTQUFTLEVBQUUsTUFBTSxrQkFBa0IsQ0FBQztBQUN6RixPQUFPLEVBQUUsSUFBSSxFQUFFLE9BQU8sRUFBRSxHQUFHLEVBQUUsTUFBTSxXQUFXLENBQUM7QUFDL0MsT0FBTyxFQUFFLFlBQVksSUFBSSxRQUFRLEVBQUUsTUFBTSxzQkFBc0IsQ0FBQztBQUNoRSxPQUFPLEVBQUUsU0FBUyxFQUFFLE1BQU0sV0FBVyxDQUFDO0FBQ3RDLE9BQU8sT0FBTyxNQUFNLGlCQUFpQixDQUFDO0FBQ3RDLE9BQU8sZ0JBQWdCLE1BQU0sb0JBQW9CLENBQUM7QUFDbEQsT0FBTyxFQUFFLFNBQVMsRUFBRSxhQUFhLEVBQUUsTUFBTSxpQkFBaUIsQ0FBQztBQUMzRCxPQUFPLEVBQUUsVUFBVSxFQUFFLE1BQU0sb0JBQW9CLENBQUM7QUFFaEQsT0FBTyxFQUFFLFVBQVUsRUFBRSxXQUFXLEVBQUUsVUFBVSxFQUFFLE1BQU0sa0JBQWtCLENBQUM7QUFDdkUsT0FBTyxFQUFFLGNBQWMsRUFBRSxNQUFNLEVBQUUsTUFBTSxZQUFZLENBQUM7QUFhcEQsTUFBTSxTQUFTLEdBQUcsVUFBVSxDQUFDO0FBQzdCLE1BQU0sVUFBVSxHQUFHLHlCQUF5QixDQUFDO0FBQzdDLE1BQU0sY0FBYyxHQUFHLFFBQVEsQ0FBQztBQUNoQyx5REFBeUQ7QUFDekQsTUFBTSxXQUFXLEdBQUcscUJBQXFCLENBQUM7QUFDMUMsTUFBTSxjQUFjLEdBQUcsS0FBSyxDQUFDO0FBQzdCLHFGQUFxRjtBQUNyRixNQUFNLFdBQVcsR0FBRyxHQUFHLEdBQUcsSUFBSSxDQUFDO0FBQy9CLGdIQUFnSDtBQUNoSCxNQUFNLE9BQU8sR0FBRyxNQUFNLENBQUM7QUFDdkIsNENBQTRDO0FBQzVDLE1BQU0sWUFBWSxHQUFHLENBQUMsQ0FBQztBQUN2Qiw4RkFBOEY7QUFDOUYsTUFBTSxhQUFhLEdBQUcsRUFBRSxDQUFDO0FBRXpCOzs7Ozs7OztHQVFHO0FBQ0gsTUFBTSxVQUFVLFNBQVMsQ0FBQyxFQUFFLElBQUksRUFBRSxXQUFXLEVBQUUsUUFBUSxFQUFFLElBQUksRUFBb0I7SUFDL0UsTUFBTSxNQUFNLEdBQUcsT0FBTyxDQUFDLElBQUksQ0FBQyxDQUFDO0lBQzdCLGFBQWEsQ0FBQyxNQUFNLEVBQUUsUUFBUSxDQUFDLENBQUM7SUFDaEMsTUFBTSxZQUFZLEdBQUcsZ0JBQWdCLENBQUMsT0FBTyxDQUk1QyxDQUFDO0lBQ0YsTUFBTSxLQUFLLEdBQUcsSUFBSSxZQUFZLENBQUMsRUFBRSxJQUFJLEVBQUUsTUFBTSxFQUFFLGFBQWEsRUFBRSxTQUFTLEVBQUUsWUFBWSxFQUFFLENBQUMsQ0FBQyxFQUFFLENBQUMsQ0FBQztJQUM3RixNQUFNLElBQUksR0FBRyxTQUFTLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQztJQUMvQywwRkFBMEY7SUFDMUYsTUFBTSxNQUFNLEdBQUcsVUFBVSxFQUFFLENBQUM7SUFFNUIsU0FBUyxNQUFNLENBQUMsSUFBWSxFQUFFLE1BQU0sR0FBRyxTQUFTO1FBQzlDLElBQUksQ0FBQyxVQUFVLENBQUMsSUFBSSxDQUFDLElBQUksR0FBRyxTQUFTLENBQUMsRUFBRSxDQUFDO1lBQ3ZDLE1BQU0sSUFBSSxTQUFTLENBQUMsMkNBQTJDLENBQUMsQ0FBQztRQUNuRSxDQUFDO1FBQ0QsT0FBTyxNQUFNLEdBQUcsR0FBRyxHQUFHLElBQUksR0FBRyxNQUFNLENBQUM7SUFDdEMsQ0FBQztJQUVELDJHQUEyRztJQUMzRyxTQUFTLFNBQVMsQ0FBQyxFQUFFLEdBQUcsRUFBRSxJQUFJLEVBQUUsT0FBTyxFQUFFLE9BQU8sRUFBUztRQUN2RCxPQUFPLEdBQUcsR0FBRyxJQUFJLElBQUksSUFBSSxPQUFPLElBQUksT0FBTyxFQUFFLENBQUM7SUFDaEQsQ0FBQztJQUVELGtIQUFrSDtJQUNsSCxTQUFTLE9BQU8sQ0FBQyxJQUFZO1FBQzNCLE1BQU0sS0FBSyxHQUFHLFNBQVMsQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLEVBQUUsRUFBRSxjQUFjLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQztRQUNqRSxPQUFPLEtBQUssSUFBSSxTQUFTLENBQUMsS0FBSyxDQUFDLENBQUM7SUFDbkMsQ0FBQztJQUVELEtBQUssVUFBVSxJQUFJLENBQUMsSUFBWTtRQUM5QixNQUFNLElBQUksR0FBRyxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUM7UUFDMUIsTUFBTSxRQUFRLEdBQUcsQ0FBQyxNQUFjLEVBQUUsRUFBRSxDQUNsQyxLQUFLLElBQUksRUFBRSxDQUFDLCtCQUErQixFQUFFLEVBQUUsTUFBTSxFQUFFLElBQUksQ0FBQyxLQUFLLENBQUMsQ0FBQyxFQUFFLENBQUMsQ0FBQyxFQUFFLE1BQU0sRUFBRSxDQUFDLENBQUM7UUFDckYsMkZBQTJGO1FBQzNGLE1BQU0sS0FBSyxHQUFHLFNBQVMsQ0FBQyxRQUFRLEdBQUcsU0FBUyxDQUFDLFVBQVUsR0FBRyxTQUFTLENBQUMsVUFBVSxDQUFDO1FBQy9FLE1BQU0sSUFBSSxHQUFHLE1BQU0sSUFBSSxDQUFDLElBQUksRUFBRSxLQUFLLENBQUMsQ0FBQyxLQUFLLENBQUMsS0FBSyxFQUFFLEtBQTRCLEVBQUUsRUFBRTtZQUNoRixNQUFNLElBQUksR0FBRyxNQUFNLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDO1lBQ2hDLElBQUksSUFBSSxLQUFLLFFBQVE7Z0JBQUUsT0FBTyxTQUFTLENBQUM7WUFDeEMsSUFBSSxDQUFDLENBQUMsT0FBTyxFQUFFLE9BQU8sRUFBRSxRQUFRLENBQUMsQ0FBQyxRQUFRLENBQUMsSUFBSSxDQUFDO2dCQUFFLE1BQU0sS0FBSyxDQUFDO1lBQzlELHdFQUF3RTtZQUN4RSxNQUFNLEtBQUssQ0FBQyxJQUFJLENBQUMsQ0FBQztZQUNsQixPQUFPLFFBQVEsQ0FBQyx3QkFBd0IsSUFBSSxHQUFHLENBQUMsQ0FBQztRQUNuRCxDQUFDLENBQUMsQ0FBQztRQUNILElBQUksQ0FBQyxJQUFJO1lBQUUsT0FBTyxTQUFTLENBQUM7UUFDNUIsSUFBSSxDQUFDO1lBQ0gsTUFBTSxLQUFLLEdBQUcsTUFBTSxJQUFJLENBQUMsSUFBSSxFQUFFLENBQUM7WUFDaEMsSUFBSSxDQUFDLEtBQUssQ0FBQyxNQUFNLEVBQUU7Z0JBQUUsT0FBTyxRQUFRLENBQUMsMEJBQTBCLENBQUMsQ0FBQztZQUNqRSxJQUFJLEtBQUssQ0FBQyxJQUFJLEdBQUcsV0FBVztnQkFBRSxPQUFPLFFBQVEsQ0FBQyxxQkFBcUIsQ0FBQyxDQUFDO1lBQ3JFLE1BQU0sQ0FBQyxPQUFPLEVBQUUsSUFBSSxFQUFFLEdBQUcsSUFBSSxDQUFDLEdBQUcsQ0FBQyxNQUFNLElBQUksQ0FBQyxRQUFRLENBQUMsUUFBUSxDQUFDLENBQUMsQ0FBQyxLQUFLLENBQUMsSUFBSSxDQUFDLENBQUM7WUFDN0UsSUFBSSxDQUFDLE9BQU8sSUFBSSxDQUFDLElBQUksSUFBSSxJQUFJLENBQUMsTUFBTSxHQUFHLENBQUM7Z0JBQUUsT0FBTyxRQUFRLENBQUMsZUFBZSxDQUFDLENBQUM7WUFDM0UsT0FBTyxFQUFFLE9BQU8sRUFBRSxJQUFJLEVBQUUsT0FBTyxFQUFFLFNBQVMsQ0FBQyxLQUFLLENBQUMsRUFBRSxDQUFDO1FBQ3RELENBQUM7Z0JBQVMsQ0FBQztZQUNULE1BQU0sSUFBSSxDQUFDLEtBQUssRUFBRSxDQUFDO1FBQ3JCLENBQUM7SUFDSCxDQUFDO0lBRUQsS0FBSyxVQUFVLE1BQU0sQ0FBQyxJQUFZLEVBQUUsSUFBd0Q7UUFDMUYsSUFBSSxPQUFPLENBQUMsSUFBSSxDQUFDLEtBQUssU0FBUztZQUFFLE9BQU8sS0FBSyxDQUFDO1FBQzlDLE9BQU8sV0FBVyxDQUFDLE1BQU0sQ0FBQyxJQUFJLENBQUMsRUFBRSxLQUFLLElBQUksRUFBRTtZQUMxQyxNQUFNLE1BQU0sR0FBRyxNQUFNLElBQUksQ0FBQyxJQUFJLENBQUMsQ0FBQztZQUNoQyxNQUFNLE9BQU8sR0FBRyxNQUFNLElBQUksSUFBSSxDQUFDLE1BQU0sQ0FBQyxDQUFDO1lBQ3ZDLE9BQU8sT0FBTyxJQUFJLE1BQU0sQ0FBQyxPQUFPLENBQUMsQ0FBQztRQUNwQyxDQUFDLENBQUMsQ0FBQztJQUNMLENBQUM7SUFFRCxLQUFLLFVBQVUsSUFBSSxDQUFDLFFBQVEsR0FBRyxLQUFLLEVBQUUsS0FBYSxFQUFFLEVBQUUsQ0FBQyxJQUFJO1FBQzFELE1BQU0sVUFBVSxHQUFhLEVBQUUsQ0FBQztRQUNoQyxJQUFJLE9BQU8sR0FBRyxXQUFXLENBQUMsR0FBRyxFQUFFLEdBQUcsWUFBWSxDQUFDO1FBQy9DLElBQUksS0FBSyxFQUFFLE1BQU0sRUFBRSxJQUFJLEVBQUUsSUFBSSxNQUFNLE9BQU8sQ0FBQyxNQUFNLEVBQUUsRUFBRSxVQUFVLEVBQUUsS0FBSyxFQUFFLENBQUMsRUFBRSxDQUFDO1lBQzFFLElBQUksWUFBWSxDQUFDLElBQUksQ0FBQztnQkFBRSxVQUFVLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxDQUFDO1lBQzlDLDhHQUE4RztZQUM5RyxJQUFJLFVBQVUsQ0FBQyxNQUFNLEtBQUssYUFBYTtnQkFBRSxNQUFNLFNBQVMsQ0FBQyxVQUFVLENBQUMsTUFBTSxDQUFDLENBQUMsQ0FBQyxFQUFFLFFBQVEsQ0FBQyxDQUFDO1lBQ3pGLElBQUksV0FBVyxDQUFDLEdBQUcsRUFBRSxHQUFHLE9BQU87Z0JBQUUsU0FBUztZQUMxQyxNQUFNLFFBQVEsRUFBRSxDQUFDO1lBQ2pCLE9BQU8sR0FBRyxXQUFXLENBQUMsR0FBRyxFQUFFLEdBQUcsWUFBWSxDQUFDO1FBQzdDLENBQUM7UUFDRCxNQUFNLFNBQVMsQ0FBQyxVQUFVLEVBQUUsUUFBUSxDQUFDLENBQUM7SUFDeEMsQ0FBQztJQUVELG1IQUFtSDtJQUNuSCxTQUFTLFlBQVksQ0FBQyxLQUFhO1FBQ2pDLE1BQU0sUUFBUSxHQUFHLFVBQVUsQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUM7UUFDeEMsTUFBTSxNQUFNLEdBQUcsS0FBSyxDQUFDLFFBQVEsQ0FBQyxjQUFjLENBQUMsSUFBSSxLQUFLLENBQUMsUUFBUSxDQUFDLGNBQWMsQ0FBQyxDQUFDO1FBQ2hGLElBQUksQ0FBQyxRQUFRLElBQUksQ0FBQyxNQUFNO1lBQUUsT0FBTyxLQUFLLENBQUM7UUFDdkMsTUFBTSxLQUFLLEdBQUcsU0FBUyxDQUFDLElBQUksQ0FBQyxNQUFNLEVBQUUsS0FBSyxDQUFDLEVBQUUsRUFBRSxjQUFjLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQztRQUN4RSxJQUFJLENBQUMsS0FBSyxJQUFJLENBQUMsUUFBUSxJQUFJLENBQUMsS0FBSyxDQUFDLE1BQU0sRUFBRSxDQUFDO1lBQUUsT0FBTyxLQUFLLENBQUM7UUFDMUQsT0FBTyxJQUFJLENBQUMsR0FBRyxFQUFFLEdBQUcsS0FBSyxDQUFDLE9BQU8sR0FBRyxPQUFPLEdBQUcsQ0FBQyxRQUFRLENBQUMsQ0FBQyxDQUFDLFdBQVcsR0FBRyxJQUFJLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxDQUFDO0lBQ3BGLENBQUM7SUFFRCxLQUFLLFVBQVUsU0FBUyxDQUFDLE9BQWlCLEVBQUUsUUFBNEM7UUFDdEYsTUFBTSxPQUFPLENBQUMsR0FBRyxDQUFDLE9BQU8sQ0FBQyxHQUFHLENBQUMsQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUFDLE1BQU0sQ0FBQyxLQUFLLEVBQUUsUUFBUSxDQUFDLENBQUMsQ0FBQyxDQUFDO0lBQ3JFLENBQUM7SUFFRCxLQUFLLFVBQVUsTUFBTSxDQUFDLEtBQWEsRUFBRSxRQUE0QztRQUMvRSxNQUFNLElBQUksR0FBRyxJQUFJLENBQUMsTUFBTSxFQUFFLEtBQUssQ0FBQyxDQUFDO1FBQ2pDLElBQUksQ0FBQztZQUNILElBQUksQ0FBQyxVQUFVLENBQUMsSUFBSSxDQUFDLEtBQUssQ0FBQztnQkFBRSxNQUFNLEVBQUUsQ0FBQyxJQUFJLEVBQUUsRUFBRSxTQUFTLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsQ0FBQyxDQUFDO2lCQUN6RSxJQUFJLE1BQU0sUUFBUSxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsQ0FBQztnQkFBRSxNQUFNLE1BQU0sQ0FBQyxJQUFJLENBQUMsQ0FBQztRQUM3RCxDQUFDO1FBQUMsT0FBTyxLQUFLLEVBQUUsQ0FBQztZQUNmLE1BQU0sRUFBRSxJQUFJLEVBQUUsT0FBTyxFQUFFLEdBQUcsS0FBOEIsQ0FBQztZQUN6RCxJQUFJLElBQUksS0FBSyxRQUFRO2dCQUFFLE9BQU87WUFDOUIsSUFBSSxFQUFFLENBQUMscUNBQXFDLEVBQUUsRUFBRSxNQUFNLEVBQUUsS0FBSyxDQUFDLEtBQUssQ0FBQyxDQUFDLEVBQUUsQ0FBQyxDQUFDLEVBQUUsTUFBTSxFQUFFLE9BQU8sRUFBRSxDQUFDLENBQUM7UUFDaEcsQ0FBQztJQUNILENBQUM7SUFFRCxLQUFLLFVBQVUsYUFBYSxDQUFDLElBQXNEO1FBQ2pGLE1BQU0sSUFBSSxHQUFHLElBQUksQ0FBQyxNQUFNLEVBQUUsV0FBVyxDQUFDLENBQUM7UUFDdkMseUVBQXlFO1FBQ3pFLElBQUksQ0FBQyxDQUFDLE1BQU0sS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDLEtBQUssQ0FBQyxNQUFNLENBQUMsUUFBUSxDQUFDLENBQUMsQ0FBQyxJQUFJLElBQUksQ0FBQyxTQUFTLENBQUMsS0FBSyxTQUFTO1lBQUUsT0FBTztRQUMxRixNQUFNLE9BQU8sR0FBRyxNQUFNLGFBQWEsQ0FBQyxJQUFJLEdBQUcsY0FBYyxFQUFFLGNBQWMsQ0FBQyxDQUFDO1FBQzNFLElBQUksQ0FBQztZQUNILE1BQU0sTUFBTSxHQUFHLE1BQU0sUUFBUSxDQUFDLElBQUksRUFBRSxRQUFRLENBQUMsQ0FBQyxLQUFLLENBQUMsTUFBTSxDQUFDLFFBQVEsQ0FBQyxDQUFDLENBQUM7WUFDdEUsTUFBTSxLQUFLLEdBQUcsSUFBSSxDQUFDLE1BQU0sQ0FBQyxDQUFDO1lBQzNCLElBQUksS0FBSyxLQUFLLFNBQVM7Z0JBQUUsTUFBTSxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUMsS0FBSyxDQUFDLE1BQU0sQ0FBQyxRQUFRLENBQUMsQ0FBQyxDQUFDO2lCQUMvRCxJQUFJLEtBQUssS0FBSyxNQUFNO2dCQUFFLE1BQU0sVUFBVSxDQUFDLElBQUksRUFBRSxLQUFLLENBQUMsQ0FBQztRQUMzRCxDQUFDO2dCQUFTLENBQUM7WUFDVCxNQUFNLE9BQU8sRUFBRSxDQUFDO1FBQ2xCLENBQUM7SUFDSCxDQUFDO0lBRUQsT0FBTztRQUNMLElBQUk7UUFDSixPQUFPO1FBQ1AsTUFBTSxFQUFFLENBQUMsSUFBSSxFQUFFLE1BQU0sRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLElBQUksRUFBRSxLQUFLLElBQUksRUFBRSxDQUFDLFVBQVUsQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLEVBQUUsTUFBTSxDQUFDLE1BQU0sQ0FBQyxDQUFDLENBQUM7UUFDNUYsTUFBTSxFQUFFLENBQUMsSUFBSSxFQUFFLElBQUksRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLElBQUksRUFBRSxHQUFHLEVBQUUsQ0FBQyxNQUFNLENBQUMsSUFBSSxFQUFFLElBQUksQ0FBQyxDQUFDO1FBQzlELE1BQU0sRUFBRSxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsTUFBTSxDQUFDLElBQUksRUFBRSxLQUFLLElBQUksRUFBRSxDQUFDLFVBQVUsQ0FBQyxNQUFNLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQztRQUNwRSxLQUFLLEVBQUUsS0FBSyxFQUFFLElBQUksRUFBRSxFQUFFLEVBQUUsRUFBRSxDQUFDLFNBQVMsQ0FBQyxNQUFNLENBQUMsSUFBSSxFQUFFLGNBQWMsQ0FBQyxFQUFFLEVBQUUsQ0FBQztRQUN0RSxhQUFhLEVBQUUsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLE1BQU0sQ0FBQyxXQUFXLEVBQUUsR0FBRyxFQUFFLENBQUMsYUFBYSxDQUFDLElBQUksQ0FBQyxDQUFDO1FBQ3ZFLEtBQUssRUFBRSxLQUFLLElBQUksRUFBRSxDQUFDLENBQUMsTUFBTSxJQUFJLEVBQUUsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsVUFBVSxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDLEdBQUcsQ0FBQyxNQUFNLENBQUM7UUFDckYsSUFBSTtRQUNKLEtBQUssQ0FBQyxJQUFJO1lBQ1IsTUFBTSxLQUFLLEdBQUcsSUFBSSxDQUFDLE1BQU0sRUFBRSxVQUFVLEVBQUUsR0FBRyxjQUFjLENBQUMsQ0FBQztZQUMxRCxNQUFNLFNBQVMsQ0FBQyxLQUFLLEVBQUUsT0FBTyxFQUFFLEVBQUUsSUFBSSxFQUFFLElBQUksRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQztZQUM3RCxNQUFNLE1BQU0sQ0FBQyxLQUFLLENBQUMsQ0FBQztRQUN0QixDQUFDO1FBQ0QsS0FBSyxDQUFDLEtBQUssS0FBSSxDQUFDO0tBQ2pCLENBQUM7QUFDSixDQUFDO0FBRUQsb0dBQW9HO0FBQ3BHLFNBQVMsYUFBYSxDQUFDLElBQVksRUFBRSxRQUFzQztJQUN6RSxTQUFTLENBQUMsSUFBSSxFQUFFLEVBQUUsU0FBUyxFQUFFLElBQUksRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQztJQUNsRCxNQUFNLEtBQUssR0FBRyxTQUFTLENBQUMsSUFBSSxDQUFDLENBQUM7SUFDOUIsSUFBSSxDQUFDLEtBQUssQ0FBQyxXQUFXLEVBQUU7UUFBRSxNQUFNLElBQUksS0FBSyxDQUFDLEdBQUcsSUFBSSxnREFBZ0QsQ0FBQyxDQUFDO0lBQ25HLElBQUksT0FBTyxDQUFDLFFBQVEsS0FBSyxPQUFPO1FBQUUsT0FBTztJQUN6QyxJQUFJLEtBQUssQ0FBQyxHQUFHLEtBQUssT0FBTyxDQUFDLE1BQU0sRUFBRSxFQUFFO1FBQUUsTUFBTSxJQUFJLEtBQUssQ0FBQyxHQUFHLElBQUksMEJBQTBCLENBQUMsQ0FBQztJQUN6RixJQUFJLENBQUMsS0FBSyxDQUFDLElBQUksR0FBRyxLQUFLLENBQUMsS0FBSyxDQUFDO1FBQUUsT0FBTztJQUN2QyxTQUFTLENBQUMsSUFBSSxFQUFFLEtBQUssQ0FBQyxDQUFDO0lBQ3ZCLFFBQVEsRUFBRSxDQUFDLHFDQUFxQyxJQUFJLHdCQUF3QixDQUFDLENBQUM7QUFDaEYsQ0FBQztBQUVELFNBQVMsTUFBTSxDQUFDLElBQVk7SUFDMUIsT0FBTyxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUMsRUFBRSxDQUFDLFNBQVMsQ0FBQyxNQUFNLENBQUMsQ0FBQztBQUMxQyxDQUFDO0FBRUQsU0FBUyxNQUFNLENBQUMsRUFBRSxPQUFPLEVBQUUsSUFBSSxFQUFnQjtJQUM3QyxPQUFPLEdBQUcsT0FBTyxLQUFLLElBQUksRUFBRSxDQUFDO0FBQy9CLENBQUMifQ==