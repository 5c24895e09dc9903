import { setTimeout as sleep } from "node:timers/promises";
import { ClientClosedError, ConnectionTimeoutError, ErrorReply, SocketTimeoutError, TimeoutError, } from "redis";
import { driverFor } from "./redis-driver.js";
const longestPauseMs = 2_000;
/**
 * Opens a connection, and a new one whenever it is lost, until it is closed. Resolves after the first attempt,
 * whether or not it went well, and does not wait for that longer than `patienceMs`.
 *
 * node-redis has a way of its own to reconnect, which is not used: it does not see that a server has fallen
 * silent (its time limits end when a command is written, or begin anew with every further command), and of a
 * cluster it looks for the successor of a lost node only when another node happens to send it there.
 */
export async function connectToRedis(address, { patienceMs, log }) {
    // Not connected: its commands fail.
    let driver = driverFor(address, patienceMs);
    let state = "away";
    let reason;
    let failures = 0;
    let silentBeats = 0;
    let timer;
    let attempt;
    /** What is left of the old connection serves until there is a new one: the nodes of a cluster that are well. */
    async function open() {
        const fresh = driverFor(address, patienceMs);
        let first;
        fresh.client.on("error", (error) => {
            // A cluster tells here of each node that fails, and rejects with an error that says nothing.
            first ??= error;
            lose(fresh, error);
        });
        try {
            await fresh.client.connect();
        }
        catch (error) {
            tryAgain(first ?? error);
            return;
        }
        if (state === "closed") {
            fresh.end();
            return;
        }
        driver.end();
        driver = fresh;
        state = "here";
        silentBeats = 0;
        timer = setInterval(beat, patienceMs / 2);
        beat();
    }
    /** Counts beats, not time: when it was this process that stood still, the answers have come meanwhile. */
    function beat() {
        const asked = driver;
        if (silentBeats === 2) {
            lose(asked, new TimeoutError());
            asked.cut();
            return;
        }
        silentBeats += 1;
        asked.ping().then(() => alive(asked), 
        // A refusal is an answer too.
        (error) => (error instanceof ErrorReply ? alive(asked) : lose(asked, error)));
    }
    function alive(asked) {
        if (state !== "here" || asked !== driver)
            return;
        silentBeats = 0;
        failures = 0;
        if (reason)
            log?.info("Redis is back");
        reason = undefined;
    }
    function lose(lost, error) {
        if (state !== "here" || lost !== driver)
            return;
        state = "away";
        clearInterval(timer);
        tryAgain(error);
    }
    function tryAgain(error) {
        if (state === "closed")
            return;
        const latest = reasonOf(error);
        if (latest !== reason)
            log?.warn({ reason: latest }, "Redis is away");
        reason = latest;
        // In growing steps, and not every process at the same moment.
        const pauseMs = Math.min(longestPauseMs, 50 * 2 ** failures) * (0.5 + Math.random() / 2);
        failures += 1;
        timer = setTimeout(() => {
            attempt = open();
        }, pauseMs);
    }
    const soon = (task) => Promise.race([task, sleep(patienceMs, undefined, { ref: false })]);
    attempt = open();
    await soon(attempt);
    return {
        async ask(command) {
            const asked = driver;
            try {
                return await command(asked.client);
            }
            catch (error) {
                if (!(error instanceof ErrorReply))
                    throw new Error(`Redis is away: ${reason ?? reasonOf(error)}`);
                const code = reasonOf(error);
                // A failover has made a replica of this server; its name may lead to the new one by now.
                if (code === "READONLY")
                    lose(asked, error);
                throw Object.assign(new Error(`Redis refused a command: ${code}`), { code });
            }
        },
        async close() {
            state = "closed";
            clearTimeout(timer);
            driver.end();
            await soon(attempt);
        },
    };
}
/** A few words without an address, a name of a record or a password. */
function reasonOf(error) {
    // The first word of an error is its code (Redis serialization protocol, "Simple errors").
    if (error instanceof ErrorReply)
        return /^[A-Z]+/.exec(error.message)?.[0] ?? "ERR";
    const { code } = Object(error);
    if (typeof code === "string")
        return code;
    const late = [ClientClosedError, ConnectionTimeoutError, SocketTimeoutError, TimeoutError];
    const isLate = late.some((each) => error instanceof each);
    return isLate ? "no answer" : "the connection was closed";
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVkaXMtY29ubmVjdGlvbi5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInJlZGlzLWNvbm5lY3Rpb24udHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLFVBQVUsSUFBSSxLQUFLLEVBQUUsTUFBTSxzQkFBc0IsQ0FBQztBQUUzRCxPQUFPLEVBQ0wsaUJBQWlCLEVBQ2pCLHNCQUFzQixFQUN0QixVQUFVLEVBQ1Ysa0JBQWtCLEVBQ2xCLFlBQVksR0FDYixNQUFNLE9BQU8sQ0FBQztBQUVmLE9BQU8sRUFBRSxTQUFTLEVBQXNDLE1BQU0sbUJBQW1CLENBQUM7QUFvQmxGLE1BQU0sY0FBYyxHQUFHLEtBQUssQ0FBQztBQUU3Qjs7Ozs7OztHQU9HO0FBQ0gsTUFBTSxDQUFDLEtBQUssVUFBVSxjQUFjLENBQ2xDLE9BQXFCLEVBQ3JCLEVBQUUsVUFBVSxFQUFFLEdBQUcsRUFBMEI7SUFFM0Msb0NBQW9DO0lBQ3BDLElBQUksTUFBTSxHQUFHLFNBQVMsQ0FBQyxPQUFPLEVBQUUsVUFBVSxDQUFDLENBQUM7SUFDNUMsSUFBSSxLQUFLLEdBQStCLE1BQU0sQ0FBQztJQUMvQyxJQUFJLE1BQTBCLENBQUM7SUFDL0IsSUFBSSxRQUFRLEdBQUcsQ0FBQyxDQUFDO0lBQ2pCLElBQUksV0FBVyxHQUFHLENBQUMsQ0FBQztJQUNwQixJQUFJLEtBQWlDLENBQUM7SUFDdEMsSUFBSSxPQUFzQixDQUFDO0lBRTNCLGdIQUFnSDtJQUNoSCxLQUFLLFVBQVUsSUFBSTtRQUNqQixNQUFNLEtBQUssR0FBRyxTQUFTLENBQUMsT0FBTyxFQUFFLFVBQVUsQ0FBQyxDQUFDO1FBQzdDLElBQUksS0FBYyxDQUFDO1FBQ25CLEtBQUssQ0FBQyxNQUFNLENBQUMsRUFBRSxDQUFDLE9BQU8sRUFBRSxDQUFDLEtBQUssRUFBRSxFQUFFO1lBQ2pDLDZGQUE2RjtZQUM3RixLQUFLLEtBQUssS0FBSyxDQUFDO1lBQ2hCLElBQUksQ0FBQyxLQUFLLEVBQUUsS0FBSyxDQUFDLENBQUM7UUFDckIsQ0FBQyxDQUFDLENBQUM7UUFDSCxJQUFJLENBQUM7WUFDSCxNQUFNLEtBQUssQ0FBQyxNQUFNLENBQUMsT0FBTyxFQUFFLENBQUM7UUFDL0IsQ0FBQztRQUFDLE9BQU8sS0FBSyxFQUFFLENBQUM7WUFDZixRQUFRLENBQUMsS0FBSyxJQUFJLEtBQUssQ0FBQyxDQUFDO1lBQ3pCLE9BQU87UUFDVCxDQUFDO1FBQ0QsSUFBSSxLQUFLLEtBQUssUUFBUSxFQUFFLENBQUM7WUFDdkIsS0FBSyxDQUFDLEdBQUcsRUFBRSxDQUFDO1lBQ1osT0FBTztRQUNULENBQUM7UUFDRCxNQUFNLENBQUMsR0FBRyxFQUFFLENBQUM7UUFDYixNQUFNLEdBQUcsS0FBSyxDQUFDO1FBQ2YsS0FBSyxHQUFHLE1BQU0sQ0FBQztRQUNmLFdBQVcsR0FBRyxDQUFDLENBQUM7UUFDaEIsS0FBSyxHQUFHLFdBQVcsQ0FBQyxJQUFJLEVBQUUsVUFBVSxHQUFHLENBQUMsQ0FBQyxDQUFDO1FBQzFDLElBQUksRUFBRSxDQUFDO0lBQ1QsQ0FBQztJQUVELDBHQUEwRztJQUMxRyxTQUFTLElBQUk7UUFDWCxNQUFNLEtBQUssR0FBRyxNQUFNLENBQUM7UUFDckIsSUFBSSxXQUFXLEtBQUssQ0FBQyxFQUFFLENBQUM7WUFDdEIsSUFBSSxDQUFDLEtBQUssRUFBRSxJQUFJLFlBQVksRUFBRSxDQUFDLENBQUM7WUFDaEMsS0FBSyxDQUFDLEdBQUcsRUFBRSxDQUFDO1lBQ1osT0FBTztRQUNULENBQUM7UUFDRCxXQUFXLElBQUksQ0FBQyxDQUFDO1FBQ2pCLEtBQUssQ0FBQyxJQUFJLEVBQUUsQ0FBQyxJQUFJLENBQ2YsR0FBRyxFQUFFLENBQUMsS0FBSyxDQUFDLEtBQUssQ0FBQztRQUNsQiw4QkFBOEI7UUFDOUIsQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUFDLENBQUMsS0FBSyxZQUFZLFVBQVUsQ0FBQyxDQUFDLENBQUMsS0FBSyxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxJQUFJLENBQUMsS0FBSyxFQUFFLEtBQUssQ0FBQyxDQUFDLENBQzdFLENBQUM7SUFDSixDQUFDO0lBRUQsU0FBUyxLQUFLLENBQUMsS0FBa0I7UUFDL0IsSUFBSSxLQUFLLEtBQUssTUFBTSxJQUFJLEtBQUssS0FBSyxNQUFNO1lBQUUsT0FBTztRQUNqRCxXQUFXLEdBQUcsQ0FBQyxDQUFDO1FBQ2hCLFFBQVEsR0FBRyxDQUFDLENBQUM7UUFDYixJQUFJLE1BQU07WUFBRSxHQUFHLEVBQUUsSUFBSSxDQUFDLGVBQWUsQ0FBQyxDQUFDO1FBQ3ZDLE1BQU0sR0FBRyxTQUFTLENBQUM7SUFDckIsQ0FBQztJQUVELFNBQVMsSUFBSSxDQUFDLElBQWlCLEVBQUUsS0FBYztRQUM3QyxJQUFJLEtBQUssS0FBSyxNQUFNLElBQUksSUFBSSxLQUFLLE1BQU07WUFBRSxPQUFPO1FBQ2hELEtBQUssR0FBRyxNQUFNLENBQUM7UUFDZixhQUFhLENBQUMsS0FBSyxDQUFDLENBQUM7UUFDckIsUUFBUSxDQUFDLEtBQUssQ0FBQyxDQUFDO0lBQ2xCLENBQUM7SUFFRCxTQUFTLFFBQVEsQ0FBQyxLQUFjO1FBQzlCLElBQUksS0FBSyxLQUFLLFFBQVE7WUFBRSxPQUFPO1FBQy9CLE1BQU0sTUFBTSxHQUFHLFFBQVEsQ0FBQyxLQUFLLENBQUMsQ0FBQztRQUMvQixJQUFJLE1BQU0sS0FBSyxNQUFNO1lBQUUsR0FBRyxFQUFFLElBQUksQ0FBQyxFQUFFLE1BQU0sRUFBRSxNQUFNLEVBQUUsRUFBRSxlQUFlLENBQUMsQ0FBQztRQUN0RSxNQUFNLEdBQUcsTUFBTSxDQUFDO1FBQ2hCLDhEQUE4RDtRQUM5RCxNQUFNLE9BQU8sR0FBRyxJQUFJLENBQUMsR0FBRyxDQUFDLGNBQWMsRUFBRSxFQUFFLEdBQUcsQ0FBQyxJQUFJLFFBQVEsQ0FBQyxHQUFHLENBQUMsR0FBRyxHQUFHLElBQUksQ0FBQyxNQUFNLEVBQUUsR0FBRyxDQUFDLENBQUMsQ0FBQztRQUN6RixRQUFRLElBQUksQ0FBQyxDQUFDO1FBQ2QsS0FBSyxHQUFHLFVBQVUsQ0FBQyxHQUFHLEVBQUU7WUFDdEIsT0FBTyxHQUFHLElBQUksRUFBRSxDQUFDO1FBQ25CLENBQUMsRUFBRSxPQUFPLENBQUMsQ0FBQztJQUNkLENBQUM7SUFFRCxNQUFNLElBQUksR0FBRyxDQUFDLElBQW1CLEVBQUUsRUFBRSxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsQ0FBQyxJQUFJLEVBQUUsS0FBSyxDQUFDLFVBQVUsRUFBRSxTQUFTLEVBQUUsRUFBRSxHQUFHLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQyxDQUFDLENBQUM7SUFFekcsT0FBTyxHQUFHLElBQUksRUFBRSxDQUFDO0lBQ2pCLE1BQU0sSUFBSSxDQUFDLE9BQU8sQ0FBQyxDQUFDO0lBRXBCLE9BQU87UUFDTCxLQUFLLENBQUMsR0FBRyxDQUFDLE9BQU87WUFDZixNQUFNLEtBQUssR0FBRyxNQUFNLENBQUM7WUFDckIsSUFBSSxDQUFDO2dCQUNILE9BQU8sTUFBTSxPQUFPLENBQUMsS0FBSyxDQUFDLE1BQU0sQ0FBQyxDQUFDO1lBQ3JDLENBQUM7WUFBQyxPQUFPLEtBQUssRUFBRSxDQUFDO2dCQUNmLElBQUksQ0FBQyxDQUFDLEtBQUssWUFBWSxVQUFVLENBQUM7b0JBQUUsTUFBTSxJQUFJLEtBQUssQ0FBQyxrQkFBa0IsTUFBTSxJQUFJLFFBQVEsQ0FBQyxLQUFLLENBQUMsRUFBRSxDQUFDLENBQUM7Z0JBQ25HLE1BQU0sSUFBSSxHQUFHLFFBQVEsQ0FBQyxLQUFLLENBQUMsQ0FBQztnQkFDN0IseUZBQXlGO2dCQUN6RixJQUFJLElBQUksS0FBSyxVQUFVO29CQUFFLElBQUksQ0FBQyxLQUFLLEVBQUUsS0FBSyxDQUFDLENBQUM7Z0JBQzVDLE1BQU0sTUFBTSxDQUFDLE1BQU0sQ0FBQyxJQUFJLEtBQUssQ0FBQyw0QkFBNEIsSUFBSSxFQUFFLENBQUMsRUFBRSxFQUFFLElBQUksRUFBRSxDQUFDLENBQUM7WUFDL0UsQ0FBQztRQUNILENBQUM7UUFDRCxLQUFLLENBQUMsS0FBSztZQUNULEtBQUssR0FBRyxRQUFRLENBQUM7WUFDakIsWUFBWSxDQUFDLEtBQUssQ0FBQyxDQUFDO1lBQ3BCLE1BQU0sQ0FBQyxHQUFHLEVBQUUsQ0FBQztZQUNiLE1BQU0sSUFBSSxDQUFDLE9BQU8sQ0FBQyxDQUFDO1FBQ3RCLENBQUM7S0FDRixDQUFDO0FBQ0osQ0FBQztBQUVELHdFQUF3RTtBQUN4RSxTQUFTLFFBQVEsQ0FBQyxLQUFjO0lBQzlCLDBGQUEwRjtJQUMxRixJQUFJLEtBQUssWUFBWSxVQUFVO1FBQUUsT0FBTyxTQUFTLENBQUMsSUFBSSxDQUFDLEtBQUssQ0FBQyxPQUFPLENBQUMsRUFBRSxDQUFDLENBQUMsQ0FBQyxJQUFJLEtBQUssQ0FBQztJQUNwRixNQUFNLEVBQUUsSUFBSSxFQUFFLEdBQUcsTUFBTSxDQUFDLEtBQUssQ0FBdUIsQ0FBQztJQUNyRCxJQUFJLE9BQU8sSUFBSSxLQUFLLFFBQVE7UUFBRSxPQUFPLElBQUksQ0FBQztJQUMxQyxNQUFNLElBQUksR0FBRyxDQUFDLGlCQUFpQixFQUFFLHNCQUFzQixFQUFFLGtCQUFrQixFQUFFLFlBQVksQ0FBQyxDQUFDO0lBQzNGLE1BQU0sTUFBTSxHQUFHLElBQUksQ0FBQyxJQUFJLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLEtBQUssWUFBWSxJQUFJLENBQUMsQ0FBQztJQUMxRCxPQUFPLE1BQU0sQ0FBQyxDQUFDLENBQUMsV0FBVyxDQUFDLENBQUMsQ0FBQywyQkFBMkIsQ0FBQztBQUM1RCxDQUFDIn0=