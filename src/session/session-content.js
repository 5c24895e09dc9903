import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { IdentityManager } from "../arcgis/identity-manager.js";
/** What travels beside a session's data until somebody asks for it: a function each that makes it. */
const beside = Symbol("beside");
/** Takes a session apart. Identities that were only looked at are not among the result: they did not change. */
export function takeApart(session) {
    const entries = Object.entries(session);
    const data = entries.filter(([, value]) => !isManager(value));
    const identities = entries.flatMap(([property, value]) => isManager(value) ? [[property, value.serialize()]] : []);
    return { data: Object.fromEntries(data), identities: Object.fromEntries(identities) };
}
/** Whether this is an identity manager, if only one of another copy of the library. */
export function isManager(value) {
    if (value instanceof ArcGISIdentityManager)
        return true;
    const { getToken, serialize } = Object(value);
    return typeof getToken === "function" && typeof serialize === "function";
}
/** Gives the session's data with its identity managers made. */
export function putTogether({ data, identities, }) {
    const managers = Object.entries(identities).map(([property, text]) => [
        property,
        IdentityManager.deserialize(text),
    ]);
    return { ...data, ...Object.fromEntries(managers) };
}
/**
 * Gives the session's data for `Store.get`, of JSON. What express-session, which turns the whole session into JSON
 * two or three times a request, is not to come across is left to `unfold`: the identities, and `wholes` by name.
 */
export function fold(data, identities, wholes) {
    const own = JSON.parse(data);
    const makers = {};
    for (const [property, text] of Object.entries(identities)) {
        makers[property] = () => IdentityManager.deserialize(text);
    }
    for (const property of wholes) {
        const value = own[property];
        if (value !== undefined)
            makers[property] = () => value;
        delete own[property];
    }
    return Object.assign(own, { [beside]: makers });
}
/** Gives `session` the rest of folded data; an identity is made when it is asked for, as most requests need none. */
export function unfold(session, folded) {
    const makers = folded[beside] ?? {};
    for (const [property, make] of Object.entries(makers)) {
        let made;
        Object.defineProperty(session, property, {
            configurable: true,
            enumerable: false,
            get: () => {
                made ??= make();
                return made;
            },
            set: (value) => Object.defineProperty(session, property, {
                value,
                writable: true,
                enumerable: true,
                configurable: true,
            }),
        });
    }
}
/**
 * What is to be stored after a request has changed its session. What it has only looked at, or not even that, may
 * have been renewed by another request meanwhile: that stays as it is stored.
 */
export function merge(stored, session) {
    const changed = takeApart(session);
    const isThere = ([property]) => property in session;
    return {
        data: { ...Object.fromEntries(Object.entries(stored.data).filter(isThere)), ...changed.data },
        identities: {
            ...Object.fromEntries(Object.entries(stored.identities).filter(isThere)),
            ...changed.identities,
        },
    };
}
/** Makes it impossible to change a value, or anything in it. */
export function freeze(value) {
    if (typeof value === "object" && value !== null)
        Object.values(Object.freeze(value)).forEach(freeze);
    return value;
}
/** Shows a renewed identity to the rest of a request; it is stored already, and is not to be saved again. */
export function replaceIdentity(session, identity) {
    Object.defineProperty(session, "identity", { value: identity, configurable: true, enumerable: false });
}
/** Reads what was inside a seal; `undefined` when it is not what this server writes. */
export function parseContent(text) {
    const { createdAt, data, identities } = Object(parse(text));
    const sound = Number.isFinite(createdAt) &&
        isPlain(data) &&
        isPlain(data.cookie) &&
        isPlain(identities) &&
        Object.values(identities).every((identity) => typeof identity === "string" && isPlain(parse(identity)));
    return sound ? { createdAt, data, identities } : undefined;
}
function parse(text) {
    try {
        return JSON.parse(text);
    }
    catch {
        return undefined;
    }
}
/** An object whose keys are all harmless to copy. */
function isPlain(value) {
    return (typeof value === "object" &&
        value !== null &&
        !Array.isArray(value) &&
        !["__proto__", "constructor", "prototype"].some((key) => Object.hasOwn(value, key)));
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic2Vzc2lvbi1jb250ZW50LmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsic2Vzc2lvbi1jb250ZW50LnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxxQkFBcUIsRUFBRSxNQUFNLDJCQUEyQixDQUFDO0FBRWxFLE9BQU8sRUFBRSxlQUFlLEVBQUUsTUFBTSwrQkFBK0IsQ0FBQztBQVloRSxzR0FBc0c7QUFDdEcsTUFBTSxNQUFNLEdBQUcsTUFBTSxDQUFDLFFBQVEsQ0FBQyxDQUFDO0FBSWhDLGdIQUFnSDtBQUNoSCxNQUFNLFVBQVUsU0FBUyxDQUFDLE9BQWU7SUFDdkMsTUFBTSxPQUFPLEdBQUcsTUFBTSxDQUFDLE9BQU8sQ0FBQyxPQUFPLENBQUMsQ0FBQztJQUN4QyxNQUFNLElBQUksR0FBRyxPQUFPLENBQUMsTUFBTSxDQUFDLENBQUMsQ0FBQyxFQUFFLEtBQUssQ0FBQyxFQUFFLEVBQUUsQ0FBQyxDQUFDLFNBQVMsQ0FBQyxLQUFLLENBQUMsQ0FBQyxDQUFDO0lBQzlELE1BQU0sVUFBVSxHQUFHLE9BQU8sQ0FBQyxPQUFPLENBQUMsQ0FBQyxDQUFDLFFBQVEsRUFBRSxLQUFLLENBQUMsRUFBRSxFQUFFLENBQ3ZELFNBQVMsQ0FBQyxLQUFLLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxDQUFDLFFBQVEsRUFBRSxLQUFLLENBQUMsU0FBUyxFQUFFLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxFQUFFLENBQ3hELENBQUM7SUFDRixPQUFPLEVBQUUsSUFBSSxFQUFFLE1BQU0sQ0FBQyxXQUFXLENBQUMsSUFBSSxDQUFDLEVBQUUsVUFBVSxFQUFFLE1BQU0sQ0FBQyxXQUFXLENBQUMsVUFBVSxDQUFDLEVBQUUsQ0FBQztBQUN4RixDQUFDO0FBRUQsdUZBQXVGO0FBQ3ZGLE1BQU0sVUFBVSxTQUFTLENBQUMsS0FBYztJQUN0QyxJQUFJLEtBQUssWUFBWSxxQkFBcUI7UUFBRSxPQUFPLElBQUksQ0FBQztJQUN4RCxNQUFNLEVBQUUsUUFBUSxFQUFFLFNBQVMsRUFBRSxHQUFHLE1BQU0sQ0FBQyxLQUFLLENBQW1DLENBQUM7SUFDaEYsT0FBTyxPQUFPLFFBQVEsS0FBSyxVQUFVLElBQUksT0FBTyxTQUFTLEtBQUssVUFBVSxDQUFDO0FBQzNFLENBQUM7QUFFRCxnRUFBZ0U7QUFDaEUsTUFBTSxVQUFVLFdBQVcsQ0FBQyxFQUMxQixJQUFJLEVBQ0osVUFBVSxHQUMyQjtJQUNyQyxNQUFNLFFBQVEsR0FBRyxNQUFNLENBQUMsT0FBTyxDQUFDLFVBQVUsQ0FBQyxDQUFDLEdBQUcsQ0FBQyxDQUFDLENBQUMsUUFBUSxFQUFFLElBQUksQ0FBQyxFQUFFLEVBQUUsQ0FBQztRQUNwRSxRQUFRO1FBQ1IsZUFBZSxDQUFDLFdBQVcsQ0FBQyxJQUFJLENBQUM7S0FDbEMsQ0FBQyxDQUFDO0lBQ0gsT0FBTyxFQUFFLEdBQUcsSUFBSSxFQUFFLEdBQUcsTUFBTSxDQUFDLFdBQVcsQ0FBQyxRQUFRLENBQUMsRUFBRSxDQUFDO0FBQ3RELENBQUM7QUFFRDs7O0dBR0c7QUFDSCxNQUFNLFVBQVUsSUFBSSxDQUNsQixJQUFZLEVBQ1osVUFBaUMsRUFDakMsTUFBeUI7SUFFekIsTUFBTSxHQUFHLEdBQUcsSUFBSSxDQUFDLEtBQUssQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUM3QixNQUFNLE1BQU0sR0FBVyxFQUFFLENBQUM7SUFDMUIsS0FBSyxNQUFNLENBQUMsUUFBUSxFQUFFLElBQUksQ0FBQyxJQUFJLE1BQU0sQ0FBQyxPQUFPLENBQUMsVUFBVSxDQUFDLEVBQUUsQ0FBQztRQUMxRCxNQUFNLENBQUMsUUFBUSxDQUFDLEdBQUcsR0FBRyxFQUFFLENBQUMsZUFBZSxDQUFDLFdBQVcsQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUM3RCxDQUFDO0lBQ0QsS0FBSyxNQUFNLFFBQVEsSUFBSSxNQUFNLEVBQUUsQ0FBQztRQUM5QixNQUFNLEtBQUssR0FBRyxHQUFHLENBQUMsUUFBUSxDQUFDLENBQUM7UUFDNUIsSUFBSSxLQUFLLEtBQUssU0FBUztZQUFFLE1BQU0sQ0FBQyxRQUFRLENBQUMsR0FBRyxHQUFHLEVBQUUsQ0FBQyxLQUFLLENBQUM7UUFDeEQsT0FBTyxHQUFHLENBQUMsUUFBUSxDQUFDLENBQUM7SUFDdkIsQ0FBQztJQUNELE9BQU8sTUFBTSxDQUFDLE1BQU0sQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLE1BQU0sQ0FBQyxFQUFFLE1BQU0sRUFBRSxDQUFDLENBQUM7QUFDbEQsQ0FBQztBQUVELHFIQUFxSDtBQUNySCxNQUFNLFVBQVUsTUFBTSxDQUFDLE9BQWUsRUFBRSxNQUFjO0lBQ3BELE1BQU0sTUFBTSxHQUFJLE1BQWdDLENBQUMsTUFBTSxDQUFDLElBQUksRUFBRSxDQUFDO0lBQy9ELEtBQUssTUFBTSxDQUFDLFFBQVEsRUFBRSxJQUFJLENBQUMsSUFBSSxNQUFNLENBQUMsT0FBTyxDQUFDLE1BQU0sQ0FBQyxFQUFFLENBQUM7UUFDdEQsSUFBSSxJQUFhLENBQUM7UUFDbEIsTUFBTSxDQUFDLGNBQWMsQ0FBQyxPQUFPLEVBQUUsUUFBUSxFQUFFO1lBQ3ZDLFlBQVksRUFBRSxJQUFJO1lBQ2xCLFVBQVUsRUFBRSxLQUFLO1lBQ2pCLEdBQUcsRUFBRSxHQUFHLEVBQUU7Z0JBQ1IsSUFBSSxLQUFLLElBQUksRUFBRSxDQUFDO2dCQUNoQixPQUFPLElBQUksQ0FBQztZQUNkLENBQUM7WUFDRCxHQUFHLEVBQUUsQ0FBQyxLQUFLLEVBQUUsRUFBRSxDQUNiLE1BQU0sQ0FBQyxjQUFjLENBQUMsT0FBTyxFQUFFLFFBQVEsRUFBRTtnQkFDdkMsS0FBSztnQkFDTCxRQUFRLEVBQUUsSUFBSTtnQkFDZCxVQUFVLEVBQUUsSUFBSTtnQkFDaEIsWUFBWSxFQUFFLElBQUk7YUFDbkIsQ0FBQztTQUNMLENBQUMsQ0FBQztJQUNMLENBQUM7QUFDSCxDQUFDO0FBRUQ7OztHQUdHO0FBQ0gsTUFBTSxVQUFVLEtBQUssQ0FBQyxNQUFlLEVBQUUsT0FBZTtJQUNwRCxNQUFNLE9BQU8sR0FBRyxTQUFTLENBQUMsT0FBTyxDQUFDLENBQUM7SUFDbkMsTUFBTSxPQUFPLEdBQUcsQ0FBQyxDQUFDLFFBQVEsQ0FBb0IsRUFBRSxFQUFFLENBQUMsUUFBUSxJQUFJLE9BQU8sQ0FBQztJQUN2RSxPQUFPO1FBQ0wsSUFBSSxFQUFFLEVBQUUsR0FBRyxNQUFNLENBQUMsV0FBVyxDQUFDLE1BQU0sQ0FBQyxPQUFPLENBQUMsTUFBTSxDQUFDLElBQUksQ0FBQyxDQUFDLE1BQU0sQ0FBQyxPQUFPLENBQUMsQ0FBQyxFQUFFLEdBQUcsT0FBTyxDQUFDLElBQUksRUFBRTtRQUM3RixVQUFVLEVBQUU7WUFDVixHQUFHLE1BQU0sQ0FBQyxXQUFXLENBQUMsTUFBTSxDQUFDLE9BQU8sQ0FBQyxNQUFNLENBQUMsVUFBVSxDQUFDLENBQUMsTUFBTSxDQUFDLE9BQU8sQ0FBQyxDQUFDO1lBQ3hFLEdBQUcsT0FBTyxDQUFDLFVBQVU7U0FDdEI7S0FDRixDQUFDO0FBQ0osQ0FBQztBQUVELGdFQUFnRTtBQUNoRSxNQUFNLFVBQVUsTUFBTSxDQUFJLEtBQVE7SUFDaEMsSUFBSSxPQUFPLEtBQUssS0FBSyxRQUFRLElBQUksS0FBSyxLQUFLLElBQUk7UUFBRSxNQUFNLENBQUMsTUFBTSxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQyxPQUFPLENBQUMsTUFBTSxDQUFDLENBQUM7SUFDckcsT0FBTyxLQUFLLENBQUM7QUFDZixDQUFDO0FBRUQsNkdBQTZHO0FBQzdHLE1BQU0sVUFBVSxlQUFlLENBQUMsT0FBZSxFQUFFLFFBQXlCO0lBQ3hFLE1BQU0sQ0FBQyxjQUFjLENBQUMsT0FBTyxFQUFFLFVBQVUsRUFBRSxFQUFFLEtBQUssRUFBRSxRQUFRLEVBQUUsWUFBWSxFQUFFLElBQUksRUFBRSxVQUFVLEVBQUUsS0FBSyxFQUFFLENBQUMsQ0FBQztBQUN6RyxDQUFDO0FBRUQsd0ZBQXdGO0FBQ3hGLE1BQU0sVUFBVSxZQUFZLENBQUMsSUFBWTtJQUN2QyxNQUFNLEVBQUUsU0FBUyxFQUFFLElBQUksRUFBRSxVQUFVLEVBQUUsR0FBRyxNQUFNLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFZLENBQUM7SUFDdkUsTUFBTSxLQUFLLEdBQ1QsTUFBTSxDQUFDLFFBQVEsQ0FBQyxTQUFTLENBQUM7UUFDMUIsT0FBTyxDQUFDLElBQUksQ0FBQztRQUNiLE9BQU8sQ0FBQyxJQUFJLENBQUMsTUFBTSxDQUFDO1FBQ3BCLE9BQU8sQ0FBQyxVQUFVLENBQUM7UUFDbkIsTUFBTSxDQUFDLE1BQU0sQ0FBQyxVQUFVLENBQUMsQ0FBQyxLQUFLLENBQUMsQ0FBQyxRQUFRLEVBQUUsRUFBRSxDQUFDLE9BQU8sUUFBUSxLQUFLLFFBQVEsSUFBSSxPQUFPLENBQUMsS0FBSyxDQUFDLFFBQVEsQ0FBQyxDQUFDLENBQUMsQ0FBQztJQUMxRyxPQUFPLEtBQUssQ0FBQyxDQUFDLENBQUMsRUFBRSxTQUFTLEVBQUUsSUFBSSxFQUFFLFVBQVUsRUFBRSxDQUFDLENBQUMsQ0FBQyxTQUFTLENBQUM7QUFDN0QsQ0FBQztBQUVELFNBQVMsS0FBSyxDQUFDLElBQVk7SUFDekIsSUFBSSxDQUFDO1FBQ0gsT0FBTyxJQUFJLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDO0lBQzFCLENBQUM7SUFBQyxNQUFNLENBQUM7UUFDUCxPQUFPLFNBQVMsQ0FBQztJQUNuQixDQUFDO0FBQ0gsQ0FBQztBQUVELHFEQUFxRDtBQUNyRCxTQUFTLE9BQU8sQ0FBQyxLQUFjO0lBQzdCLE9BQU8sQ0FDTCxPQUFPLEtBQUssS0FBSyxRQUFRO1FBQ3pCLEtBQUssS0FBSyxJQUFJO1FBQ2QsQ0FBQyxLQUFLLENBQUMsT0FBTyxDQUFDLEtBQUssQ0FBQztRQUNyQixDQUFDLENBQUMsV0FBVyxFQUFFLGFBQWEsRUFBRSxXQUFXLENBQUMsQ0FBQyxJQUFJLENBQUMsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsS0FBSyxFQUFFLEdBQUcsQ0FBQyxDQUFDLENBQ3BGLENBQUM7QUFDSixDQUFDIn0=