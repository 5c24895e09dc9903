import { IdentityManager } from "../arcgis/identity-manager.js";
import { renewableUntil } from "./lifetime.js";
import { putTogether } from "./session-content.js";
/** The first time soon after the start: not every server runs for an hour. */
const firstAfterMs = 60_000;
const everyMs = 60 * 60_000;
const toleranceMs = 5 * 60_000;
const clocks = () => ({ wall: Date.now(), steady: performance.now() });
/** Removes sessions that are over, an hour after another, as long as the process lives or until `stop`. */
export function reaper({ records, seals, life, onExpired, warn }) {
    const timers = [setTimeout(run, firstAfterMs).unref(), setInterval(run, everyMs).unref()];
    let last = clocks();
    /** Not when the clock was set since the last time: it may have been a mistake, and be put right before the next. */
    function run() {
        const now = clocks();
        const jumpMs = now.wall - last.wall - (now.steady - last.steady);
        last = now;
        if (Math.abs(jumpMs) > toleranceMs)
            return;
        reap().catch(failed("sessions that are over could not be removed"));
    }
    async function reap() {
        await records.reap?.(sayGoodbye);
    }
    /** Whether a record that nobody has written for the idle time may go. Its tokens are worthless from then on. */
    async function sayGoodbye(name) {
        const record = await records.read(name);
        const opened = record && seals.open(name, record);
        // Nobody could use it either, for all that time: it is over.
        if (!opened)
            return true;
        const { content, seenAt } = opened;
        const now = Date.now();
        if (!life.isOver({ seenAt, end: life.endOf(content) }, now))
            return false;
        if (now >= renewableUntil(content.identities))
            return true;
        for (const value of Object.values(putTogether(content))) {
            if (!(value instanceof IdentityManager))
                continue;
            await onExpired(value).catch(failed("the tokens of a session that is over could not be revoked"));
        }
        return true;
    }
    function failed(message) {
        return ({ message: reason }) => warn?.(message, { reason });
    }
    return { reap, stop: () => timers.forEach(clearTimeout) };
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVhcGVyLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicmVhcGVyLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxlQUFlLEVBQUUsTUFBTSwrQkFBK0IsQ0FBQztBQUNoRSxPQUFPLEVBQWlCLGNBQWMsRUFBRSxNQUFNLGVBQWUsQ0FBQztBQUc5RCxPQUFPLEVBQUUsV0FBVyxFQUFFLE1BQU0sc0JBQXNCLENBQUM7QUFZbkQsOEVBQThFO0FBQzlFLE1BQU0sWUFBWSxHQUFHLE1BQU0sQ0FBQztBQUM1QixNQUFNLE9BQU8sR0FBRyxFQUFFLEdBQUcsTUFBTSxDQUFDO0FBQzVCLE1BQU0sV0FBVyxHQUFHLENBQUMsR0FBRyxNQUFNLENBQUM7QUFFL0IsTUFBTSxNQUFNLEdBQUcsR0FBRyxFQUFFLENBQUMsQ0FBQyxFQUFFLElBQUksRUFBRSxJQUFJLENBQUMsR0FBRyxFQUFFLEVBQUUsTUFBTSxFQUFFLFdBQVcsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLENBQUM7QUFFdkUsMkdBQTJHO0FBQzNHLE1BQU0sVUFBVSxNQUFNLENBQUMsRUFBRSxPQUFPLEVBQUUsS0FBSyxFQUFFLElBQUksRUFBRSxTQUFTLEVBQUUsSUFBSSxFQUFlO0lBQzNFLE1BQU0sTUFBTSxHQUFHLENBQUMsVUFBVSxDQUFDLEdBQUcsRUFBRSxZQUFZLENBQUMsQ0FBQyxLQUFLLEVBQUUsRUFBRSxXQUFXLENBQUMsR0FBRyxFQUFFLE9BQU8sQ0FBQyxDQUFDLEtBQUssRUFBRSxDQUFDLENBQUM7SUFFMUYsSUFBSSxJQUFJLEdBQUcsTUFBTSxFQUFFLENBQUM7SUFFcEIsb0hBQW9IO0lBQ3BILFNBQVMsR0FBRztRQUNWLE1BQU0sR0FBRyxHQUFHLE1BQU0sRUFBRSxDQUFDO1FBQ3JCLE1BQU0sTUFBTSxHQUFHLEdBQUcsQ0FBQyxJQUFJLEdBQUcsSUFBSSxDQUFDLElBQUksR0FBRyxDQUFDLEdBQUcsQ0FBQyxNQUFNLEdBQUcsSUFBSSxDQUFDLE1BQU0sQ0FBQyxDQUFDO1FBQ2pFLElBQUksR0FBRyxHQUFHLENBQUM7UUFDWCxJQUFJLElBQUksQ0FBQyxHQUFHLENBQUMsTUFBTSxDQUFDLEdBQUcsV0FBVztZQUFFLE9BQU87UUFDM0MsSUFBSSxFQUFFLENBQUMsS0FBSyxDQUFDLE1BQU0sQ0FBQyw2Q0FBNkMsQ0FBQyxDQUFDLENBQUM7SUFDdEUsQ0FBQztJQUVELEtBQUssVUFBVSxJQUFJO1FBQ2pCLE1BQU0sT0FBTyxDQUFDLElBQUksRUFBRSxDQUFDLFVBQVUsQ0FBQyxDQUFDO0lBQ25DLENBQUM7SUFFRCxnSEFBZ0g7SUFDaEgsS0FBSyxVQUFVLFVBQVUsQ0FBQyxJQUFZO1FBQ3BDLE1BQU0sTUFBTSxHQUFHLE1BQU0sT0FBTyxDQUFDLElBQUksQ0FBQyxJQUFJLENBQUMsQ0FBQztRQUN4QyxNQUFNLE1BQU0sR0FBRyxNQUFNLElBQUksS0FBSyxDQUFDLElBQUksQ0FBQyxJQUFJLEVBQUUsTUFBTSxDQUFDLENBQUM7UUFDbEQsNkRBQTZEO1FBQzdELElBQUksQ0FBQyxNQUFNO1lBQUUsT0FBTyxJQUFJLENBQUM7UUFDekIsTUFBTSxFQUFFLE9BQU8sRUFBRSxNQUFNLEVBQUUsR0FBRyxNQUFNLENBQUM7UUFDbkMsTUFBTSxHQUFHLEdBQUcsSUFBSSxDQUFDLEdBQUcsRUFBRSxDQUFDO1FBQ3ZCLElBQUksQ0FBQyxJQUFJLENBQUMsTUFBTSxDQUFDLEVBQUUsTUFBTSxFQUFFLEdBQUcsRUFBRSxJQUFJLENBQUMsS0FBSyxDQUFDLE9BQU8sQ0FBQyxFQUFFLEVBQUUsR0FBRyxDQUFDO1lBQUUsT0FBTyxLQUFLLENBQUM7UUFFMUUsSUFBSSxHQUFHLElBQUksY0FBYyxDQUFDLE9BQU8sQ0FBQyxVQUFVLENBQUM7WUFBRSxPQUFPLElBQUksQ0FBQztRQUMzRCxLQUFLLE1BQU0sS0FBSyxJQUFJLE1BQU0sQ0FBQyxNQUFNLENBQUMsV0FBVyxDQUFDLE9BQU8sQ0FBQyxDQUFDLEVBQUUsQ0FBQztZQUN4RCxJQUFJLENBQUMsQ0FBQyxLQUFLLFlBQVksZUFBZSxDQUFDO2dCQUFFLFNBQVM7WUFDbEQsTUFBTSxTQUFTLENBQUMsS0FBSyxDQUFDLENBQUMsS0FBSyxDQUFDLE1BQU0sQ0FBQywyREFBMkQsQ0FBQyxDQUFDLENBQUM7UUFDcEcsQ0FBQztRQUNELE9BQU8sSUFBSSxDQUFDO0lBQ2QsQ0FBQztJQUVELFNBQVMsTUFBTSxDQUFDLE9BQWU7UUFDN0IsT0FBTyxDQUFDLEVBQUUsT0FBTyxFQUFFLE1BQU0sRUFBRSxFQUFFLEVBQUUsQ0FBQyxJQUFJLEVBQUUsQ0FBQyxPQUFPLEVBQUUsRUFBRSxNQUFNLEVBQUUsQ0FBQyxDQUFDO0lBQzlELENBQUM7SUFFRCxPQUFPLEVBQUUsSUFBSSxFQUFFLElBQUksRUFBRSxHQUFHLEVBQUUsQ0FBQyxNQUFNLENBQUMsT0FBTyxDQUFDLFlBQVksQ0FBQyxFQUFFLENBQUM7QUFDNUQsQ0FBQyJ9