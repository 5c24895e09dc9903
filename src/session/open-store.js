import { fileStore } from "./file-store.js";
import { keyRing } from "./seal.js";
import { SealedStore } from "./sealed-store.js";
/**
 * Opens the store that the configuration asks for: files, or Redis with REDIS_URL. A Redis that is away does not
 * hold up the start; until it is back, whoever has a session is told so.
 *
 * @throws Error when the session folder cannot be used; its message says why.
 */
export async function openStore(config, log) {
    const { sessionIdleSeconds: idleSeconds, sessionMaxSeconds: maxSeconds } = config;
    const warn = (message, details) => log.warn(details, message);
    const records = await openRecords(config, log);
    const keys = keyRing(config.encryptionKeys);
    return new SealedStore({ records, keys, idleSeconds, maxSeconds, wholes: ["profile"], warn });
}
/** Opens the place of the sealed records alone; as `openStore`. */
export async function openRecords(config, log) {
    const { redisUrl: url, sessionMaxSeconds: maxSeconds } = config;
    if (url) {
        // The driver is loaded only where it is needed.
        const { redisStore } = await import("./redis-store.js");
        return redisStore({ url, maxSeconds, log });
    }
    return fileStore({
        path: config.sessionDir,
        idleSeconds: config.sessionIdleSeconds,
        warn: (message, details) => log.warn(details, message),
        // Not worth a warning: a fresh clone's folder is like that.
        repaired: (message) => log.info(message),
    });
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoib3Blbi1zdG9yZS5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbIm9wZW4tc3RvcmUudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBRUEsT0FBTyxFQUFFLFNBQVMsRUFBRSxNQUFNLGlCQUFpQixDQUFDO0FBRTVDLE9BQU8sRUFBRSxPQUFPLEVBQUUsTUFBTSxXQUFXLENBQUM7QUFDcEMsT0FBTyxFQUFFLFdBQVcsRUFBRSxNQUFNLG1CQUFtQixDQUFDO0FBRWhEOzs7OztHQUtHO0FBQ0gsTUFBTSxDQUFDLEtBQUssVUFBVSxTQUFTLENBQUMsTUFBYyxFQUFFLEdBQVc7SUFDekQsTUFBTSxFQUFFLGtCQUFrQixFQUFFLFdBQVcsRUFBRSxpQkFBaUIsRUFBRSxVQUFVLEVBQUUsR0FBRyxNQUFNLENBQUM7SUFDbEYsTUFBTSxJQUFJLEdBQUcsQ0FBQyxPQUFlLEVBQUUsT0FBZSxFQUFFLEVBQUUsQ0FBQyxHQUFHLENBQUMsSUFBSSxDQUFDLE9BQU8sRUFBRSxPQUFPLENBQUMsQ0FBQztJQUM5RSxNQUFNLE9BQU8sR0FBRyxNQUFNLFdBQVcsQ0FBQyxNQUFNLEVBQUUsR0FBRyxDQUFDLENBQUM7SUFDL0MsTUFBTSxJQUFJLEdBQUcsT0FBTyxDQUFDLE1BQU0sQ0FBQyxjQUFjLENBQUMsQ0FBQztJQUM1QyxPQUFPLElBQUksV0FBVyxDQUFDLEVBQUUsT0FBTyxFQUFFLElBQUksRUFBRSxXQUFXLEVBQUUsVUFBVSxFQUFFLE1BQU0sRUFBRSxDQUFDLFNBQVMsQ0FBQyxFQUFFLElBQUksRUFBRSxDQUFDLENBQUM7QUFDaEcsQ0FBQztBQUVELG1FQUFtRTtBQUNuRSxNQUFNLENBQUMsS0FBSyxVQUFVLFdBQVcsQ0FBQyxNQUFjLEVBQUUsR0FBa0M7SUFDbEYsTUFBTSxFQUFFLFFBQVEsRUFBRSxHQUFHLEVBQUUsaUJBQWlCLEVBQUUsVUFBVSxFQUFFLEdBQUcsTUFBTSxDQUFDO0lBQ2hFLElBQUksR0FBRyxFQUFFLENBQUM7UUFDUixnREFBZ0Q7UUFDaEQsTUFBTSxFQUFFLFVBQVUsRUFBRSxHQUFHLE1BQU0sTUFBTSxDQUFDLGtCQUFrQixDQUFDLENBQUM7UUFDeEQsT0FBTyxVQUFVLENBQUMsRUFBRSxHQUFHLEVBQUUsVUFBVSxFQUFFLEdBQUcsRUFBRSxDQUFDLENBQUM7SUFDOUMsQ0FBQztJQUNELE9BQU8sU0FBUyxDQUFDO1FBQ2YsSUFBSSxFQUFFLE1BQU0sQ0FBQyxVQUFVO1FBQ3ZCLFdBQVcsRUFBRSxNQUFNLENBQUMsa0JBQWtCO1FBQ3RDLElBQUksRUFBRSxDQUFDLE9BQU8sRUFBRSxPQUFPLEVBQUUsRUFBRSxDQUFDLEdBQUcsQ0FBQyxJQUFJLENBQUMsT0FBTyxFQUFFLE9BQU8sQ0FBQztRQUN0RCw0REFBNEQ7UUFDNUQsUUFBUSxFQUFFLENBQUMsT0FBTyxFQUFFLEVBQUUsQ0FBQyxHQUFHLENBQUMsSUFBSSxDQUFDLE9BQU8sQ0FBQztLQUN6QyxDQUFDLENBQUM7QUFDTCxDQUFDIn0=