import { accessSync, constants, lstatSync } from "node:fs";
import { dirname } from "node:path";
import pino from "pino";
import { parseRedisUrl } from "../config/redis-url.js";
import { reasonOf } from "../reason.js";
import { openStore } from "../session/open-store.js";
import { ok, problem, warning } from "./finding.js";
/** Whether sessions can be kept: by keeping something there, and taking it away again. */
export async function checkStore(config) {
    return config.redisUrl ? checkRedis(config, config.redisUrl) : [await checkFolder(config)];
}
const check = "session store";
async function checkFolder(config) {
    const { sessionDir } = config;
    const about = lookAt(sessionDir);
    // The server makes the folder. The doctor does not: it may run as somebody else.
    if (!about)
        return checkParent(sessionDir);
    const trouble = troubleWith(about, sessionDir);
    if (trouble)
        return trouble;
    const reason = await tryIt(config);
    if (reason === undefined)
        return ok(check, `files in ${sessionDir}, which can be written`);
    return problem(check, `${sessionDir} cannot be written (${reason})`, "Look at its owner, and whether the disk is full.");
}
/** What lies there; `undefined` when there is nothing, or something in the way. */
function lookAt(path) {
    try {
        return lstatSync(path);
    }
    catch {
        return undefined;
    }
}
function checkParent(sessionDir) {
    let parent = dirname(sessionDir);
    while (!lstatSync(parent, { throwIfNoEntry: false }) && parent !== dirname(parent))
        parent = dirname(parent);
    try {
        accessSync(parent, constants.W_OK | constants.X_OK);
        return ok(check, `files in ${sessionDir}, which will be made`);
    }
    catch {
        const cure = "Make the folder for the server's user, with mode 0700, or set another SESSION_DIR.";
        return problem(check, `${sessionDir} cannot be found, and cannot be made in ${parent}`, cure);
    }
}
function troubleWith(about, sessionDir) {
    if (!about.isDirectory()) {
        return problem(check, `${sessionDir} is not a folder (a symbolic link will not do)`, "Set another SESSION_DIR.");
    }
    if (process.platform === "win32")
        return undefined;
    if (about.uid !== process.getuid?.()) {
        const cure = "Run this as the server's user; if it is that one, let it own the folder (chown).";
        return problem(check, `${sessionDir} belongs to another user`, cure);
    }
    if ((about.mode & 0o077) !== 0) {
        const cure = `The server mends that when it starts; or run: chmod 700 ${sessionDir}`;
        return warning(check, `other users may open ${sessionDir}`, cure);
    }
    return undefined;
}
async function checkRedis(config, redisUrl) {
    const reason = await tryIt(config);
    const kept = reason === undefined
        ? ok(check, "Redis answers, and can be written")
        : problem(check, reason, "Start Redis, or correct REDIS_URL: its address, its password and its rights.");
    const { tls, socketPath, nodes } = parseRedisUrl(redisUrl) ?? { tls: true, nodes: [] };
    const isHere = nodes.every(({ host }) => /^(?:localhost|::1|127\.\d+\.\d+\.\d+)$/.test(host));
    if (tls || socketPath || isHere)
        return [kept];
    const cure = "Use rediss:// (TLS), or a network that is yours alone.";
    return [
        kept,
        warning("way to Redis", "is not encrypted: REDIS_URL has no TLS and leaves this machine", cure),
    ];
}
/** Gives why the store does not work; `undefined` when it does. */
async function tryIt(config) {
    try {
        const store = await openStore(config, pino({ level: "silent" }));
        try {
            await store.ping();
            return undefined;
        }
        finally {
            await store.close();
        }
    }
    catch (error) {
        return reasonOf(error).replace(/^Error: /, "");
    }
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic3RvcmUuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJzdG9yZS50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEVBQUUsVUFBVSxFQUFFLFNBQVMsRUFBRSxTQUFTLEVBQWMsTUFBTSxTQUFTLENBQUM7QUFDdkUsT0FBTyxFQUFFLE9BQU8sRUFBRSxNQUFNLFdBQVcsQ0FBQztBQUNwQyxPQUFPLElBQUksTUFBTSxNQUFNLENBQUM7QUFDeEIsT0FBTyxFQUFFLGFBQWEsRUFBRSxNQUFNLHdCQUF3QixDQUFDO0FBRXZELE9BQU8sRUFBRSxRQUFRLEVBQUUsTUFBTSxjQUFjLENBQUM7QUFDeEMsT0FBTyxFQUFFLFNBQVMsRUFBRSxNQUFNLDBCQUEwQixDQUFDO0FBQ3JELE9BQU8sRUFBZ0IsRUFBRSxFQUFFLE9BQU8sRUFBRSxPQUFPLEVBQUUsTUFBTSxjQUFjLENBQUM7QUFFbEUsMEZBQTBGO0FBQzFGLE1BQU0sQ0FBQyxLQUFLLFVBQVUsVUFBVSxDQUFDLE1BQWM7SUFDN0MsT0FBTyxNQUFNLENBQUMsUUFBUSxDQUFDLENBQUMsQ0FBQyxVQUFVLENBQUMsTUFBTSxFQUFFLE1BQU0sQ0FBQyxRQUFRLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxNQUFNLFdBQVcsQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDO0FBQzdGLENBQUM7QUFFRCxNQUFNLEtBQUssR0FBRyxlQUFlLENBQUM7QUFFOUIsS0FBSyxVQUFVLFdBQVcsQ0FBQyxNQUFjO0lBQ3ZDLE1BQU0sRUFBRSxVQUFVLEVBQUUsR0FBRyxNQUFNLENBQUM7SUFDOUIsTUFBTSxLQUFLLEdBQUcsTUFBTSxDQUFDLFVBQVUsQ0FBQyxDQUFDO0lBQ2pDLGlGQUFpRjtJQUNqRixJQUFJLENBQUMsS0FBSztRQUFFLE9BQU8sV0FBVyxDQUFDLFVBQVUsQ0FBQyxDQUFDO0lBQzNDLE1BQU0sT0FBTyxHQUFHLFdBQVcsQ0FBQyxLQUFLLEVBQUUsVUFBVSxDQUFDLENBQUM7SUFDL0MsSUFBSSxPQUFPO1FBQUUsT0FBTyxPQUFPLENBQUM7SUFDNUIsTUFBTSxNQUFNLEdBQUcsTUFBTSxLQUFLLENBQUMsTUFBTSxDQUFDLENBQUM7SUFDbkMsSUFBSSxNQUFNLEtBQUssU0FBUztRQUFFLE9BQU8sRUFBRSxDQUFDLEtBQUssRUFBRSxZQUFZLFVBQVUsd0JBQXdCLENBQUMsQ0FBQztJQUMzRixPQUFPLE9BQU8sQ0FDWixLQUFLLEVBQ0wsR0FBRyxVQUFVLHVCQUF1QixNQUFNLEdBQUcsRUFDN0Msa0RBQWtELENBQ25ELENBQUM7QUFDSixDQUFDO0FBRUQsbUZBQW1GO0FBQ25GLFNBQVMsTUFBTSxDQUFDLElBQVk7SUFDMUIsSUFBSSxDQUFDO1FBQ0gsT0FBTyxTQUFTLENBQUMsSUFBSSxDQUFDLENBQUM7SUFDekIsQ0FBQztJQUFDLE1BQU0sQ0FBQztRQUNQLE9BQU8sU0FBUyxDQUFDO0lBQ25CLENBQUM7QUFDSCxDQUFDO0FBRUQsU0FBUyxXQUFXLENBQUMsVUFBa0I7SUFDckMsSUFBSSxNQUFNLEdBQUcsT0FBTyxDQUFDLFVBQVUsQ0FBQyxDQUFDO0lBQ2pDLE9BQU8sQ0FBQyxTQUFTLENBQUMsTUFBTSxFQUFFLEVBQUUsY0FBYyxFQUFFLEtBQUssRUFBRSxDQUFDLElBQUksTUFBTSxLQUFLLE9BQU8sQ0FBQyxNQUFNLENBQUM7UUFDaEYsTUFBTSxHQUFHLE9BQU8sQ0FBQyxNQUFNLENBQUMsQ0FBQztJQUMzQixJQUFJLENBQUM7UUFDSCxVQUFVLENBQUMsTUFBTSxFQUFFLFNBQVMsQ0FBQyxJQUFJLEdBQUcsU0FBUyxDQUFDLElBQUksQ0FBQyxDQUFDO1FBQ3BELE9BQU8sRUFBRSxDQUFDLEtBQUssRUFBRSxZQUFZLFVBQVUsc0JBQXNCLENBQUMsQ0FBQztJQUNqRSxDQUFDO0lBQUMsTUFBTSxDQUFDO1FBQ1AsTUFBTSxJQUFJLEdBQUcsb0ZBQW9GLENBQUM7UUFDbEcsT0FBTyxPQUFPLENBQUMsS0FBSyxFQUFFLEdBQUcsVUFBVSwyQ0FBMkMsTUFBTSxFQUFFLEVBQUUsSUFBSSxDQUFDLENBQUM7SUFDaEcsQ0FBQztBQUNILENBQUM7QUFFRCxTQUFTLFdBQVcsQ0FBQyxLQUFZLEVBQUUsVUFBa0I7SUFDbkQsSUFBSSxDQUFDLEtBQUssQ0FBQyxXQUFXLEVBQUUsRUFBRSxDQUFDO1FBQ3pCLE9BQU8sT0FBTyxDQUNaLEtBQUssRUFDTCxHQUFHLFVBQVUsZ0RBQWdELEVBQzdELDBCQUEwQixDQUMzQixDQUFDO0lBQ0osQ0FBQztJQUNELElBQUksT0FBTyxDQUFDLFFBQVEsS0FBSyxPQUFPO1FBQUUsT0FBTyxTQUFTLENBQUM7SUFDbkQsSUFBSSxLQUFLLENBQUMsR0FBRyxLQUFLLE9BQU8sQ0FBQyxNQUFNLEVBQUUsRUFBRSxFQUFFLENBQUM7UUFDckMsTUFBTSxJQUFJLEdBQUcsa0ZBQWtGLENBQUM7UUFDaEcsT0FBTyxPQUFPLENBQUMsS0FBSyxFQUFFLEdBQUcsVUFBVSwwQkFBMEIsRUFBRSxJQUFJLENBQUMsQ0FBQztJQUN2RSxDQUFDO0lBQ0QsSUFBSSxDQUFDLEtBQUssQ0FBQyxJQUFJLEdBQUcsS0FBSyxDQUFDLEtBQUssQ0FBQyxFQUFFLENBQUM7UUFDL0IsTUFBTSxJQUFJLEdBQUcsMkRBQTJELFVBQVUsRUFBRSxDQUFDO1FBQ3JGLE9BQU8sT0FBTyxDQUFDLEtBQUssRUFBRSx3QkFBd0IsVUFBVSxFQUFFLEVBQUUsSUFBSSxDQUFDLENBQUM7SUFDcEUsQ0FBQztJQUNELE9BQU8sU0FBUyxDQUFDO0FBQ25CLENBQUM7QUFFRCxLQUFLLFVBQVUsVUFBVSxDQUFDLE1BQWMsRUFBRSxRQUFnQjtJQUN4RCxNQUFNLE1BQU0sR0FBRyxNQUFNLEtBQUssQ0FBQyxNQUFNLENBQUMsQ0FBQztJQUNuQyxNQUFNLElBQUksR0FDUixNQUFNLEtBQUssU0FBUztRQUNsQixDQUFDLENBQUMsRUFBRSxDQUFDLEtBQUssRUFBRSxtQ0FBbUMsQ0FBQztRQUNoRCxDQUFDLENBQUMsT0FBTyxDQUNMLEtBQUssRUFDTCxNQUFNLEVBQ04sOEVBQThFLENBQy9FLENBQUM7SUFDUixNQUFNLEVBQUUsR0FBRyxFQUFFLFVBQVUsRUFBRSxLQUFLLEVBQUUsR0FBRyxhQUFhLENBQUMsUUFBUSxDQUFDLElBQUksRUFBRSxHQUFHLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxFQUFFLEVBQUUsQ0FBQztJQUN2RixNQUFNLE1BQU0sR0FBRyxLQUFLLENBQUMsS0FBSyxDQUFDLENBQUMsRUFBRSxJQUFJLEVBQUUsRUFBRSxFQUFFLENBQUMsd0NBQXdDLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUM7SUFDOUYsSUFBSSxHQUFHLElBQUksVUFBVSxJQUFJLE1BQU07UUFBRSxPQUFPLENBQUMsSUFBSSxDQUFDLENBQUM7SUFDL0MsTUFBTSxJQUFJLEdBQUcsd0RBQXdELENBQUM7SUFDdEUsT0FBTztRQUNMLElBQUk7UUFDSixPQUFPLENBQUMsY0FBYyxFQUFFLGdFQUFnRSxFQUFFLElBQUksQ0FBQztLQUNoRyxDQUFDO0FBQ0osQ0FBQztBQUVELG1FQUFtRTtBQUNuRSxLQUFLLFVBQVUsS0FBSyxDQUFDLE1BQWM7SUFDakMsSUFBSSxDQUFDO1FBQ0gsTUFBTSxLQUFLLEdBQUcsTUFBTSxTQUFTLENBQUMsTUFBTSxFQUFFLElBQUksQ0FBQyxFQUFFLEtBQUssRUFBRSxRQUFRLEVBQUUsQ0FBQyxDQUFDLENBQUM7UUFDakUsSUFBSSxDQUFDO1lBQ0gsTUFBTSxLQUFLLENBQUMsSUFBSSxFQUFFLENBQUM7WUFDbkIsT0FBTyxTQUFTLENBQUM7UUFDbkIsQ0FBQztnQkFBUyxDQUFDO1lBQ1QsTUFBTSxLQUFLLENBQUMsS0FBSyxFQUFFLENBQUM7UUFDdEIsQ0FBQztJQUNILENBQUM7SUFBQyxPQUFPLEtBQUssRUFBRSxDQUFDO1FBQ2YsT0FBTyxRQUFRLENBQUMsS0FBSyxDQUFDLENBQUMsT0FBTyxDQUFDLFVBQVUsRUFBRSxFQUFFLENBQUMsQ0FBQztJQUNqRCxDQUFDO0FBQ0gsQ0FBQyJ9