import { ArcGISAuthError, ArcGISRequestError, checkForErrors, processParams, } from "@esri/arcgis-rest-request";
import fetch from "cross-fetch";
import { AppError } from "../errors.js";
import { counts } from "../metrics/counts.js";
/** No answer of a portal that this server reads itself is larger. */
const largestAnswer = 1024 * 1024;
/** Parameters that nobody but the portal and this server may know. */
const confidential = ["code", "code_verifier", "client_secret", "refresh_token", "auth_token"];
/** What is measured apart; the rest is "other". */
const operations = [
    "oauth2/token",
    "oauth2/revokeToken",
    "community/self",
    "portals/self",
    "generateToken",
    "rest/info",
];
/**
 * The one way out to a portal, for the `request` option that every function of the ArcGIS library takes.
 *
 * The library's own way waits for ever, follows redirects with the code or the refresh token in the body, puts
 * tokens into addresses, and keeps parameters and answers in its errors. This one does none of that.
 *
 * @returns a function that resolves with the answer's JSON. It throws
 *   `AppError` portal_unreachable (no connection, a fault of the portal), portal_timeout, or
 *   portal_answer_invalid (a redirect, no JSON, too large); and the library's `ArcGISRequestError` or
 *   `ArcGISAuthError` (498, 499) for an error that the portal reports, whatever its HTTP status.
 */
export function portalRequest({ timeoutMs = 10_000 } = {}) {
    return async (url, options = {}) => {
        const { httpMethod = "POST", authentication } = options;
        const fields = processParams({ f: "json", ...options.params });
        const form = new URLSearchParams(fields);
        const token = typeof authentication === "object" && (await authentication.getToken(url));
        const asked = performance.now();
        const response = await fetch(httpMethod === "GET" ? `${url}?${form}` : url, {
            method: httpMethod,
            headers: {
                // A connection kept from earlier may be closed just now by the portal, and a code is good for one try.
                Connection: "close",
                ...(token ? { "X-Esri-Authorization": `Bearer ${token}` } : {}),
            },
            ...(httpMethod === "POST" && { body: form }),
            redirect: "manual",
            signal: AbortSignal.timeout(timeoutMs),
            // node-fetch's own option, which cross-fetch passes on: it stops reading there.
            ...{ size: largestAnswer },
        })
            .catch(failed)
            .finally(() => counts.portalSeconds.observe(operationOf(url), (performance.now() - asked) / 1000));
        if (response.status >= 500)
            throw new AppError("portal_unreachable", { cause: `HTTP ${response.status}` });
        if (response.status >= 300 && response.status < 400) {
            throw new AppError("portal_answer_invalid", {
                cause: `HTTP ${response.status}: redirects are not followed`,
            });
        }
        const answer = await response.json().catch(unreadable);
        if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
            throw new AppError("portal_answer_invalid", { cause: "the answer is not a JSON object" });
        }
        try {
            return checkForErrors(answer);
        }
        catch (error) {
            // The library puts the portal's message and code into its error, and stumbles over those that are no text.
            if (!(error instanceof ArcGISRequestError))
                throw new AppError("portal_answer_invalid", { cause: "the answer is an error of no known form" });
            throw discreet(error, [token, ...confidential.map((name) => form.get(name))]);
        }
    };
}
/**
 * `portalRequest` for what a person does: when their token is refused (498, 499), it is renewed, and the request
 * is made once more. The library does that only on its own way. Not for files to upload.
 */
export function personalRequest(limits) {
    const ask = portalRequest(limits);
    return (url, options = {}) => ask(url, options).catch(async (error) => {
        const { authentication } = options;
        const renew = typeof authentication === "object" && authentication.refreshCredentials;
        if (!(error instanceof ArcGISAuthError) || !renew)
            throw error;
        await renew.call(authentication);
        return ask(url, options);
    });
}
/** Whether the portal has said no, and not merely failed to answer or asked for patience. */
export function isRefusal(error) {
    if (!(error instanceof ArcGISRequestError))
        return false;
    const code = Number(error.code);
    return !(code >= 500 || code === 429 || code === 408);
}
function operationOf(url) {
    const path = url.replace(/\/?(?:\?.*)?$/s, "");
    return operations.find((operation) => path.endsWith(`/${operation}`)) ?? "other";
}
/** Gives the error without the secrets that the portal repeats in it: its message is written to the log. */
function discreet(error, sent) {
    const secrets = sent.filter((value) => typeof value === "string" && value.length >= 8);
    const clean = (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "[...]"), String(text));
    const Kind = error instanceof ArcGISAuthError ? ArcGISAuthError : ArcGISRequestError;
    return new Kind(clean(error.originalMessage), clean(error.code));
}
/** node-fetch names its failures; the address in their messages has no query, so they may be logged. */
function failed(error) {
    if (error.name === "AbortError")
        throw new AppError("portal_timeout");
    throw new AppError("portal_unreachable", { cause: error.message });
}
function unreadable(error) {
    if (error.name === "AbortError")
        throw new AppError("portal_timeout");
    throw new AppError("portal_answer_invalid", { cause: error.type ?? "the answer is not JSON" });
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVxdWVzdC5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInJlcXVlc3QudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQUEsT0FBTyxFQUNMLGVBQWUsRUFDZixrQkFBa0IsRUFDbEIsY0FBYyxFQUVkLGFBQWEsR0FDZCxNQUFNLDJCQUEyQixDQUFDO0FBQ25DLE9BQU8sS0FBSyxNQUFNLGFBQWEsQ0FBQztBQUNoQyxPQUFPLEVBQUUsUUFBUSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBQ3hDLE9BQU8sRUFBRSxNQUFNLEVBQUUsTUFBTSxzQkFBc0IsQ0FBQztBQUU5QyxxRUFBcUU7QUFDckUsTUFBTSxhQUFhLEdBQUcsSUFBSSxHQUFHLElBQUksQ0FBQztBQUVsQyxzRUFBc0U7QUFDdEUsTUFBTSxZQUFZLEdBQUcsQ0FBQyxNQUFNLEVBQUUsZUFBZSxFQUFFLGVBQWUsRUFBRSxlQUFlLEVBQUUsWUFBWSxDQUFDLENBQUM7QUFFL0YsbURBQW1EO0FBQ25ELE1BQU0sVUFBVSxHQUFHO0lBQ2pCLGNBQWM7SUFDZCxvQkFBb0I7SUFDcEIsZ0JBQWdCO0lBQ2hCLGNBQWM7SUFDZCxlQUFlO0lBQ2YsV0FBVztDQUNaLENBQUM7QUFFRjs7Ozs7Ozs7OztHQVVHO0FBQ0gsTUFBTSxVQUFVLGFBQWEsQ0FBQyxFQUFFLFNBQVMsR0FBRyxNQUFNLEVBQUUsR0FBRyxFQUFFO0lBQ3ZELE9BQU8sS0FBSyxFQUFFLEdBQVcsRUFBRSxPQUFPLEdBQW9CLEVBQUUsRUFBRSxFQUFFO1FBQzFELE1BQU0sRUFBRSxVQUFVLEdBQUcsTUFBTSxFQUFFLGNBQWMsRUFBRSxHQUFHLE9BQU8sQ0FBQztRQUN4RCxNQUFNLE1BQU0sR0FBMkIsYUFBYSxDQUFDLEVBQUUsQ0FBQyxFQUFFLE1BQU0sRUFBRSxHQUFHLE9BQU8sQ0FBQyxNQUFNLEVBQUUsQ0FBQyxDQUFDO1FBQ3ZGLE1BQU0sSUFBSSxHQUFHLElBQUksZUFBZSxDQUFDLE1BQU0sQ0FBQyxDQUFDO1FBQ3pDLE1BQU0sS0FBSyxHQUFHLE9BQU8sY0FBYyxLQUFLLFFBQVEsSUFBSSxDQUFDLE1BQU0sY0FBYyxDQUFDLFFBQVEsQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDO1FBQ3pGLE1BQU0sS0FBSyxHQUFHLFdBQVcsQ0FBQyxHQUFHLEVBQUUsQ0FBQztRQUNoQyxNQUFNLFFBQVEsR0FBRyxNQUFNLEtBQUssQ0FBQyxVQUFVLEtBQUssS0FBSyxDQUFDLENBQUMsQ0FBQyxHQUFHLEdBQUcsSUFBSSxJQUFJLEVBQUUsQ0FBQyxDQUFDLENBQUMsR0FBRyxFQUFFO1lBQzFFLE1BQU0sRUFBRSxVQUFVO1lBQ2xCLE9BQU8sRUFBRTtnQkFDUCx1R0FBdUc7Z0JBQ3ZHLFVBQVUsRUFBRSxPQUFPO2dCQUNuQixHQUFHLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQyxFQUFFLHNCQUFzQixFQUFFLFVBQVUsS0FBSyxFQUFFLEVBQUUsQ0FBQyxDQUFDLENBQUMsRUFBRSxDQUFDO2FBQ2hFO1lBQ0QsR0FBRyxDQUFDLFVBQVUsS0FBSyxNQUFNLElBQUksRUFBRSxJQUFJLEVBQUUsSUFBSSxFQUFFLENBQUM7WUFDNUMsUUFBUSxFQUFFLFFBQVE7WUFDbEIsTUFBTSxFQUFFLFdBQVcsQ0FBQyxPQUFPLENBQUMsU0FBUyxDQUFDO1lBQ3RDLGdGQUFnRjtZQUNoRixHQUFHLEVBQUUsSUFBSSxFQUFFLGFBQWEsRUFBRTtTQUMzQixDQUFDO2FBQ0MsS0FBSyxDQUFDLE1BQU0sQ0FBQzthQUNiLE9BQU8sQ0FBQyxHQUFHLEVBQUUsQ0FBQyxNQUFNLENBQUMsYUFBYSxDQUFDLE9BQU8sQ0FBQyxXQUFXLENBQUMsR0FBRyxDQUFDLEVBQUUsQ0FBQyxXQUFXLENBQUMsR0FBRyxFQUFFLEdBQUcsS0FBSyxDQUFDLEdBQUcsSUFBSSxDQUFDLENBQUMsQ0FBQztRQUVyRyxJQUFJLFFBQVEsQ0FBQyxNQUFNLElBQUksR0FBRztZQUN4QixNQUFNLElBQUksUUFBUSxDQUFDLG9CQUFvQixFQUFFLEVBQUUsS0FBSyxFQUFFLFFBQVEsUUFBUSxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsQ0FBQztRQUNqRixJQUFJLFFBQVEsQ0FBQyxNQUFNLElBQUksR0FBRyxJQUFJLFFBQVEsQ0FBQyxNQUFNLEdBQUcsR0FBRyxFQUFFLENBQUM7WUFDcEQsTUFBTSxJQUFJLFFBQVEsQ0FBQyx1QkFBdUIsRUFBRTtnQkFDMUMsS0FBSyxFQUFFLFFBQVEsUUFBUSxDQUFDLE1BQU0sOEJBQThCO2FBQzdELENBQUMsQ0FBQztRQUNMLENBQUM7UUFDRCxNQUFNLE1BQU0sR0FBWSxNQUFNLFFBQVEsQ0FBQyxJQUFJLEVBQUUsQ0FBQyxLQUFLLENBQUMsVUFBVSxDQUFDLENBQUM7UUFDaEUsSUFBSSxPQUFPLE1BQU0sS0FBSyxRQUFRLElBQUksTUFBTSxLQUFLLElBQUksSUFBSSxLQUFLLENBQUMsT0FBTyxDQUFDLE1BQU0sQ0FBQyxFQUFFLENBQUM7WUFDM0UsTUFBTSxJQUFJLFFBQVEsQ0FBQyx1QkFBdUIsRUFBRSxFQUFFLEtBQUssRUFBRSxpQ0FBaUMsRUFBRSxDQUFDLENBQUM7UUFDNUYsQ0FBQztRQUNELElBQUksQ0FBQztZQUNILE9BQU8sY0FBYyxDQUFDLE1BQThDLENBQUMsQ0FBQztRQUN4RSxDQUFDO1FBQUMsT0FBTyxLQUFLLEVBQUUsQ0FBQztZQUNmLDJHQUEyRztZQUMzRyxJQUFJLENBQUMsQ0FBQyxLQUFLLFlBQVksa0JBQWtCLENBQUM7Z0JBQ3hDLE1BQU0sSUFBSSxRQUFRLENBQUMsdUJBQXVCLEVBQUUsRUFBRSxLQUFLLEVBQUUseUNBQXlDLEVBQUUsQ0FBQyxDQUFDO1lBQ3BHLE1BQU0sUUFBUSxDQUFDLEtBQUssRUFBRSxDQUFDLEtBQUssRUFBRSxHQUFHLFlBQVksQ0FBQyxHQUFHLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRSxDQUFDLElBQUksQ0FBQyxHQUFHLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQyxDQUFDLENBQUM7UUFDaEYsQ0FBQztJQUNILENBQUMsQ0FBQztBQUNKLENBQUM7QUFFRDs7O0dBR0c7QUFDSCxNQUFNLFVBQVUsZUFBZSxDQUFDLE1BQStCO0lBQzdELE1BQU0sR0FBRyxHQUFHLGFBQWEsQ0FBQyxNQUFNLENBQUMsQ0FBQztJQUNsQyxPQUFPLENBQUMsR0FBVyxFQUFFLE9BQU8sR0FBb0IsRUFBRSxFQUFFLEVBQUUsQ0FDcEQsR0FBRyxDQUFDLEdBQUcsRUFBRSxPQUFPLENBQUMsQ0FBQyxLQUFLLENBQUMsS0FBSyxFQUFFLEtBQUssRUFBRSxFQUFFO1FBQ3RDLE1BQU0sRUFBRSxjQUFjLEVBQUUsR0FBRyxPQUFPLENBQUM7UUFDbkMsTUFBTSxLQUFLLEdBQUcsT0FBTyxjQUFjLEtBQUssUUFBUSxJQUFJLGNBQWMsQ0FBQyxrQkFBa0IsQ0FBQztRQUN0RixJQUFJLENBQUMsQ0FBQyxLQUFLLFlBQVksZUFBZSxDQUFDLElBQUksQ0FBQyxLQUFLO1lBQUUsTUFBTSxLQUFLLENBQUM7UUFDL0QsTUFBTSxLQUFLLENBQUMsSUFBSSxDQUFDLGNBQWMsQ0FBQyxDQUFDO1FBQ2pDLE9BQU8sR0FBRyxDQUFDLEdBQUcsRUFBRSxPQUFPLENBQUMsQ0FBQztJQUMzQixDQUFDLENBQUMsQ0FBQztBQUNQLENBQUM7QUFFRCw2RkFBNkY7QUFDN0YsTUFBTSxVQUFVLFNBQVMsQ0FBQyxLQUFjO0lBQ3RDLElBQUksQ0FBQyxDQUFDLEtBQUssWUFBWSxrQkFBa0IsQ0FBQztRQUFFLE9BQU8sS0FBSyxDQUFDO0lBQ3pELE1BQU0sSUFBSSxHQUFHLE1BQU0sQ0FBQyxLQUFLLENBQUMsSUFBSSxDQUFDLENBQUM7SUFDaEMsT0FBTyxDQUFDLENBQUMsSUFBSSxJQUFJLEdBQUcsSUFBSSxJQUFJLEtBQUssR0FBRyxJQUFJLElBQUksS0FBSyxHQUFHLENBQUMsQ0FBQztBQUN4RCxDQUFDO0FBRUQsU0FBUyxXQUFXLENBQUMsR0FBVztJQUM5QixNQUFNLElBQUksR0FBRyxHQUFHLENBQUMsT0FBTyxDQUFDLGdCQUFnQixFQUFFLEVBQUUsQ0FBQyxDQUFDO0lBQy9DLE9BQU8sVUFBVSxDQUFDLElBQUksQ0FBQyxDQUFDLFNBQVMsRUFBRSxFQUFFLENBQUMsSUFBSSxDQUFDLFFBQVEsQ0FBQyxJQUFJLFNBQVMsRUFBRSxDQUFDLENBQUMsSUFBSSxPQUFPLENBQUM7QUFDbkYsQ0FBQztBQUVELDRHQUE0RztBQUM1RyxTQUFTLFFBQVEsQ0FBQyxLQUF5QixFQUFFLElBQWU7SUFDMUQsTUFBTSxPQUFPLEdBQUcsSUFBSSxDQUFDLE1BQU0sQ0FBQyxDQUFDLEtBQUssRUFBRSxFQUFFLENBQUMsT0FBTyxLQUFLLEtBQUssUUFBUSxJQUFJLEtBQUssQ0FBQyxNQUFNLElBQUksQ0FBQyxDQUFhLENBQUM7SUFDbkcsTUFBTSxLQUFLLEdBQUcsQ0FBQyxJQUFhLEVBQUUsRUFBRSxDQUM5QixPQUFPLENBQUMsTUFBTSxDQUFDLENBQUMsSUFBSSxFQUFFLE1BQU0sRUFBRSxFQUFFLENBQUMsSUFBSSxDQUFDLFVBQVUsQ0FBQyxNQUFNLEVBQUUsT0FBTyxDQUFDLEVBQUUsTUFBTSxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUM7SUFDbkYsTUFBTSxJQUFJLEdBQUcsS0FBSyxZQUFZLGVBQWUsQ0FBQyxDQUFDLENBQUMsZUFBZSxDQUFDLENBQUMsQ0FBQyxrQkFBa0IsQ0FBQztJQUNyRixPQUFPLElBQUksSUFBSSxDQUFDLEtBQUssQ0FBQyxLQUFLLENBQUMsZUFBZSxDQUFDLEVBQUUsS0FBSyxDQUFDLEtBQUssQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDO0FBQ25FLENBQUM7QUFFRCx3R0FBd0c7QUFDeEcsU0FBUyxNQUFNLENBQUMsS0FBWTtJQUMxQixJQUFJLEtBQUssQ0FBQyxJQUFJLEtBQUssWUFBWTtRQUFFLE1BQU0sSUFBSSxRQUFRLENBQUMsZ0JBQWdCLENBQUMsQ0FBQztJQUN0RSxNQUFNLElBQUksUUFBUSxDQUFDLG9CQUFvQixFQUFFLEVBQUUsS0FBSyxFQUFFLEtBQUssQ0FBQyxPQUFPLEVBQUUsQ0FBQyxDQUFDO0FBQ3JFLENBQUM7QUFFRCxTQUFTLFVBQVUsQ0FBQyxLQUFnQztJQUNsRCxJQUFJLEtBQUssQ0FBQyxJQUFJLEtBQUssWUFBWTtRQUFFLE1BQU0sSUFBSSxRQUFRLENBQUMsZ0JBQWdCLENBQUMsQ0FBQztJQUN0RSxNQUFNLElBQUksUUFBUSxDQUFDLHVCQUF1QixFQUFFLEVBQUUsS0FBSyxFQUFFLEtBQUssQ0FBQyxJQUFJLElBQUksd0JBQXdCLEVBQUUsQ0FBQyxDQUFDO0FBQ2pHLENBQUMifQ==