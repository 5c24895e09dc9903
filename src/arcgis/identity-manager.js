import { ArcGISIdentityManager, revokeToken, } from "@esri/arcgis-rest-request";
import { AppError } from "../errors.js";
import { serverToken } from "./federation.js";
import { portalRequest } from "./request.js";
import { readTokenAnswer } from "./token-answer.js";
import { takesPortalToken } from "./token-targets.js";
/** The options that both halves of the sign-in share. */
export function oauthOptions(config) {
    const { portal, clientId, clientSecret, redirectUri, tokenExpirationMinutes: expiration } = config;
    return { portal, clientId, clientSecret, redirectUri, expiration };
}
/**
 * Where the portal ends its own sign-in of this browser, and sends it back to us. Not documented by Esri;
 * ArcGIS Experience Builder uses it.
 */
export function portalSignOut({ portal, clientId, origin }) {
    return `${portal}/oauth2/signout?${new URLSearchParams({ client_id: clientId, redirect_uri: `${origin}/` })}`;
}
const ask = portalRequest();
const askBriefly = portalRequest({ timeoutMs: 3_000 });
const lastDayMs = 24 * 60 * 60_000;
/**
 * `ArcGISIdentityManager` with what a server needs of it. On the server the library's `authorize` answers 301,
 * which browsers keep for ever, and neither half of the flow knows PKCE; its `destroy` has no time limit; its
 * `getToken` gives the token to any address in which the portal's name occurs; and each of its instances
 * renews tokens for itself.
 *
 * Once the library has these, this file can go: its callers need not change.
 */
export class IdentityManager extends ArcGISIdentityManager {
    /** When the token really ends; `tokenExpires` is some minutes earlier, so that it is renewed in time. */
    tokenEnds;
    /** Renews the token for everybody who shares this session; tokens.ts sets it for the request at hand. */
    renew;
    constructor({ tokenEnds, ...options }) {
        super(options);
        this.tokenEnds = tokenEnds;
    }
    /**
     * Sends the browser to the portal's sign-in page: 302, not to be stored.
     * https://developers.arcgis.com/rest/users-groups-and-items/authorize/
     */
    static authorize(options, response) {
        let location = "";
        const answer = {
            writeHead: (_status, headers) => {
                location = headers.Location;
            },
            end: () => { },
        };
        ArcGISIdentityManager.authorize(options, answer);
        const { codeChallenge, locale, style, forceLogin, username, provider } = options;
        const url = new URL(provider ? location.replace("/oauth2/authorize?", "/oauth2/social/authorize?") : location);
        const more = {
            ...(codeChallenge && { code_challenge: codeChallenge, code_challenge_method: "S256" }),
            ...(locale && { locale }),
            ...(style && { style }),
            ...(forceLogin && { force_login: "true" }),
            ...(username && { prepopulatedusername: username }),
            ...(provider && { socialLoginProviderName: provider, autoAccountCreateForSocial: "true" }),
        };
        for (const [name, value] of Object.entries(more))
            url.searchParams.set(name, value);
        response.writeHead(302, { Location: url.href, "Cache-Control": "no-store" });
        response.end();
    }
    /**
     * Gives the identity that a one-time code stands for.
     * https://developers.arcgis.com/rest/users-groups-and-items/token/
     *
     * @throws AppError portal_unreachable, portal_timeout, portal_answer_invalid; `ArcGISRequestError` when the
     *   portal refuses the code.
     */
    static async exchangeAuthorizationCode(options, authorizationCode) {
        const { portal, clientId, redirectUri, codeVerifier } = options;
        const grant = await askForTokens(options, {
            grant_type: "authorization_code",
            redirect_uri: redirectUri,
            code: authorizationCode,
            code_verifier: codeVerifier,
        });
        return new IdentityManager({ ...grant, portal, clientId, redirectUri });
    }
    /** Makes the identity again that `serialize()` wrote. */
    static deserialize(text) {
        const { tokenExpires, tokenEnds, refreshTokenExpires, ...options } = JSON.parse(text);
        return new IdentityManager({
            ...options,
            tokenExpires: dateOf(tokenExpires),
            tokenEnds: dateOf(tokenEnds),
            refreshTokenExpires: dateOf(refreshTokenExpires),
        });
    }
    /** What `serialize()` writes. */
    toJSON() {
        return { ...super.toJSON(), tokenEnds: this.tokenEnds };
    }
    /**
     * Revokes an identity's refresh token, and with it every access token it gave; waits 3 s at most.
     * https://developers.arcgis.com/rest/users-groups-and-items/revoke-token/
     *
     * @throws AppError or `ArcGISRequestError` when that was not to be had.
     */
    static destroy(identity) {
        const { clientId, portal, refreshToken, token } = identity;
        return revokeToken({ clientId, portal, token: refreshToken ?? token, request: askBriefly });
    }
    /**
     * Gives the token for a request to `url`: the portal's to the portal and its hosted services, a federated
     * server's own to that server, and none to anybody else.
     *
     * @throws AppError token_target when the address may have no token of this person.
     */
    async getToken(url) {
        if (takesPortalToken(this.portal, url))
            return this.token;
        return serverToken(this, url);
    }
    /** What the library calls when a service has answered 498: one renewal for all, kept in the session. */
    async refreshCredentials() {
        if (!this.renew)
            throw new AppError("session_ended", { cause: "this identity is in no session" });
        const { token, tokenExpires } = await this.renew();
        this.clearCachedUserInfo();
        return this.updateToken(token, tokenExpires);
    }
    /**
     * Asks the portal for a new access token, and in the refresh token's last day for a new pair, which ends the
     * old pair at once: so the result must be kept before anybody uses it.
     *
     * @throws AppError as `exchangeAuthorizationCode`; `ArcGISRequestError` when the portal takes the refresh
     *   token no more.
     */
    async renewed({ clientSecret, tokenExpirationMinutes }) {
        const { portal, clientId, redirectUri, refreshToken, refreshTokenExpires } = this;
        // With refresh tokens of a day or less, every renewal would be in the last day.
        const lastMs = Math.min(lastDayMs, (tokenExpirationMinutes * 60_000) / 5);
        const lastDay = refreshTokenExpires !== undefined && refreshTokenExpires.getTime() - lastMs < Date.now();
        const grant = await askForTokens({ portal, clientId, clientSecret }, lastDay
            ? { grant_type: "exchange_refresh_token", refresh_token: refreshToken, redirect_uri: redirectUri }
            : { grant_type: "refresh_token", refresh_token: refreshToken });
        return new IdentityManager({
            portal,
            clientId,
            redirectUri,
            refreshToken,
            refreshTokenExpires,
            ...grant,
        });
    }
}
function dateOf(text) {
    return text === undefined ? undefined : new Date(text);
}
async function askForTokens({ portal, clientId, clientSecret }, params) {
    const answer = await ask(`${portal}/oauth2/token`, {
        params: { client_id: clientId, client_secret: clientSecret, ...params },
    });
    return readTokenAnswer(answer);
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiaWRlbnRpdHktbWFuYWdlci5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbImlkZW50aXR5LW1hbmFnZXIudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQ0EsT0FBTyxFQUNMLHFCQUFxQixFQUdyQixXQUFXLEdBQ1osTUFBTSwyQkFBMkIsQ0FBQztBQUVuQyxPQUFPLEVBQUUsUUFBUSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBQ3hDLE9BQU8sRUFBRSxXQUFXLEVBQUUsTUFBTSxpQkFBaUIsQ0FBQztBQUM5QyxPQUFPLEVBQUUsYUFBYSxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBQzdDLE9BQU8sRUFBYyxlQUFlLEVBQUUsTUFBTSxtQkFBbUIsQ0FBQztBQUNoRSxPQUFPLEVBQUUsZ0JBQWdCLEVBQUUsTUFBTSxvQkFBb0IsQ0FBQztBQStCdEQseURBQXlEO0FBQ3pELE1BQU0sVUFBVSxZQUFZLENBQUMsTUFBYztJQUN6QyxNQUFNLEVBQUUsTUFBTSxFQUFFLFFBQVEsRUFBRSxZQUFZLEVBQUUsV0FBVyxFQUFFLHNCQUFzQixFQUFFLFVBQVUsRUFBRSxHQUFHLE1BQU0sQ0FBQztJQUNuRyxPQUFPLEVBQUUsTUFBTSxFQUFFLFFBQVEsRUFBRSxZQUFZLEVBQUUsV0FBVyxFQUFFLFVBQVUsRUFBRSxDQUFDO0FBQ3JFLENBQUM7QUFFRDs7O0dBR0c7QUFDSCxNQUFNLFVBQVUsYUFBYSxDQUFDLEVBQUUsTUFBTSxFQUFFLFFBQVEsRUFBRSxNQUFNLEVBQVU7SUFDaEUsT0FBTyxHQUFHLE1BQU0sbUJBQW1CLElBQUksZUFBZSxDQUFDLEVBQUUsU0FBUyxFQUFFLFFBQVEsRUFBRSxZQUFZLEVBQUUsR0FBRyxNQUFNLEdBQUcsRUFBRSxDQUFDLEVBQUUsQ0FBQztBQUNoSCxDQUFDO0FBRUQsTUFBTSxHQUFHLEdBQUcsYUFBYSxFQUFFLENBQUM7QUFDNUIsTUFBTSxVQUFVLEdBQUcsYUFBYSxDQUFDLEVBQUUsU0FBUyxFQUFFLEtBQUssRUFBRSxDQUFDLENBQUM7QUFDdkQsTUFBTSxTQUFTLEdBQUcsRUFBRSxHQUFHLEVBQUUsR0FBRyxNQUFNLENBQUM7QUFFbkM7Ozs7Ozs7R0FPRztBQUNILE1BQU0sT0FBTyxlQUFnQixTQUFRLHFCQUFxQjtJQUN4RCx5R0FBeUc7SUFDaEcsU0FBUyxDQUFtQjtJQUNyQyx5R0FBeUc7SUFDekcsS0FBSyxDQUFrQztJQUV2QyxZQUFZLEVBQUUsU0FBUyxFQUFFLEdBQUcsT0FBTyxFQUF3RDtRQUN6RixLQUFLLENBQUMsT0FBTyxDQUFDLENBQUM7UUFDZixJQUFJLENBQUMsU0FBUyxHQUFHLFNBQVMsQ0FBQztJQUM3QixDQUFDO0lBRUQ7OztPQUdHO0lBQ0gsTUFBTSxDQUFVLFNBQVMsQ0FBQyxPQUF5QixFQUFFLFFBQXdCO1FBQzNFLElBQUksUUFBUSxHQUFHLEVBQUUsQ0FBQztRQUNsQixNQUFNLE1BQU0sR0FBRztZQUNiLFNBQVMsRUFBRSxDQUFDLE9BQWUsRUFBRSxPQUE2QixFQUFFLEVBQUU7Z0JBQzVELFFBQVEsR0FBRyxPQUFPLENBQUMsUUFBUSxDQUFDO1lBQzlCLENBQUM7WUFDRCxHQUFHLEVBQUUsR0FBRyxFQUFFLEdBQUUsQ0FBQztTQUNkLENBQUM7UUFDRixxQkFBcUIsQ0FBQyxTQUFTLENBQUMsT0FBTyxFQUFFLE1BQW1DLENBQUMsQ0FBQztRQUU5RSxNQUFNLEVBQUUsYUFBYSxFQUFFLE1BQU0sRUFBRSxLQUFLLEVBQUUsVUFBVSxFQUFFLFFBQVEsRUFBRSxRQUFRLEVBQUUsR0FBRyxPQUFPLENBQUM7UUFDakYsTUFBTSxHQUFHLEdBQUcsSUFBSSxHQUFHLENBQ2pCLFFBQVEsQ0FBQyxDQUFDLENBQUMsUUFBUSxDQUFDLE9BQU8sQ0FBQyxvQkFBb0IsRUFBRSwyQkFBMkIsQ0FBQyxDQUFDLENBQUMsQ0FBQyxRQUFRLENBQzFGLENBQUM7UUFDRixNQUFNLElBQUksR0FBRztZQUNYLEdBQUcsQ0FBQyxhQUFhLElBQUksRUFBRSxjQUFjLEVBQUUsYUFBYSxFQUFFLHFCQUFxQixFQUFFLE1BQU0sRUFBRSxDQUFDO1lBQ3RGLEdBQUcsQ0FBQyxNQUFNLElBQUksRUFBRSxNQUFNLEVBQUUsQ0FBQztZQUN6QixHQUFHLENBQUMsS0FBSyxJQUFJLEVBQUUsS0FBSyxFQUFFLENBQUM7WUFDdkIsR0FBRyxDQUFDLFVBQVUsSUFBSSxFQUFFLFdBQVcsRUFBRSxNQUFNLEVBQUUsQ0FBQztZQUMxQyxHQUFHLENBQUMsUUFBUSxJQUFJLEVBQUUsb0JBQW9CLEVBQUUsUUFBUSxFQUFFLENBQUM7WUFDbkQsR0FBRyxDQUFDLFFBQVEsSUFBSSxFQUFFLHVCQUF1QixFQUFFLFFBQVEsRUFBRSwwQkFBMEIsRUFBRSxNQUFNLEVBQUUsQ0FBQztTQUMzRixDQUFDO1FBQ0YsS0FBSyxNQUFNLENBQUMsSUFBSSxFQUFFLEtBQUssQ0FBQyxJQUFJLE1BQU0sQ0FBQyxPQUFPLENBQUMsSUFBSSxDQUFDO1lBQUUsR0FBRyxDQUFDLFlBQVksQ0FBQyxHQUFHLENBQUMsSUFBSSxFQUFFLEtBQUssQ0FBQyxDQUFDO1FBQ3BGLFFBQVEsQ0FBQyxTQUFTLENBQUMsR0FBRyxFQUFFLEVBQUUsUUFBUSxFQUFFLEdBQUcsQ0FBQyxJQUFJLEVBQUUsZUFBZSxFQUFFLFVBQVUsRUFBRSxDQUFDLENBQUM7UUFDN0UsUUFBUSxDQUFDLEdBQUcsRUFBRSxDQUFDO0lBQ2pCLENBQUM7SUFFRDs7Ozs7O09BTUc7SUFDSCxNQUFNLENBQVUsS0FBSyxDQUFDLHlCQUF5QixDQUM3QyxPQUF3QixFQUN4QixpQkFBeUI7UUFFekIsTUFBTSxFQUFFLE1BQU0sRUFBRSxRQUFRLEVBQUUsV0FBVyxFQUFFLFlBQVksRUFBRSxHQUFHLE9BQU8sQ0FBQztRQUNoRSxNQUFNLEtBQUssR0FBRyxNQUFNLFlBQVksQ0FBQyxPQUFPLEVBQUU7WUFDeEMsVUFBVSxFQUFFLG9CQUFvQjtZQUNoQyxZQUFZLEVBQUUsV0FBVztZQUN6QixJQUFJLEVBQUUsaUJBQWlCO1lBQ3ZCLGFBQWEsRUFBRSxZQUFZO1NBQzVCLENBQUMsQ0FBQztRQUNILE9BQU8sSUFBSSxlQUFlLENBQUMsRUFBRSxHQUFHLEtBQUssRUFBRSxNQUFNLEVBQUUsUUFBUSxFQUFFLFdBQVcsRUFBRSxDQUFDLENBQUM7SUFDMUUsQ0FBQztJQUVELHlEQUF5RDtJQUN6RCxNQUFNLENBQVUsV0FBVyxDQUFDLElBQVk7UUFDdEMsTUFBTSxFQUFFLFlBQVksRUFBRSxTQUFTLEVBQUUsbUJBQW1CLEVBQUUsR0FBRyxPQUFPLEVBQUUsR0FBRyxJQUFJLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDO1FBQ3RGLE9BQU8sSUFBSSxlQUFlLENBQUM7WUFDekIsR0FBRyxPQUFPO1lBQ1YsWUFBWSxFQUFFLE1BQU0sQ0FBQyxZQUFZLENBQUM7WUFDbEMsU0FBUyxFQUFFLE1BQU0sQ0FBQyxTQUFTLENBQUM7WUFDNUIsbUJBQW1CLEVBQUUsTUFBTSxDQUFDLG1CQUFtQixDQUFDO1NBQ2pELENBQUMsQ0FBQztJQUNMLENBQUM7SUFFRCxpQ0FBaUM7SUFDeEIsTUFBTTtRQUNiLE9BQU8sRUFBRSxHQUFHLEtBQUssQ0FBQyxNQUFNLEVBQUUsRUFBRSxTQUFTLEVBQUUsSUFBSSxDQUFDLFNBQVMsRUFBRSxDQUFDO0lBQzFELENBQUM7SUFFRDs7Ozs7T0FLRztJQUNILE1BQU0sQ0FBVSxPQUFPLENBQUMsUUFBK0I7UUFDckQsTUFBTSxFQUFFLFFBQVEsRUFBRSxNQUFNLEVBQUUsWUFBWSxFQUFFLEtBQUssRUFBRSxHQUFHLFFBQVEsQ0FBQztRQUMzRCxPQUFPLFdBQVcsQ0FBQyxFQUFFLFFBQVEsRUFBRSxNQUFNLEVBQUUsS0FBSyxFQUFFLFlBQVksSUFBSSxLQUFLLEVBQUUsT0FBTyxFQUFFLFVBQVUsRUFBRSxDQUFDLENBQUM7SUFDOUYsQ0FBQztJQUVEOzs7OztPQUtHO0lBQ00sS0FBSyxDQUFDLFFBQVEsQ0FBQyxHQUFXO1FBQ2pDLElBQUksZ0JBQWdCLENBQUMsSUFBSSxDQUFDLE1BQU0sRUFBRSxHQUFHLENBQUM7WUFBRSxPQUFPLElBQUksQ0FBQyxLQUFLLENBQUM7UUFDMUQsT0FBTyxXQUFXLENBQUMsSUFBSSxFQUFFLEdBQUcsQ0FBQyxDQUFDO0lBQ2hDLENBQUM7SUFFRCx3R0FBd0c7SUFDL0YsS0FBSyxDQUFDLGtCQUFrQjtRQUMvQixJQUFJLENBQUMsSUFBSSxDQUFDLEtBQUs7WUFBRSxNQUFNLElBQUksUUFBUSxDQUFDLGVBQWUsRUFBRSxFQUFFLEtBQUssRUFBRSxnQ0FBZ0MsRUFBRSxDQUFDLENBQUM7UUFDbEcsTUFBTSxFQUFFLEtBQUssRUFBRSxZQUFZLEVBQUUsR0FBRyxNQUFNLElBQUksQ0FBQyxLQUFLLEVBQUUsQ0FBQztRQUNuRCxJQUFJLENBQUMsbUJBQW1CLEVBQUUsQ0FBQztRQUMzQixPQUFPLElBQUksQ0FBQyxXQUFXLENBQUMsS0FBSyxFQUFFLFlBQVksQ0FBUyxDQUFDO0lBQ3ZELENBQUM7SUFFRDs7Ozs7O09BTUc7SUFDSCxLQUFLLENBQUMsT0FBTyxDQUFDLEVBQUUsWUFBWSxFQUFFLHNCQUFzQixFQUFVO1FBQzVELE1BQU0sRUFBRSxNQUFNLEVBQUUsUUFBUSxFQUFFLFdBQVcsRUFBRSxZQUFZLEVBQUUsbUJBQW1CLEVBQUUsR0FBRyxJQUFJLENBQUM7UUFDbEYsZ0ZBQWdGO1FBQ2hGLE1BQU0sTUFBTSxHQUFHLElBQUksQ0FBQyxHQUFHLENBQUMsU0FBUyxFQUFFLENBQUMsc0JBQXNCLEdBQUcsTUFBTSxDQUFDLEdBQUcsQ0FBQyxDQUFDLENBQUM7UUFDMUUsTUFBTSxPQUFPLEdBQUcsbUJBQW1CLEtBQUssU0FBUyxJQUFJLG1CQUFtQixDQUFDLE9BQU8sRUFBRSxHQUFHLE1BQU0sR0FBRyxJQUFJLENBQUMsR0FBRyxFQUFFLENBQUM7UUFDekcsTUFBTSxLQUFLLEdBQUcsTUFBTSxZQUFZLENBQzlCLEVBQUUsTUFBTSxFQUFFLFFBQVEsRUFBRSxZQUFZLEVBQUUsRUFDbEMsT0FBTztZQUNMLENBQUMsQ0FBQyxFQUFFLFVBQVUsRUFBRSx3QkFBd0IsRUFBRSxhQUFhLEVBQUUsWUFBWSxFQUFFLFlBQVksRUFBRSxXQUFXLEVBQUU7WUFDbEcsQ0FBQyxDQUFDLEVBQUUsVUFBVSxFQUFFLGVBQWUsRUFBRSxhQUFhLEVBQUUsWUFBWSxFQUFFLENBQ2pFLENBQUM7UUFDRixPQUFPLElBQUksZUFBZSxDQUFDO1lBQ3pCLE1BQU07WUFDTixRQUFRO1lBQ1IsV0FBVztZQUNYLFlBQVk7WUFDWixtQkFBbUI7WUFDbkIsR0FBRyxLQUFLO1NBQ1QsQ0FBQyxDQUFDO0lBQ0wsQ0FBQztDQUNGO0FBRUQsU0FBUyxNQUFNLENBQUMsSUFBd0I7SUFDdEMsT0FBTyxJQUFJLEtBQUssU0FBUyxDQUFDLENBQUMsQ0FBQyxTQUFTLENBQUMsQ0FBQyxDQUFDLElBQUksSUFBSSxDQUFDLElBQUksQ0FBQyxDQUFDO0FBQ3pELENBQUM7QUFFRCxLQUFLLFVBQVUsWUFBWSxDQUN6QixFQUFFLE1BQU0sRUFBRSxRQUFRLEVBQUUsWUFBWSxFQUE4RCxFQUM5RixNQUEwQztJQUUxQyxNQUFNLE1BQU0sR0FBRyxNQUFNLEdBQUcsQ0FBQyxHQUFHLE1BQU0sZUFBZSxFQUFFO1FBQ2pELE1BQU0sRUFBRSxFQUFFLFNBQVMsRUFBRSxRQUFRLEVBQUUsYUFBYSxFQUFFLFlBQVksRUFBRSxHQUFHLE1BQU0sRUFBRTtLQUN4RSxDQUFDLENBQUM7SUFDSCxPQUFPLGVBQWUsQ0FBQyxNQUFNLENBQUMsQ0FBQztBQUNqQyxDQUFDIn0=