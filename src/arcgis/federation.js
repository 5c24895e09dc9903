import { createHash } from "node:crypto";
import { AppError } from "../errors.js";
import { remembered } from "./remembered.js";
import { portalRequest } from "./request.js";
import { isOnline } from "./token-targets.js";
const ask = portalRequest();
const minutes = 30;
// `expires` is a time of the portal's clock, which need not be ours: half of what was asked for is safe.
const tokens = remembered((minutes / 2) * 60_000);
const federated = remembered(5 * 60_000);
/**
 * Gives a token for an ArcGIS Server that is federated with the person's portal. The server says which portal
 * it belongs to, and only the portal itself, never the server, is shown the person's token.
 *
 * @throws AppError token_target when the address is no service of a server federated with this portal;
 *   portal_unreachable and its kin.
 */
export async function serverToken({ portal, token }, url) {
    const root = serverRoot(url, portal);
    const isOurs = await federated.get(`${portal} ${root}`, async () => {
        const { owningSystemUrl } = await ask(`${root}/rest/info`, { httpMethod: "GET" });
        return owns(owningSystemUrl, portal);
    });
    if (!isOurs)
        throw new AppError("token_target", { cause: "the server is not federated with this portal" });
    const key = createHash("sha256").update(`${token}|${root}`).digest("hex");
    return tokens.get(key, async () => {
        const params = { request: "getToken", serverUrl: root, token, expiration: minutes };
        const answer = await ask(`${portal}/generateToken`, { params });
        if (typeof answer.token !== "string") {
            throw new AppError("portal_answer_invalid", { cause: "generateToken gave no token" });
        }
        return answer.token;
    });
}
/** Forgets the token of a server that has refused it. */
export function forgetServerToken(token) {
    tokens.forget(token);
}
/** Whether this is the address of an ArcGIS service, `https://host/webadaptor/rest/...`. */
export function isService(url) {
    return /\/rest(?:\/|$)/i.test(new URL(url).pathname);
}
/** `https://host/webadaptor` of a service's address (`.../rest/services/...`). */
function serverRoot(url, portal) {
    const { protocol, origin, pathname } = URL.canParse(url) ? new URL(url) : new URL("invalid:");
    const root = /^(.*?)\/rest(?:\/|$)/i.exec(pathname)?.[1];
    const secure = protocol === "https:" || (protocol === "http:" && portal.startsWith("http:"));
    if (root === undefined || !secure)
        throw new AppError("token_target", { cause: "this is no ArcGIS service" });
    return origin + root;
}
function owns(owningSystemUrl, portal) {
    if (typeof owningSystemUrl !== "string" || !URL.canParse(owningSystemUrl))
        return false;
    const owner = new URL(owningSystemUrl);
    if (isOnline(owner) && isOnline(new URL(portal)))
        return true;
    return `${owningSystemUrl.replace(/\/+$/, "")}/sharing/rest`.toLowerCase() === portal.toLowerCase();
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiZmVkZXJhdGlvbi5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImZlZGVyYXRpb24udHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUFFLFVBQVUsRUFBRSxNQUFNLGFBQWEsQ0FBQztBQUV6QyxPQUFPLEVBQUUsUUFBUSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBQ3hDLE9BQU8sRUFBRSxVQUFVLEVBQUUsTUFBTSxpQkFBaUIsQ0FBQztBQUM3QyxPQUFPLEVBQUUsYUFBYSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBQzdDLE9BQU8sRUFBRSxRQUFRLEVBQUUsTUFBTSxvQkFBb0IsQ0FBQztBQUU5QyxNQUFNLEdBQUcsR0FBRyxhQUFhLEVBQUUsQ0FBQztBQUM1QixNQUFNLE9BQU8sR0FBRyxFQUFFLENBQUM7QUFDbkIseUdBQXlHO0FBQ3pHLE1BQU0sTUFBTSxHQUFHLFVBQVUsQ0FBUyxDQUFDLE9BQU8sR0FBRyxDQUFDLENBQUMsR0FBRyxNQUFNLENBQUMsQ0FBQztBQUMxRCxNQUFNLFNBQVMsR0FBRyxVQUFVLENBQVUsQ0FBQyxHQUFHLE1BQU0sQ0FBQyxDQUFDO0FBRWxEOzs7Ozs7R0FNRztBQUNILE1BQU0sQ0FBQyxLQUFLLFVBQVUsV0FBVyxDQUFDLEVBQUUsTUFBTSxFQUFFLEtBQUssRUFBeUIsRUFBRSxHQUFXO0lBQ3JGLE1BQU0sSUFBSSxHQUFHLFVBQVUsQ0FBQyxHQUFHLEVBQUUsTUFBTSxDQUFDLENBQUM7SUFDckMsTUFBTSxNQUFNLEdBQUcsTUFBTSxTQUFTLENBQUMsR0FBRyxDQUFDLEdBQUcsTUFBTSxJQUFJLElBQUksRUFBRSxFQUFFLEtBQUssSUFBSSxFQUFFO1FBQ2pFLE1BQU0sRUFBRSxlQUFlLEVBQUUsR0FBRyxNQUFNLEdBQUcsQ0FBQyxHQUFHLElBQUksWUFBWSxFQUFFLEVBQUUsVUFBVSxFQUFFLEtBQUssRUFBRSxDQUFDLENBQUM7UUFDbEYsT0FBTyxJQUFJLENBQUMsZUFBZSxFQUFFLE1BQU0sQ0FBQyxDQUFDO0lBQ3ZDLENBQUMsQ0FBQyxDQUFDO0lBQ0gsSUFBSSxDQUFDLE1BQU07UUFBRSxNQUFNLElBQUksUUFBUSxDQUFDLGNBQWMsRUFBRSxFQUFFLEtBQUssRUFBRSw4Q0FBOEMsRUFBRSxDQUFDLENBQUM7SUFFM0csTUFBTSxHQUFHLEdBQUcsVUFBVSxDQUFDLFFBQVEsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxHQUFHLEtBQUssSUFBSSxJQUFJLEVBQUUsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsQ0FBQztJQUMxRSxPQUFPLE1BQU0sQ0FBQyxHQUFHLENBQUMsR0FBRyxFQUFFLEtBQUssSUFBSSxFQUFFO1FBQ2hDLE1BQU0sTUFBTSxHQUFHLEVBQUUsT0FBTyxFQUFFLFVBQVUsRUFBRSxTQUFTLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxVQUFVLEVBQUUsT0FBTyxFQUFFLENBQUM7UUFDcEYsTUFBTSxNQUFNLEdBQUcsTUFBTSxHQUFHLENBQUMsR0FBRyxNQUFNLGdCQUFnQixFQUFFLEVBQUUsTUFBTSxFQUFFLENBQUMsQ0FBQztRQUNoRSxJQUFJLE9BQU8sTUFBTSxDQUFDLEtBQUssS0FBSyxRQUFRLEVBQUUsQ0FBQztZQUNyQyxNQUFNLElBQUksUUFBUSxDQUFDLHVCQUF1QixFQUFFLEVBQUUsS0FBSyxFQUFFLDZCQUE2QixFQUFFLENBQUMsQ0FBQztRQUN4RixDQUFDO1FBQ0QsT0FBTyxNQUFNLENBQUMsS0FBSyxDQUFDO0lBQ3RCLENBQUMsQ0FBQyxDQUFDO0FBQ0wsQ0FBQztBQUVELHlEQUF5RDtBQUN6RCxNQUFNLFVBQVUsaUJBQWlCLENBQUMsS0FBYTtJQUM3QyxNQUFNLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQyxDQUFDO0FBQ3ZCLENBQUM7QUFFRCw0RkFBNEY7QUFDNUYsTUFBTSxVQUFVLFNBQVMsQ0FBQyxHQUFXO0lBQ25DLE9BQU8saUJBQWlCLENBQUMsSUFBSSxDQUFDLElBQUksR0FBRyxDQUFDLEdBQUcsQ0FBQyxDQUFDLFFBQVEsQ0FBQyxDQUFDO0FBQ3ZELENBQUM7QUFFRCxrRkFBa0Y7QUFDbEYsU0FBUyxVQUFVLENBQUMsR0FBVyxFQUFFLE1BQWM7SUFDN0MsTUFBTSxFQUFFLFFBQVEsRUFBRSxNQUFNLEVBQUUsUUFBUSxFQUFFLEdBQUcsR0FBRyxDQUFDLFFBQVEsQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDLENBQUMsSUFBSSxHQUFHLENBQUMsR0FBRyxDQUFDLENBQUMsQ0FBQyxDQUFDLElBQUksR0FBRyxDQUFDLFVBQVUsQ0FBQyxDQUFDO0lBQzlGLE1BQU0sSUFBSSxHQUFHLHVCQUF1QixDQUFDLElBQUksQ0FBQyxRQUFRLENBQUMsRUFBRSxDQUFDLENBQUMsQ0FBQyxDQUFDO0lBQ3pELE1BQU0sTUFBTSxHQUFHLFFBQVEsS0FBSyxRQUFRLElBQUksQ0FBQyxRQUFRLEtBQUssT0FBTyxJQUFJLE1BQU0sQ0FBQyxVQUFVLENBQUMsT0FBTyxDQUFDLENBQUMsQ0FBQztJQUM3RixJQUFJLElBQUksS0FBSyxTQUFTLElBQUksQ0FBQyxNQUFNO1FBQy9CLE1BQU0sSUFBSSxRQUFRLENBQUMsY0FBYyxFQUFFLEVBQUUsS0FBSyxFQUFFLDJCQUEyQixFQUFFLENBQUMsQ0FBQztJQUM3RSxPQUFPLE1BQU0sR0FBRyxJQUFJLENBQUM7QUFDdkIsQ0FBQztBQUVELFNBQVMsSUFBSSxDQUFDLGVBQXdCLEVBQUUsTUFBYztJQUNwRCxJQUFJLE9BQU8sZUFBZSxLQUFLLFFBQVEsSUFBSSxDQUFDLEdBQUcsQ0FBQyxRQUFRLENBQUMsZUFBZSxDQUFDO1FBQUUsT0FBTyxLQUFLLENBQUM7SUFDeEYsTUFBTSxLQUFLLEdBQUcsSUFBSSxHQUFHLENBQUMsZUFBZSxDQUFDLENBQUM7SUFDdkMsSUFBSSxRQUFRLENBQUMsS0FBSyxDQUFDLElBQUksUUFBUSxDQUFDLElBQUksR0FBRyxDQUFDLE1BQU0sQ0FBQyxDQUFDO1FBQUUsT0FBTyxJQUFJLENBQUM7SUFDOUQsT0FBTyxHQUFHLGVBQWUsQ0FBQyxPQUFPLENBQUMsTUFBTSxFQUFFLEVBQUUsQ0FBQyxlQUFlLENBQUMsV0FBVyxFQUFFLEtBQUssTUFBTSxDQUFDLFdBQVcsRUFBRSxDQUFDO0FBQ3RHLENBQUMifQ==