import { parseCookie } from "cookie";
import { Router } from "express";
import { redirect } from "../redirect.js";
import { paramsOf, text } from "./answers.js";
import { randomToken } from "./grants.js";
import { choiceOf, contentSecurityPolicy } from "./pages.js";
/** ArcGIS's own cookie of this name holds a token; here it is a random number that means a person. */
const portalCookie = "esri_auth";
/** Minutes: two weeks, and ninety days. */
const expirations = { byDefault: 20160, most: 129600 };
/**
 * `oauth2/authorize` and `oauth2/signout`: where a browser comes to sign in.
 *
 * A program goes on as the page does: POST every parameter of the authorize URL to the same address as a
 * form, with `username` added (the person allows it) or `action=cancel`. The answer is the 302 back.
 *
 * `locale` is accepted and ignored: these pages speak English only.
 */
export function authorizeRoutes(portal) {
    const { people, settings, grants } = portal;
    const remembered = new Map();
    const router = Router();
    // 1. The page, or the way straight back for a person whom the portal remembers.
    router.get("/oauth2/authorize", portal.at("authorize"), (req, res) => {
        const params = paramsOf(req);
        const request = readRequest(portal, params, res);
        if (!request)
            return;
        if (res.locals.deny)
            return deny(res, request);
        const username = remembered.get(portalCookieOf(req) ?? "");
        const person = people.find((each) => each.username === username);
        if (person && settings.rememberPerson && text(params, "force_login") !== "true") {
            return allow(res, request, person);
        }
        showChoice(res, request, params);
    });
    // 2. The choice that the person made there.
    router.post("/oauth2/authorize", portal.at("authorize"), (req, res) => {
        const params = paramsOf(req);
        const request = readRequest(portal, params, res);
        if (!request)
            return;
        if (res.locals.deny || text(params, "action") === "cancel")
            return deny(res, request);
        const person = people.find((each) => each.username === text(params, "username"));
        if (!person)
            return showChoice(res.status(400), request, params);
        if (settings.rememberPerson) {
            const session = randomToken(32);
            remembered.set(session, person.username);
            res.cookie(portalCookie, session, { httpOnly: true, sameSite: "lax", path: "/portal" });
        }
        allow(res, request, person);
    });
    // 3. The end of what the portal remembers. Not in Esri's documentation; Experience Builder uses it.
    router.get("/oauth2/signout", (req, res) => {
        remembered.delete(portalCookieOf(req) ?? "");
        res.clearCookie(portalCookie, { httpOnly: true, sameSite: "lax", path: "/portal" });
        const params = paramsOf(req);
        const client = portal.clients.find(({ clientId }) => clientId === text(params, "client_id"));
        const redirectUri = text(params, "redirect_uri");
        if (client && redirectUri && isOfApp(redirectUri, client))
            return redirect(res, redirectUri, 302);
        res.render("message", {
            title: "Signed out",
            message: "You are signed out of the sandbox portal.",
            advice: "The app you came from keeps its own sign-in. You may close this page.",
        });
    });
    function showChoice(res, request, params) {
        const { username: _, action: __, ...fields } = params;
        const preferred = text(params, "prepopulatedusername");
        const byPreference = (a, b) => Number(b.username === preferred) - Number(a.username === preferred);
        // A browser applies form-action to the redirect that answers the form, too: the app must be named.
        const { origin } = new URL(request.redirectUri);
        res.set("Content-Security-Policy", contentSecurityPolicy(origin)).render("sign-in", {
            app: request.client.title ?? request.clientId,
            origin,
            fields,
            style: text(params, "style"),
            choices: people.toSorted(byPreference).map(choiceOf),
        });
    }
    function allow(res, { client: _, state, challenge, ...grant }, person) {
        const code = grants.issueCode({ ...grant, username: person.username }, challenge);
        redirect(res, callback(grant.redirectUri, { code, state }), 302);
    }
    return router;
}
function deny(res, request) {
    fail(res, request, "access_denied", "The user denied your request");
}
/** Tells the app what went wrong (RFC 6749, 4.1.2.1). */
function fail(res, { redirectUri, state }, error, description) {
    redirect(res, callback(redirectUri, { error, error_description: description, state }), 302);
}
/** Gives the request, or answers it itself when nobody should see it. */
function readRequest(portal, params, res) {
    // Until app and address are known to belong together, nothing may go to that address: ArcGIS shows a page
    // ("Error 400 Invalid redirect_uri", support.esri.com 000015445).
    const clientId = text(params, "client_id");
    const redirectUri = text(params, "redirect_uri");
    const client = portal.clients.find((each) => each.clientId === clientId);
    if (!clientId)
        return void showError(res, "client_id not specified");
    if (!client)
        return void showError(res, "Invalid client_id");
    if (!redirectUri)
        return void showError(res, "redirect_uri not specified");
    if (!client.redirectUris.includes(redirectUri))
        return void showError(res, "Invalid redirect_uri");
    const state = text(params, "state");
    const app = { redirectUri, state };
    if (text(params, "response_type") !== "code") {
        return void fail(res, app, "unsupported_response_type", "Invalid response_type");
    }
    const value = text(params, "code_challenge");
    const method = text(params, "code_challenge_method") ?? "plain"; // RFC 7636, 4.3
    if (!value && portal.settings.requirePkce) {
        return void fail(res, app, "invalid_request", "code_challenge not specified");
    }
    if (value && method !== "S256" && method !== "plain") {
        return void fail(res, app, "invalid_request", "Invalid code_challenge_method");
    }
    if (value && !/^[\w.~-]{43,128}$/.test(value)) {
        return void fail(res, app, "invalid_request", "Invalid code_challenge");
    }
    return {
        client,
        clientId,
        redirectUri,
        state,
        challenge: value ? { value, method: method === "S256" ? "S256" : "plain" } : undefined,
        refreshTokenSeconds: portal.settings.refreshTokenSeconds ?? expirationMinutes(text(params, "expiration")) * 60,
    };
}
function showError(res, message) {
    const advice = "Compare the app's CLIENT_ID and REDIRECT_URI, letter by letter, with what is registered here.";
    res.status(400).render("message", { title: "Error 400", message, advice });
}
function expirationMinutes(expiration) {
    const minutes = Number(expiration);
    return minutes > 0 ? Math.min(minutes, expirations.most) : expirations.byDefault;
}
/** The redirect URI with the answer in its query; the URI itself stays as it was registered. */
function callback(redirectUri, answer) {
    const pairs = Object.entries(answer)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`);
    return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}
function isOfApp(address, { redirectUris }) {
    return URL.canParse(address) && redirectUris.some((uri) => new URL(uri).origin === new URL(address).origin);
}
function portalCookieOf(req) {
    return parseCookie(req.get("Cookie") ?? "")[portalCookie];
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiYXV0aG9yaXplLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsiYXV0aG9yaXplLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxXQUFXLEVBQUUsTUFBTSxRQUFRLENBQUM7QUFDckMsT0FBTyxFQUErQixNQUFNLEVBQUUsTUFBTSxTQUFTLENBQUM7QUFDOUQsT0FBTyxFQUFFLFFBQVEsRUFBRSxNQUFNLGdCQUFnQixDQUFDO0FBQzFDLE9BQU8sRUFBZSxRQUFRLEVBQUUsSUFBSSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBRTNELE9BQU8sRUFBOEIsV0FBVyxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ3RFLE9BQU8sRUFBRSxRQUFRLEVBQUUscUJBQXFCLEVBQUUsTUFBTSxZQUFZLENBQUM7QUFHN0Qsc0dBQXNHO0FBQ3RHLE1BQU0sWUFBWSxHQUFHLFdBQVcsQ0FBQztBQUVqQywyQ0FBMkM7QUFDM0MsTUFBTSxXQUFXLEdBQUcsRUFBRSxTQUFTLEVBQUUsS0FBSyxFQUFFLElBQUksRUFBRSxNQUFNLEVBQUUsQ0FBQztBQVN2RDs7Ozs7OztHQU9HO0FBQ0gsTUFBTSxVQUFVLGVBQWUsQ0FBQyxNQUFlO0lBQzdDLE1BQU0sRUFBRSxNQUFNLEVBQUUsUUFBUSxFQUFFLE1BQU0sRUFBRSxHQUFHLE1BQU0sQ0FBQztJQUM1QyxNQUFNLFVBQVUsR0FBRyxJQUFJLEdBQUcsRUFBa0IsQ0FBQztJQUM3QyxNQUFNLE1BQU0sR0FBRyxNQUFNLEVBQUUsQ0FBQztJQUV4QixnRkFBZ0Y7SUFDaEYsTUFBTSxDQUFDLEdBQUcsQ0FBQyxtQkFBbUIsRUFBRSxNQUFNLENBQUMsRUFBRSxDQUFDLFdBQVcsQ0FBQyxFQUFFLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxFQUFFO1FBQ25FLE1BQU0sTUFBTSxHQUFHLFFBQVEsQ0FBQyxHQUFHLENBQUMsQ0FBQztRQUM3QixNQUFNLE9BQU8sR0FBRyxXQUFXLENBQUMsTUFBTSxFQUFFLE1BQU0sRUFBRSxHQUFHLENBQUMsQ0FBQztRQUNqRCxJQUFJLENBQUMsT0FBTztZQUFFLE9BQU87UUFDckIsSUFBSSxHQUFHLENBQUMsTUFBTSxDQUFDLElBQUk7WUFBRSxPQUFPLElBQUksQ0FBQyxHQUFHLEVBQUUsT0FBTyxDQUFDLENBQUM7UUFFL0MsTUFBTSxRQUFRLEdBQUcsVUFBVSxDQUFDLEdBQUcsQ0FBQyxjQUFjLENBQUMsR0FBRyxDQUFDLElBQUksRUFBRSxDQUFDLENBQUM7UUFDM0QsTUFBTSxNQUFNLEdBQUcsTUFBTSxDQUFDLElBQUksQ0FBQyxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsSUFBSSxDQUFDLFFBQVEsS0FBSyxRQUFRLENBQUMsQ0FBQztRQUNqRSxJQUFJLE1BQU0sSUFBSSxRQUFRLENBQUMsY0FBYyxJQUFJLElBQUksQ0FBQyxNQUFNLEVBQUUsYUFBYSxDQUFDLEtBQUssTUFBTSxFQUFFLENBQUM7WUFDaEYsT0FBTyxLQUFLLENBQUMsR0FBRyxFQUFFLE9BQU8sRUFBRSxNQUFNLENBQUMsQ0FBQztRQUNyQyxDQUFDO1FBQ0QsVUFBVSxDQUFDLEdBQUcsRUFBRSxPQUFPLEVBQUUsTUFBTSxDQUFDLENBQUM7SUFDbkMsQ0FBQyxDQUFDLENBQUM7SUFFSCw0Q0FBNEM7SUFDNUMsTUFBTSxDQUFDLElBQUksQ0FBQyxtQkFBbUIsRUFBRSxNQUFNLENBQUMsRUFBRSxDQUFDLFdBQVcsQ0FBQyxFQUFFLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxFQUFFO1FBQ3BFLE1BQU0sTUFBTSxHQUFHLFFBQVEsQ0FBQyxHQUFHLENBQUMsQ0FBQztRQUM3QixNQUFNLE9BQU8sR0FBRyxXQUFXLENBQUMsTUFBTSxFQUFFLE1BQU0sRUFBRSxHQUFHLENBQUMsQ0FBQztRQUNqRCxJQUFJLENBQUMsT0FBTztZQUFFLE9BQU87UUFDckIsSUFBSSxHQUFHLENBQUMsTUFBTSxDQUFDLElBQUksSUFBSSxJQUFJLENBQUMsTUFBTSxFQUFFLFFBQVEsQ0FBQyxLQUFLLFFBQVE7WUFBRSxPQUFPLElBQUksQ0FBQyxHQUFHLEVBQUUsT0FBTyxDQUFDLENBQUM7UUFFdEYsTUFBTSxNQUFNLEdBQUcsTUFBTSxDQUFDLElBQUksQ0FBQyxDQUFDLElBQUksRUFBRSxFQUFFLENBQUMsSUFBSSxDQUFDLFFBQVEsS0FBSyxJQUFJLENBQUMsTUFBTSxFQUFFLFVBQVUsQ0FBQyxDQUFDLENBQUM7UUFDakYsSUFBSSxDQUFDLE1BQU07WUFBRSxPQUFPLFVBQVUsQ0FBQyxHQUFHLENBQUMsTUFBTSxDQUFDLEdBQUcsQ0FBQyxFQUFFLE9BQU8sRUFBRSxNQUFNLENBQUMsQ0FBQztRQUNqRSxJQUFJLFFBQVEsQ0FBQyxjQUFjLEVBQUUsQ0FBQztZQUM1QixNQUFNLE9BQU8sR0FBRyxXQUFXLENBQUMsRUFBRSxDQUFDLENBQUM7WUFDaEMsVUFBVSxDQUFDLEdBQUcsQ0FBQyxPQUFPLEVBQUUsTUFBTSxDQUFDLFFBQVEsQ0FBQyxDQUFDO1lBQ3pDLEdBQUcsQ0FBQyxNQUFNLENBQUMsWUFBWSxFQUFFLE9BQU8sRUFBRSxFQUFFLFFBQVEsRUFBRSxJQUFJLEVBQUUsUUFBUSxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsU0FBUyxFQUFFLENBQUMsQ0FBQztRQUMxRixDQUFDO1FBQ0QsS0FBSyxDQUFDLEdBQUcsRUFBRSxPQUFPLEVBQUUsTUFBTSxDQUFDLENBQUM7SUFDOUIsQ0FBQyxDQUFDLENBQUM7SUFFSCxvR0FBb0c7SUFDcEcsTUFBTSxDQUFDLEdBQUcsQ0FBQyxpQkFBaUIsRUFBRSxDQUFDLEdBQUcsRUFBRSxHQUFHLEVBQUUsRUFBRTtRQUN6QyxVQUFVLENBQUMsTUFBTSxDQUFDLGNBQWMsQ0FBQyxHQUFHLENBQUMsSUFBSSxFQUFFLENBQUMsQ0FBQztRQUM3QyxHQUFHLENBQUMsV0FBVyxDQUFDLFlBQVksRUFBRSxFQUFFLFFBQVEsRUFBRSxJQUFJLEVBQUUsUUFBUSxFQUFFLEtBQUssRUFBRSxJQUFJLEVBQUUsU0FBUyxFQUFFLENBQUMsQ0FBQztRQUVwRixNQUFNLE1BQU0sR0FBRyxRQUFRLENBQUMsR0FBRyxDQUFDLENBQUM7UUFDN0IsTUFBTSxNQUFNLEdBQUcsTUFBTSxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsQ0FBQyxFQUFFLFFBQVEsRUFBRSxFQUFFLEVBQUUsQ0FBQyxRQUFRLEtBQUssSUFBSSxDQUFDLE1BQU0sRUFBRSxXQUFXLENBQUMsQ0FBQyxDQUFDO1FBQzdGLE1BQU0sV0FBVyxHQUFHLElBQUksQ0FBQyxNQUFNLEVBQUUsY0FBYyxDQUFDLENBQUM7UUFDakQsSUFBSSxNQUFNLElBQUksV0FBVyxJQUFJLE9BQU8sQ0FBQyxXQUFXLEVBQUUsTUFBTSxDQUFDO1lBQUUsT0FBTyxRQUFRLENBQUMsR0FBRyxFQUFFLFdBQVcsRUFBRSxHQUFHLENBQUMsQ0FBQztRQUNsRyxHQUFHLENBQUMsTUFBTSxDQUFDLFNBQVMsRUFBRTtZQUNwQixLQUFLLEVBQUUsWUFBWTtZQUNuQixPQUFPLEVBQUUsMkNBQTJDO1lBQ3BELE1BQU0sRUFBRSx1RUFBdUU7U0FDaEYsQ0FBQyxDQUFDO0lBQ0wsQ0FBQyxDQUFDLENBQUM7SUFFSCxTQUFTLFVBQVUsQ0FBQyxHQUFhLEVBQUUsT0FBc0IsRUFBRSxNQUFjO1FBQ3ZFLE1BQU0sRUFBRSxRQUFRLEVBQUUsQ0FBQyxFQUFFLE1BQU0sRUFBRSxFQUFFLEVBQUUsR0FBRyxNQUFNLEVBQUUsR0FBRyxNQUFNLENBQUM7UUFDdEQsTUFBTSxTQUFTLEdBQUcsSUFBSSxDQUFDLE1BQU0sRUFBRSxzQkFBc0IsQ0FBQyxDQUFDO1FBQ3ZELE1BQU0sWUFBWSxHQUFHLENBQUMsQ0FBUyxFQUFFLENBQVMsRUFBRSxFQUFFLENBQzVDLE1BQU0sQ0FBQyxDQUFDLENBQUMsUUFBUSxLQUFLLFNBQVMsQ0FBQyxHQUFHLE1BQU0sQ0FBQyxDQUFDLENBQUMsUUFBUSxLQUFLLFNBQVMsQ0FBQyxDQUFDO1FBRXRFLG1HQUFtRztRQUNuRyxNQUFNLEVBQUUsTUFBTSxFQUFFLEdBQUcsSUFBSSxHQUFHLENBQUMsT0FBTyxDQUFDLFdBQVcsQ0FBQyxDQUFDO1FBQ2hELEdBQUcsQ0FBQyxHQUFHLENBQUMseUJBQXlCLEVBQUUscUJBQXFCLENBQUMsTUFBTSxDQUFDLENBQUMsQ0FBQyxNQUFNLENBQUMsU0FBUyxFQUFFO1lBQ2xGLEdBQUcsRUFBRSxPQUFPLENBQUMsTUFBTSxDQUFDLEtBQUssSUFBSSxPQUFPLENBQUMsUUFBUTtZQUM3QyxNQUFNO1lBQ04sTUFBTTtZQUNOLEtBQUssRUFBRSxJQUFJLENBQUMsTUFBTSxFQUFFLE9BQU8sQ0FBQztZQUM1QixPQUFPLEVBQUUsTUFBTSxDQUFDLFFBQVEsQ0FBQyxZQUFZLENBQUMsQ0FBQyxHQUFHLENBQUMsUUFBUSxDQUFDO1NBQ3JELENBQUMsQ0FBQztJQUNMLENBQUM7SUFFRCxTQUFTLEtBQUssQ0FDWixHQUFhLEVBQ2IsRUFBRSxNQUFNLEVBQUUsQ0FBQyxFQUFFLEtBQUssRUFBRSxTQUFTLEVBQUUsR0FBRyxLQUFLLEVBQWlCLEVBQ3hELE1BQWM7UUFFZCxNQUFNLElBQUksR0FBRyxNQUFNLENBQUMsU0FBUyxDQUFDLEVBQUUsR0FBRyxLQUFLLEVBQUUsUUFBUSxFQUFFLE1BQU0sQ0FBQyxRQUFRLEVBQUUsRUFBRSxTQUFTLENBQUMsQ0FBQztRQUNsRixRQUFRLENBQUMsR0FBRyxFQUFFLFFBQVEsQ0FBQyxLQUFLLENBQUMsV0FBVyxFQUFFLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxDQUFDLEVBQUUsR0FBRyxDQUFDLENBQUM7SUFDbkUsQ0FBQztJQUVELE9BQU8sTUFBTSxDQUFDO0FBQ2hCLENBQUM7QUFFRCxTQUFTLElBQUksQ0FBQyxHQUFhLEVBQUUsT0FBc0I7SUFDakQsSUFBSSxDQUFDLEdBQUcsRUFBRSxPQUFPLEVBQUUsZUFBZSxFQUFFLDhCQUE4QixDQUFDLENBQUM7QUFDdEUsQ0FBQztBQUVELHlEQUF5RDtBQUN6RCxTQUFTLElBQUksQ0FDWCxHQUFhLEVBQ2IsRUFBRSxXQUFXLEVBQUUsS0FBSyxFQUFzRCxFQUMxRSxLQUFhLEVBQ2IsV0FBbUI7SUFFbkIsUUFBUSxDQUFDLEdBQUcsRUFBRSxRQUFRLENBQUMsV0FBVyxFQUFFLEVBQUUsS0FBSyxFQUFFLGlCQUFpQixFQUFFLFdBQVcsRUFBRSxLQUFLLEVBQUUsQ0FBQyxFQUFFLEdBQUcsQ0FBQyxDQUFDO0FBQzlGLENBQUM7QUFFRCx5RUFBeUU7QUFDekUsU0FBUyxXQUFXLENBQUMsTUFBZSxFQUFFLE1BQWMsRUFBRSxHQUFhO0lBQ2pFLDBHQUEwRztJQUMxRyxrRUFBa0U7SUFDbEUsTUFBTSxRQUFRLEdBQUcsSUFBSSxDQUFDLE1BQU0sRUFBRSxXQUFXLENBQUMsQ0FBQztJQUMzQyxNQUFNLFdBQVcsR0FBRyxJQUFJLENBQUMsTUFBTSxFQUFFLGNBQWMsQ0FBQyxDQUFDO0lBQ2pELE1BQU0sTUFBTSxHQUFHLE1BQU0sQ0FBQyxPQUFPLENBQUMsSUFBSSxDQUFDLENBQUMsSUFBSSxFQUFFLEVBQUUsQ0FBQyxJQUFJLENBQUMsUUFBUSxLQUFLLFFBQVEsQ0FBQyxDQUFDO0lBRXpFLElBQUksQ0FBQyxRQUFRO1FBQUUsT0FBTyxLQUFLLFNBQVMsQ0FBQyxHQUFHLEVBQUUseUJBQXlCLENBQUMsQ0FBQztJQUNyRSxJQUFJLENBQUMsTUFBTTtRQUFFLE9BQU8sS0FBSyxTQUFTLENBQUMsR0FBRyxFQUFFLG1CQUFtQixDQUFDLENBQUM7SUFDN0QsSUFBSSxDQUFDLFdBQVc7UUFBRSxPQUFPLEtBQUssU0FBUyxDQUFDLEdBQUcsRUFBRSw0QkFBNEIsQ0FBQyxDQUFDO0lBQzNFLElBQUksQ0FBQyxNQUFNLENBQUMsWUFBWSxDQUFDLFFBQVEsQ0FBQyxXQUFXLENBQUM7UUFBRSxPQUFPLEtBQUssU0FBUyxDQUFDLEdBQUcsRUFBRSxzQkFBc0IsQ0FBQyxDQUFDO0lBRW5HLE1BQU0sS0FBSyxHQUFHLElBQUksQ0FBQyxNQUFNLEVBQUUsT0FBTyxDQUFDLENBQUM7SUFDcEMsTUFBTSxHQUFHLEdBQUcsRUFBRSxXQUFXLEVBQUUsS0FBSyxFQUFFLENBQUM7SUFDbkMsSUFBSSxJQUFJLENBQUMsTUFBTSxFQUFFLGVBQWUsQ0FBQyxLQUFLLE1BQU0sRUFBRSxDQUFDO1FBQzdDLE9BQU8sS0FBSyxJQUFJLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSwyQkFBMkIsRUFBRSx1QkFBdUIsQ0FBQyxDQUFDO0lBQ25GLENBQUM7SUFFRCxNQUFNLEtBQUssR0FBRyxJQUFJLENBQUMsTUFBTSxFQUFFLGdCQUFnQixDQUFDLENBQUM7SUFDN0MsTUFBTSxNQUFNLEdBQUcsSUFBSSxDQUFDLE1BQU0sRUFBRSx1QkFBdUIsQ0FBQyxJQUFJLE9BQU8sQ0FBQyxDQUFDLGdCQUFnQjtJQUNqRixJQUFJLENBQUMsS0FBSyxJQUFJLE1BQU0sQ0FBQyxRQUFRLENBQUMsV0FBVyxFQUFFLENBQUM7UUFDMUMsT0FBTyxLQUFLLElBQUksQ0FBQyxHQUFHLEVBQUUsR0FBRyxFQUFFLGlCQUFpQixFQUFFLDhCQUE4QixDQUFDLENBQUM7SUFDaEYsQ0FBQztJQUNELElBQUksS0FBSyxJQUFJLE1BQU0sS0FBSyxNQUFNLElBQUksTUFBTSxLQUFLLE9BQU8sRUFBRSxDQUFDO1FBQ3JELE9BQU8sS0FBSyxJQUFJLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxpQkFBaUIsRUFBRSwrQkFBK0IsQ0FBQyxDQUFDO0lBQ2pGLENBQUM7SUFDRCxJQUFJLEtBQUssSUFBSSxDQUFDLG1CQUFtQixDQUFDLElBQUksQ0FBQyxLQUFLLENBQUMsRUFBRSxDQUFDO1FBQzlDLE9BQU8sS0FBSyxJQUFJLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxpQkFBaUIsRUFBRSx3QkFBd0IsQ0FBQyxDQUFDO0lBQzFFLENBQUM7SUFFRCxPQUFPO1FBQ0wsTUFBTTtRQUNOLFFBQVE7UUFDUixXQUFXO1FBQ1gsS0FBSztRQUNMLFNBQVMsRUFBRSxLQUFLLENBQUMsQ0FBQyxDQUFDLEVBQUUsS0FBSyxFQUFFLE1BQU0sRUFBRSxNQUFNLEtBQUssTUFBTSxDQUFDLENBQUMsQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDLE9BQU8sRUFBRSxDQUFDLENBQUMsQ0FBQyxTQUFTO1FBQ3RGLG1CQUFtQixFQUNqQixNQUFNLENBQUMsUUFBUSxDQUFDLG1CQUFtQixJQUFJLGlCQUFpQixDQUFDLElBQUksQ0FBQyxNQUFNLEVBQUUsWUFBWSxDQUFDLENBQUMsR0FBRyxFQUFFO0tBQzVGLENBQUM7QUFDSixDQUFDO0FBRUQsU0FBUyxTQUFTLENBQUMsR0FBYSxFQUFFLE9BQWU7SUFDL0MsTUFBTSxNQUFNLEdBQ1YsK0ZBQStGLENBQUM7SUFDbEcsR0FBRyxDQUFDLE1BQU0sQ0FBQyxHQUFHLENBQUMsQ0FBQyxNQUFNLENBQUMsU0FBUyxFQUFFLEVBQUUsS0FBSyxFQUFFLFdBQVcsRUFBRSxPQUFPLEVBQUUsTUFBTSxFQUFFLENBQUMsQ0FBQztBQUM3RSxDQUFDO0FBRUQsU0FBUyxpQkFBaUIsQ0FBQyxVQUE4QjtJQUN2RCxNQUFNLE9BQU8sR0FBRyxNQUFNLENBQUMsVUFBVSxDQUFDLENBQUM7SUFDbkMsT0FBTyxPQUFPLEdBQUcsQ0FBQyxDQUFDLENBQUMsQ0FBQyxJQUFJLENBQUMsR0FBRyxDQUFDLE9BQU8sRUFBRSxXQUFXLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQyxDQUFDLFdBQVcsQ0FBQyxTQUFTLENBQUM7QUFDbkYsQ0FBQztBQUVELGdHQUFnRztBQUNoRyxTQUFTLFFBQVEsQ0FBQyxXQUFtQixFQUFFLE1BQTBDO0lBQy9FLE1BQU0sS0FBSyxHQUFHLE1BQU0sQ0FBQyxPQUFPLENBQUMsTUFBTSxDQUFDO1NBQ2pDLE1BQU0sQ0FBQyxDQUFDLENBQUMsRUFBRSxLQUFLLENBQUMsRUFBRSxFQUFFLENBQUMsS0FBSyxLQUFLLFNBQVMsQ0FBQztTQUMxQyxHQUFHLENBQUMsQ0FBQyxDQUFDLElBQUksRUFBRSxLQUFLLENBQUMsRUFBRSxFQUFFLENBQUMsR0FBRyxJQUFJLElBQUksa0JBQWtCLENBQUMsS0FBSyxJQUFJLEVBQUUsQ0FBQyxFQUFFLENBQUMsQ0FBQztJQUN4RSxPQUFPLEdBQUcsV0FBVyxHQUFHLFdBQVcsQ0FBQyxRQUFRLENBQUMsR0FBRyxDQUFDLENBQUMsQ0FBQyxDQUFDLEdBQUcsQ0FBQyxDQUFDLENBQUMsR0FBRyxHQUFHLEtBQUssQ0FBQyxJQUFJLENBQUMsR0FBRyxDQUFDLEVBQUUsQ0FBQztBQUNwRixDQUFDO0FBRUQsU0FBUyxPQUFPLENBQUMsT0FBZSxFQUFFLEVBQUUsWUFBWSxFQUFVO0lBQ3hELE9BQU8sR0FBRyxDQUFDLFFBQVEsQ0FBQyxPQUFPLENBQUMsSUFBSSxZQUFZLENBQUMsSUFBSSxDQUFDLENBQUMsR0FBRyxFQUFFLEVBQUUsQ0FBQyxJQUFJLEdBQUcsQ0FBQyxHQUFHLENBQUMsQ0FBQyxNQUFNLEtBQUssSUFBSSxHQUFHLENBQUMsT0FBTyxDQUFDLENBQUMsTUFBTSxDQUFDLENBQUM7QUFDOUcsQ0FBQztBQUVELFNBQVMsY0FBYyxDQUFDLEdBQVk7SUFDbEMsT0FBTyxXQUFXLENBQUMsR0FBRyxDQUFDLEdBQUcsQ0FBQyxRQUFRLENBQUMsSUFBSSxFQUFFLENBQUMsQ0FBQyxZQUFZLENBQUMsQ0FBQztBQUM1RCxDQUFDIn0=