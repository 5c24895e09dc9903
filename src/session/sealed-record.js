import { createHash } from "node:crypto";
import { parseContent } from "./session-content.js";
/**
 * The name of a session's record. Knowing it is no way back to the id, which has 192 random bits, and it
 * depends on no key: it stays when keys are replaced.
 */
export function recordName(id) {
    return createHash("sha256").update(`session-name/v1|${id}`).digest("hex");
}
/**
 * Seals sessions into records, and opens them. Each seal belongs to the name of its record, and the two of a
 * record have different purposes: neither opens anywhere else.
 */
export function recordSeals(keys) {
    const sealContent = (name, content) => keys.seal(JSON.stringify(content), "session", name);
    const sealSeen = (name, seenAt) => keys.seal(String(seenAt), "seen", name);
    const openSeen = (name, { seen }) => Number(keys.open(seen, "seen", name) ?? Number.NaN);
    return {
        seal: (name, { content, seenAt }) => ({
            content: sealContent(name, content),
            seen: sealSeen(name, seenAt),
        }),
        /** Gives what the record says; `undefined` when either seal does not open, or holds what we do not write. */
        open(name, record) {
            const text = keys.open(record.content, "session", name);
            const content = text === undefined ? undefined : parseContent(text);
            const seenAt = openSeen(name, record);
            return content && Number.isFinite(seenAt) ? { content, seenAt } : undefined;
        },
        /** When the session was last used; `NaN` when that does not open. */
        openSeen,
        /** The record with another content, last used when it was. */
        withContent: (name, { seen }, content) => ({
            content: sealContent(name, content),
            seen,
        }),
        /** The record after another use. As it is written anyway, its content moves to the newest key. */
        withUse(name, { content: sealed }, seenAt) {
            const text = keys.isNewest(sealed) ? undefined : keys.open(sealed, "session", name);
            const content = text === undefined ? sealed : keys.seal(text, "session", name);
            return { content, seen: sealSeen(name, seenAt) };
        },
        /** Why a record does not open, for the log. */
        troubleWith: ({ content, seen }) => keys.knows(content) && keys.knows(seen) ? "damaged or forged" : "sealed with a key that is not here",
    };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic2VhbGVkLXJlY29yZC5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInNlYWxlZC1yZWNvcmQudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLFVBQVUsRUFBRSxNQUFNLGFBQWEsQ0FBQztBQUd6QyxPQUFPLEVBQWdCLFlBQVksRUFBRSxNQUFNLHNCQUFzQixDQUFDO0FBU2xFOzs7R0FHRztBQUNILE1BQU0sVUFBVSxVQUFVLENBQUMsRUFBVTtJQUNuQyxPQUFPLFVBQVUsQ0FBQyxRQUFRLENBQUMsQ0FBQyxNQUFNLENBQUMsbUJBQW1CLEVBQUUsRUFBRSxDQUFDLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQyxDQUFDO0FBQzVFLENBQUM7QUFFRDs7O0dBR0c7QUFDSCxNQUFNLFVBQVUsV0FBVyxDQUFDLElBQWE7SUFDdkMsTUFBTSxXQUFXLEdBQUcsQ0FBQyxJQUFZLEVBQUUsT0FBZ0IsRUFBRSxFQUFFLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsU0FBUyxDQUFDLE9BQU8sQ0FBQyxFQUFFLFNBQVMsRUFBRSxJQUFJLENBQUMsQ0FBQztJQUM1RyxNQUFNLFFBQVEsR0FBRyxDQUFDLElBQVksRUFBRSxNQUFjLEVBQUUsRUFBRSxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsTUFBTSxDQUFDLE1BQU0sQ0FBQyxFQUFFLE1BQU0sRUFBRSxJQUFJLENBQUMsQ0FBQztJQUMzRixNQUFNLFFBQVEsR0FBRyxDQUFDLElBQVksRUFBRSxFQUFFLElBQUksRUFBZ0IsRUFBRSxFQUFFLENBQ3hELE1BQU0sQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLElBQUksRUFBRSxNQUFNLEVBQUUsSUFBSSxDQUFDLElBQUksTUFBTSxDQUFDLEdBQUcsQ0FBQyxDQUFDO0lBRXRELE9BQU87UUFDTCxJQUFJLEVBQUUsQ0FBQyxJQUFZLEVBQUUsRUFBRSxPQUFPLEVBQUUsTUFBTSxFQUFjLEVBQWdCLEVBQUUsQ0FBQyxDQUFDO1lBQ3RFLE9BQU8sRUFBRSxXQUFXLENBQUMsSUFBSSxFQUFFLE9BQU8sQ0FBQztZQUNuQyxJQUFJLEVBQUUsUUFBUSxDQUFDLElBQUksRUFBRSxNQUFNLENBQUM7U0FDN0IsQ0FBQztRQUVGLDZHQUE2RztRQUM3RyxJQUFJLENBQUMsSUFBWSxFQUFFLE1BQW9CO1lBQ3JDLE1BQU0sSUFBSSxHQUFHLElBQUksQ0FBQyxJQUFJLENBQUMsTUFBTSxDQUFDLE9BQU8sRUFBRSxTQUFTLEVBQUUsSUFBSSxDQUFDLENBQUM7WUFDeEQsTUFBTSxPQUFPLEdBQUcsSUFBSSxLQUFLLFNBQVMsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDLENBQUMsQ0FBQyxZQUFZLENBQUMsSUFBSSxDQUFDLENBQUM7WUFDcEUsTUFBTSxNQUFNLEdBQUcsUUFBUSxDQUFDLElBQUksRUFBRSxNQUFNLENBQUMsQ0FBQztZQUN0QyxPQUFPLE9BQU8sSUFBSSxNQUFNLENBQUMsUUFBUSxDQUFDLE1BQU0sQ0FBQyxDQUFDLENBQUMsQ0FBQyxFQUFFLE9BQU8sRUFBRSxNQUFNLEVBQUUsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO1FBQzlFLENBQUM7UUFFRCxxRUFBcUU7UUFDckUsUUFBUTtRQUVSLDhEQUE4RDtRQUM5RCxXQUFXLEVBQUUsQ0FBQyxJQUFZLEVBQUUsRUFBRSxJQUFJLEVBQWdCLEVBQUUsT0FBZ0IsRUFBZ0IsRUFBRSxDQUFDLENBQUM7WUFDdEYsT0FBTyxFQUFFLFdBQVcsQ0FBQyxJQUFJLEVBQUUsT0FBTyxDQUFDO1lBQ25DLElBQUk7U0FDTCxDQUFDO1FBRUYsa0dBQWtHO1FBQ2xHLE9BQU8sQ0FBQyxJQUFZLEVBQUUsRUFBRSxPQUFPLEVBQUUsTUFBTSxFQUFnQixFQUFFLE1BQWM7WUFDckUsTUFBTSxJQUFJLEdBQUcsSUFBSSxDQUFDLFFBQVEsQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDLENBQUMsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLE1BQU0sRUFBRSxTQUFTLEVBQUUsSUFBSSxDQUFDLENBQUM7WUFDcEYsTUFBTSxPQUFPLEdBQUcsSUFBSSxLQUFLLFNBQVMsQ0FBQyxDQUFDLENBQUMsTUFBTSxDQUFDLENBQUMsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLElBQUksRUFBRSxTQUFTLEVBQUUsSUFBSSxDQUFDLENBQUM7WUFDL0UsT0FBTyxFQUFFLE9BQU8sRUFBRSxJQUFJLEVBQUUsUUFBUSxDQUFDLElBQUksRUFBRSxNQUFNLENBQUMsRUFBRSxDQUFDO1FBQ25ELENBQUM7UUFFRCwrQ0FBK0M7UUFDL0MsV0FBVyxFQUFFLENBQUMsRUFBRSxPQUFPLEVBQUUsSUFBSSxFQUFnQixFQUFVLEVBQUUsQ0FDdkQsSUFBSSxDQUFDLEtBQUssQ0FBQyxPQUFPLENBQUMsSUFBSSxJQUFJLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUMsQ0FBQyxtQkFBbUIsQ0FBQyxDQUFDLENBQUMsb0NBQW9DO0tBQ3ZHLENBQUM7QUFDSixDQUFDIn0=