import { arcgisError } from "./answers.js";
export function faultSwitches() {
    const switched = new Map();
    return {
        set(endpoint, fault) {
            switched.set(endpoint, { ...fault });
        },
        clear(endpoint) {
            if (endpoint)
                switched.delete(endpoint);
            else
                switched.clear();
        },
        take(endpoint) {
            const fault = switched.get(endpoint);
            if (fault?.times === undefined)
                return fault;
            fault.times -= 1;
            if (fault.times <= 0)
                switched.delete(endpoint);
            return fault;
        },
    };
}
const dripMs = 100;
/** Lets the fault happen; `proceed` goes on to the true answer. */
export function strike(fault, res, proceed) {
    switch (fault.kind) {
        case "status":
            res.status(fault.status).json(arcgisError(fault.status, "The sandbox was told to fail."));
            return;
        case "html":
            res.status(fault.status ?? 200).send("<!doctype html><title>Maintenance</title><h1>Back soon</h1>");
            return;
        case "body":
            // Not res.set: Express would add a charset.
            res.status(fault.status ?? 200).setHeader("Content-Type", fault.contentType ?? "application/json");
            res.end(fault.body);
            return;
        case "redirect":
            res
                .status(fault.status ?? 307)
                .set("Location", fault.location)
                .end();
            return;
        case "delay": {
            const timer = setTimeout(proceed, fault.ms);
            res.on("close", () => clearTimeout(timer));
            return;
        }
        case "hang":
            return;
        case "drip": {
            res.status(200).set("Content-Type", "application/json").write(" ");
            const timer = setInterval(() => res.write(" "), dripMs);
            res.on("close", () => clearInterval(timer));
            return;
        }
        case "reset":
            res.socket?.resetAndDestroy();
            return;
        case "deny":
            res.json(arcgisError(403, "You do not have permissions to access this resource or perform this operation."));
    }
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiZmF1bHRzLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsiZmF1bHRzLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUNBLE9BQU8sRUFBRSxXQUFXLEVBQUUsTUFBTSxjQUFjLENBQUM7QUFrRDNDLE1BQU0sVUFBVSxhQUFhO0lBQzNCLE1BQU0sUUFBUSxHQUFHLElBQUksR0FBRyxFQUFtQixDQUFDO0lBRTVDLE9BQU87UUFDTCxHQUFHLENBQUMsUUFBUSxFQUFFLEtBQUs7WUFDakIsUUFBUSxDQUFDLEdBQUcsQ0FBQyxRQUFRLEVBQUUsRUFBRSxHQUFHLEtBQUssRUFBRSxDQUFDLENBQUM7UUFDdkMsQ0FBQztRQUVELEtBQUssQ0FBQyxRQUFRO1lBQ1osSUFBSSxRQUFRO2dCQUFFLFFBQVEsQ0FBQyxNQUFNLENBQUMsUUFBUSxDQUFDLENBQUM7O2dCQUNuQyxRQUFRLENBQUMsS0FBSyxFQUFFLENBQUM7UUFDeEIsQ0FBQztRQUVELElBQUksQ0FBQyxRQUFRO1lBQ1gsTUFBTSxLQUFLLEdBQUcsUUFBUSxDQUFDLEdBQUcsQ0FBQyxRQUFRLENBQUMsQ0FBQztZQUNyQyxJQUFJLEtBQUssRUFBRSxLQUFLLEtBQUssU0FBUztnQkFBRSxPQUFPLEtBQUssQ0FBQztZQUM3QyxLQUFLLENBQUMsS0FBSyxJQUFJLENBQUMsQ0FBQztZQUNqQixJQUFJLEtBQUssQ0FBQyxLQUFLLElBQUksQ0FBQztnQkFBRSxRQUFRLENBQUMsTUFBTSxDQUFDLFFBQVEsQ0FBQyxDQUFDO1lBQ2hELE9BQU8sS0FBSyxDQUFDO1FBQ2YsQ0FBQztLQUNGLENBQUM7QUFDSixDQUFDO0FBRUQsTUFBTSxNQUFNLEdBQUcsR0FBRyxDQUFDO0FBRW5CLG1FQUFtRTtBQUNuRSxNQUFNLFVBQVUsTUFBTSxDQUFDLEtBQVksRUFBRSxHQUFhLEVBQUUsT0FBbUI7SUFDckUsUUFBUSxLQUFLLENBQUMsSUFBSSxFQUFFLENBQUM7UUFDbkIsS0FBSyxRQUFRO1lBQ1gsR0FBRyxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsTUFBTSxDQUFDLENBQUMsSUFBSSxDQUFDLFdBQVcsQ0FBQyxLQUFLLENBQUMsTUFBTSxFQUFFLCtCQUErQixDQUFDLENBQUMsQ0FBQztZQUMxRixPQUFPO1FBQ1QsS0FBSyxNQUFNO1lBQ1QsR0FBRyxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsTUFBTSxJQUFJLEdBQUcsQ0FBQyxDQUFDLElBQUksQ0FBQyw2REFBNkQsQ0FBQyxDQUFDO1lBQ3BHLE9BQU87UUFDVCxLQUFLLE1BQU07WUFDVCw0Q0FBNEM7WUFDNUMsR0FBRyxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsTUFBTSxJQUFJLEdBQUcsQ0FBQyxDQUFDLFNBQVMsQ0FBQyxjQUFjLEVBQUUsS0FBSyxDQUFDLFdBQVcsSUFBSSxrQkFBa0IsQ0FBQyxDQUFDO1lBQ25HLEdBQUcsQ0FBQyxHQUFHLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDO1lBQ3BCLE9BQU87UUFDVCxLQUFLLFVBQVU7WUFDYixHQUFHO2lCQUNBLE1BQU0sQ0FBQyxLQUFLLENBQUMsTUFBTSxJQUFJLEdBQUcsQ0FBQztpQkFDM0IsR0FBRyxDQUFDLFVBQVUsRUFBRSxLQUFLLENBQUMsUUFBUSxDQUFDO2lCQUMvQixHQUFHLEVBQUUsQ0FBQztZQUNULE9BQU87UUFDVCxLQUFLLE9BQU8sRUFBRSxDQUFDO1lBQ2IsTUFBTSxLQUFLLEdBQUcsVUFBVSxDQUFDLE9BQU8sRUFBRSxLQUFLLENBQUMsRUFBRSxDQUFDLENBQUM7WUFDNUMsR0FBRyxDQUFDLEVBQUUsQ0FBQyxPQUFPLEVBQUUsR0FBRyxFQUFFLENBQUMsWUFBWSxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUM7WUFDM0MsT0FBTztRQUNULENBQUM7UUFDRCxLQUFLLE1BQU07WUFDVCxPQUFPO1FBQ1QsS0FBSyxNQUFNLEVBQUUsQ0FBQztZQUNaLEdBQUcsQ0FBQyxNQUFNLENBQUMsR0FBRyxDQUFDLENBQUMsR0FBRyxDQUFDLGNBQWMsRUFBRSxrQkFBa0IsQ0FBQyxDQUFDLEtBQUssQ0FBQyxHQUFHLENBQUMsQ0FBQztZQUNuRSxNQUFNLEtBQUssR0FBRyxXQUFXLENBQUMsR0FBRyxFQUFFLENBQUMsR0FBRyxDQUFDLEtBQUssQ0FBQyxHQUFHLENBQUMsRUFBRSxNQUFNLENBQUMsQ0FBQztZQUN4RCxHQUFHLENBQUMsRUFBRSxDQUFDLE9BQU8sRUFBRSxHQUFHLEVBQUUsQ0FBQyxhQUFhLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQztZQUM1QyxPQUFPO1FBQ1QsQ0FBQztRQUNELEtBQUssT0FBTztZQUNWLEdBQUcsQ0FBQyxNQUFNLEVBQUUsZUFBZSxFQUFFLENBQUM7WUFDOUIsT0FBTztRQUNULEtBQUssTUFBTTtZQUNULEdBQUcsQ0FBQyxJQUFJLENBQ04sV0FBVyxDQUFDLEdBQUcsRUFBRSxnRkFBZ0YsQ0FBQyxDQUNuRyxDQUFDO0lBQ04sQ0FBQztBQUNILENBQUMifQ==