import { Router } from "express";
import { answer, arcgisError, invalidClientId, notSpecified, oauthError, paramsOf, text, } from "./answers.js";
import { verifierFits } from "./grants.js";
/**
 * `oauth2/token` and `oauth2/revokeToken`: where an app comes with a code or a refresh token.
 *
 * "refresh_token expired", "Invalid client_id", "Invalid client_secret" and "redirect_uri not specified" are
 * ArcGIS's own words (Esri/arcgis-rest-js, tests of arcgis-rest-request and issue 1290), and so is "code
 * expired" (support.esri.com 000029271). For the other refusals no answer of ArcGIS was found; theirs
 * follow the same pattern.
 */
export function tokenRoutes(portal) {
    const { settings, grants } = portal;
    const router = Router();
    // These two answer JSON whatever `f` says.
    router.post("/oauth2/token", portal.at("token"), (req, res) => {
        res.json(tokenAnswer(paramsOf(req)));
    });
    router.post("/oauth2/revokeToken", portal.at("revokeToken"), (req, res) => {
        const params = paramsOf(req);
        const client = clientOf(portal, params);
        if (!client)
            return void res.json(arcgisError(400, "Invalid client_id"));
        // Also a token that is unknown, or of another app, is answered with success: it proves nothing.
        grants.revoke(text(params, "auth_token") ?? "", client.clientId);
        res.json({ success: true });
    });
    router.all(["/oauth2/token", "/oauth2/revokeToken"], (req, res) => {
        res.status(405).set("Allow", "POST");
        answer(req, res, arcgisError(405, "Only HTTP POST is supported."));
    });
    function tokenAnswer(params) {
        const client = clientOf(portal, params);
        if (!text(params, "client_id"))
            return notSpecified("client_id");
        if (!client)
            return invalidClientId;
        if (client.clientSecret && text(params, "client_secret") !== client.clientSecret) {
            return oauthError(400, "invalid_request", "Invalid client_secret");
        }
        switch (text(params, "grant_type")) {
            case undefined:
                return notSpecified("grant_type");
            case "authorization_code":
                return exchangeCode(client, params);
            case "refresh_token":
                return refresh(client, params);
            case "exchange_refresh_token":
                return exchangeRefreshToken(client, params);
            default:
                return oauthError(400, "unsupported_grant_type", "Invalid grant_type");
        }
    }
    function exchangeCode({ clientId }, params) {
        const token = text(params, "code");
        const redirectUri = text(params, "redirect_uri");
        const verifier = text(params, "code_verifier");
        if (!token)
            return notSpecified("code");
        if (!redirectUri)
            return notSpecified("redirect_uri");
        const code = grants.spendCode(token);
        if (code?.clientId !== clientId)
            return oauthError(498, "invalid_request", "code expired");
        if (code.redirectUri !== redirectUri)
            return oauthError(400, "invalid_request", "Invalid redirect_uri");
        if (code.challenge && !verifier)
            return notSpecified("code_verifier");
        if (code.challenge && !verifierFits(verifier ?? "", code.challenge)) {
            return oauthError(400, "invalid_request", "Invalid code_verifier");
        }
        code.gave = grants.issueRefreshToken(code);
        return pair(code.gave, code);
    }
    function refresh({ clientId }, params) {
        const token = text(params, "refresh_token");
        if (!token)
            return notSpecified("refresh_token");
        const grant = grants.findRefreshToken(token, clientId);
        if (!grant)
            return oauthError(498, "invalid_request", "Invalid refresh_token");
        if (grant.expired)
            return oauthError(498, "invalid_request", "refresh_token expired");
        return accessToken(token, grant);
    }
    function exchangeRefreshToken({ clientId }, params) {
        const token = text(params, "refresh_token");
        const redirectUri = text(params, "redirect_uri");
        if (!token)
            return notSpecified("refresh_token");
        if (!redirectUri)
            return notSpecified("redirect_uri");
        const grant = grants.findRefreshToken(token, clientId);
        if (!grant)
            return oauthError(498, "invalid_request", "Invalid refresh_token");
        if (grant.expired)
            return oauthError(498, "invalid_request", "refresh_token expired");
        if (grant.redirectUri !== redirectUri)
            return oauthError(400, "invalid_request", "Invalid redirect_uri");
        grants.endRefreshToken(token);
        return pair(grants.issueRefreshToken(grant), grant);
    }
    function pair(refreshToken, grant) {
        return {
            ...accessToken(refreshToken, grant),
            refresh_token: refreshToken,
            ...(!settings.omitRefreshTokenExpiry && { refresh_token_expires_in: grant.refreshTokenSeconds }),
        };
    }
    function accessToken(refreshToken, grant) {
        return {
            access_token: grants.issueAccessToken(refreshToken, grant),
            expires_in: settings.accessTokenSeconds,
            username: grant.username,
            ssl: false, // whether the token may travel by https only; this portal has http
        };
    }
    return router;
}
function clientOf(portal, params) {
    return portal.clients.find(({ clientId }) => clientId === text(params, "client_id"));
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoidG9rZW4uanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJ0b2tlbi50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFBQSxPQUFPLEVBQUUsTUFBTSxFQUFFLE1BQU0sU0FBUyxDQUFDO0FBQ2pDLE9BQU8sRUFDTCxNQUFNLEVBQ04sV0FBVyxFQUNYLGVBQWUsRUFDZixZQUFZLEVBQ1osVUFBVSxFQUVWLFFBQVEsRUFDUixJQUFJLEdBQ0wsTUFBTSxjQUFjLENBQUM7QUFFdEIsT0FBTyxFQUFjLFlBQVksRUFBRSxNQUFNLGFBQWEsQ0FBQztBQUV2RDs7Ozs7OztHQU9HO0FBQ0gsTUFBTSxVQUFVLFdBQVcsQ0FBQyxNQUFlO0lBQ3pDLE1BQU0sRUFBRSxRQUFRLEVBQUUsTUFBTSxFQUFFLEdBQUcsTUFBTSxDQUFDO0lBQ3BDLE1BQU0sTUFBTSxHQUFHLE1BQU0sRUFBRSxDQUFDO0lBRXhCLDJDQUEyQztJQUMzQyxNQUFNLENBQUMsSUFBSSxDQUFDLGVBQWUsRUFBRSxNQUFNLENBQUMsRUFBRSxDQUFDLE9BQU8sQ0FBQyxFQUFFLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxFQUFFO1FBQzVELEdBQUcsQ0FBQyxJQUFJLENBQUMsV0FBVyxDQUFDLFFBQVEsQ0FBQyxHQUFHLENBQUMsQ0FBQyxDQUFDLENBQUM7SUFDdkMsQ0FBQyxDQUFDLENBQUM7SUFFSCxNQUFNLENBQUMsSUFBSSxDQUFDLHFCQUFxQixFQUFFLE1BQU0sQ0FBQyxFQUFFLENBQUMsYUFBYSxDQUFDLEVBQUUsQ0FBQyxHQUFHLEVBQUUsR0FBRyxFQUFFLEVBQUU7UUFDeEUsTUFBTSxNQUFNLEdBQUcsUUFBUSxDQUFDLEdBQUcsQ0FBQyxDQUFDO1FBQzdCLE1BQU0sTUFBTSxHQUFHLFFBQVEsQ0FBQyxNQUFNLEVBQUUsTUFBTSxDQUFDLENBQUM7UUFDeEMsSUFBSSxDQUFDLE1BQU07WUFBRSxPQUFPLEtBQUssR0FBRyxDQUFDLElBQUksQ0FBQyxXQUFXLENBQUMsR0FBRyxFQUFFLG1CQUFtQixDQUFDLENBQUMsQ0FBQztRQUV6RSxnR0FBZ0c7UUFDaEcsTUFBTSxDQUFDLE1BQU0sQ0FBQyxJQUFJLENBQUMsTUFBTSxFQUFFLFlBQVksQ0FBQyxJQUFJLEVBQUUsRUFBRSxNQUFNLENBQUMsUUFBUSxDQUFDLENBQUM7UUFDakUsR0FBRyxDQUFDLElBQUksQ0FBQyxFQUFFLE9BQU8sRUFBRSxJQUFJLEVBQUUsQ0FBQyxDQUFDO0lBQzlCLENBQUMsQ0FBQyxDQUFDO0lBRUgsTUFBTSxDQUFDLEdBQUcsQ0FBQyxDQUFDLGVBQWUsRUFBRSxxQkFBcUIsQ0FBQyxFQUFFLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxFQUFFO1FBQ2hFLEdBQUcsQ0FBQyxNQUFNLENBQUMsR0FBRyxDQUFDLENBQUMsR0FBRyxDQUFDLE9BQU8sRUFBRSxNQUFNLENBQUMsQ0FBQztRQUNyQyxNQUFNLENBQUMsR0FBRyxFQUFFLEdBQUcsRUFBRSxXQUFXLENBQUMsR0FBRyxFQUFFLDhCQUE4QixDQUFDLENBQUMsQ0FBQztJQUNyRSxDQUFDLENBQUMsQ0FBQztJQUVILFNBQVMsV0FBVyxDQUFDLE1BQWM7UUFDakMsTUFBTSxNQUFNLEdBQUcsUUFBUSxDQUFDLE1BQU0sRUFBRSxNQUFNLENBQUMsQ0FBQztRQUN4QyxJQUFJLENBQUMsSUFBSSxDQUFDLE1BQU0sRUFBRSxXQUFXLENBQUM7WUFBRSxPQUFPLFlBQVksQ0FBQyxXQUFXLENBQUMsQ0FBQztRQUNqRSxJQUFJLENBQUMsTUFBTTtZQUFFLE9BQU8sZUFBZSxDQUFDO1FBQ3BDLElBQUksTUFBTSxDQUFDLFlBQVksSUFBSSxJQUFJLENBQUMsTUFBTSxFQUFFLGVBQWUsQ0FBQyxLQUFLLE1BQU0sQ0FBQyxZQUFZLEVBQUUsQ0FBQztZQUNqRixPQUFPLFVBQVUsQ0FBQyxHQUFHLEVBQUUsaUJBQWlCLEVBQUUsdUJBQXVCLENBQUMsQ0FBQztRQUNyRSxDQUFDO1FBRUQsUUFBUSxJQUFJLENBQUMsTUFBTSxFQUFFLFlBQVksQ0FBQyxFQUFFLENBQUM7WUFDbkMsS0FBSyxTQUFTO2dCQUNaLE9BQU8sWUFBWSxDQUFDLFlBQVksQ0FBQyxDQUFDO1lBQ3BDLEtBQUssb0JBQW9CO2dCQUN2QixPQUFPLFlBQVksQ0FBQyxNQUFNLEVBQUUsTUFBTSxDQUFDLENBQUM7WUFDdEMsS0FBSyxlQUFlO2dCQUNsQixPQUFPLE9BQU8sQ0FBQyxNQUFNLEVBQUUsTUFBTSxDQUFDLENBQUM7WUFDakMsS0FBSyx3QkFBd0I7Z0JBQzNCLE9BQU8sb0JBQW9CLENBQUMsTUFBTSxFQUFFLE1BQU0sQ0FBQyxDQUFDO1lBQzlDO2dCQUNFLE9BQU8sVUFBVSxDQUFDLEdBQUcsRUFBRSx3QkFBd0IsRUFBRSxvQkFBb0IsQ0FBQyxDQUFDO1FBQzNFLENBQUM7SUFDSCxDQUFDO0lBRUQsU0FBUyxZQUFZLENBQUMsRUFBRSxRQUFRLEVBQVUsRUFBRSxNQUFjO1FBQ3hELE1BQU0sS0FBSyxHQUFHLElBQUksQ0FBQyxNQUFNLEVBQUUsTUFBTSxDQUFDLENBQUM7UUFDbkMsTUFBTSxXQUFXLEdBQUcsSUFBSSxDQUFDLE1BQU0sRUFBRSxjQUFjLENBQUMsQ0FBQztRQUNqRCxNQUFNLFFBQVEsR0FBRyxJQUFJLENBQUMsTUFBTSxFQUFFLGVBQWUsQ0FBQyxDQUFDO1FBQy9DLElBQUksQ0FBQyxLQUFLO1lBQUUsT0FBTyxZQUFZLENBQUMsTUFBTSxDQUFDLENBQUM7UUFDeEMsSUFBSSxDQUFDLFdBQVc7WUFBRSxPQUFPLFlBQVksQ0FBQyxjQUFjLENBQUMsQ0FBQztRQUV0RCxNQUFNLElBQUksR0FBRyxNQUFNLENBQUMsU0FBUyxDQUFDLEtBQUssQ0FBQyxDQUFDO1FBQ3JDLElBQUksSUFBSSxFQUFFLFFBQVEsS0FBSyxRQUFRO1lBQUUsT0FBTyxVQUFVLENBQUMsR0FBRyxFQUFFLGlCQUFpQixFQUFFLGNBQWMsQ0FBQyxDQUFDO1FBQzNGLElBQUksSUFBSSxDQUFDLFdBQVcsS0FBSyxXQUFXO1lBQUUsT0FBTyxVQUFVLENBQUMsR0FBRyxFQUFFLGlCQUFpQixFQUFFLHNCQUFzQixDQUFDLENBQUM7UUFDeEcsSUFBSSxJQUFJLENBQUMsU0FBUyxJQUFJLENBQUMsUUFBUTtZQUFFLE9BQU8sWUFBWSxDQUFDLGVBQWUsQ0FBQyxDQUFDO1FBQ3RFLElBQUksSUFBSSxDQUFDLFNBQVMsSUFBSSxDQUFDLFlBQVksQ0FBQyxRQUFRLElBQUksRUFBRSxFQUFFLElBQUksQ0FBQyxTQUFTLENBQUMsRUFBRSxDQUFDO1lBQ3BFLE9BQU8sVUFBVSxDQUFDLEdBQUcsRUFBRSxpQkFBaUIsRUFBRSx1QkFBdUIsQ0FBQyxDQUFDO1FBQ3JFLENBQUM7UUFFRCxJQUFJLENBQUMsSUFBSSxHQUFHLE1BQU0sQ0FBQyxpQkFBaUIsQ0FBQyxJQUFJLENBQUMsQ0FBQztRQUMzQyxPQUFPLElBQUksQ0FBQyxJQUFJLENBQUMsSUFBSSxFQUFFLElBQUksQ0FBQyxDQUFDO0lBQy9CLENBQUM7SUFFRCxTQUFTLE9BQU8sQ0FBQyxFQUFFLFFBQVEsRUFBVSxFQUFFLE1BQWM7UUFDbkQsTUFBTSxLQUFLLEdBQUcsSUFBSSxDQUFDLE1BQU0sRUFBRSxlQUFlLENBQUMsQ0FBQztRQUM1QyxJQUFJLENBQUMsS0FBSztZQUFFLE9BQU8sWUFBWSxDQUFDLGVBQWUsQ0FBQyxDQUFDO1FBRWpELE1BQU0sS0FBSyxHQUFHLE1BQU0sQ0FBQyxnQkFBZ0IsQ0FBQyxLQUFLLEVBQUUsUUFBUSxDQUFDLENBQUM7UUFDdkQsSUFBSSxDQUFDLEtBQUs7WUFBRSxPQUFPLFVBQVUsQ0FBQyxHQUFHLEVBQUUsaUJBQWlCLEVBQUUsdUJBQXVCLENBQUMsQ0FBQztRQUMvRSxJQUFJLEtBQUssQ0FBQyxPQUFPO1lBQUUsT0FBTyxVQUFVLENBQUMsR0FBRyxFQUFFLGlCQUFpQixFQUFFLHVCQUF1QixDQUFDLENBQUM7UUFDdEYsT0FBTyxXQUFXLENBQUMsS0FBSyxFQUFFLEtBQUssQ0FBQyxDQUFDO0lBQ25DLENBQUM7SUFFRCxTQUFTLG9CQUFvQixDQUFDLEVBQUUsUUFBUSxFQUFVLEVBQUUsTUFBYztRQUNoRSxNQUFNLEtBQUssR0FBRyxJQUFJLENBQUMsTUFBTSxFQUFFLGVBQWUsQ0FBQyxDQUFDO1FBQzVDLE1BQU0sV0FBVyxHQUFHLElBQUksQ0FBQyxNQUFNLEVBQUUsY0FBYyxDQUFDLENBQUM7UUFDakQsSUFBSSxDQUFDLEtBQUs7WUFBRSxPQUFPLFlBQVksQ0FBQyxlQUFlLENBQUMsQ0FBQztRQUNqRCxJQUFJLENBQUMsV0FBVztZQUFFLE9BQU8sWUFBWSxDQUFDLGNBQWMsQ0FBQyxDQUFDO1FBRXRELE1BQU0sS0FBSyxHQUFHLE1BQU0sQ0FBQyxnQkFBZ0IsQ0FBQyxLQUFLLEVBQUUsUUFBUSxDQUFDLENBQUM7UUFDdkQsSUFBSSxDQUFDLEtBQUs7WUFBRSxPQUFPLFVBQVUsQ0FBQyxHQUFHLEVBQUUsaUJBQWlCLEVBQUUsdUJBQXVCLENBQUMsQ0FBQztRQUMvRSxJQUFJLEtBQUssQ0FBQyxPQUFPO1lBQUUsT0FBTyxVQUFVLENBQUMsR0FBRyxFQUFFLGlCQUFpQixFQUFFLHVCQUF1QixDQUFDLENBQUM7UUFDdEYsSUFBSSxLQUFLLENBQUMsV0FBVyxLQUFLLFdBQVc7WUFBRSxPQUFPLFVBQVUsQ0FBQyxHQUFHLEVBQUUsaUJBQWlCLEVBQUUsc0JBQXNCLENBQUMsQ0FBQztRQUV6RyxNQUFNLENBQUMsZUFBZSxDQUFDLEtBQUssQ0FBQyxDQUFDO1FBQzlCLE9BQU8sSUFBSSxDQUFDLE1BQU0sQ0FBQyxpQkFBaUIsQ0FBQyxLQUFLLENBQUMsRUFBRSxLQUFLLENBQUMsQ0FBQztJQUN0RCxDQUFDO0lBRUQsU0FBUyxJQUFJLENBQUMsWUFBb0IsRUFBRSxLQUFZO1FBQzlDLE9BQU87WUFDTCxHQUFHLFdBQVcsQ0FBQyxZQUFZLEVBQUUsS0FBSyxDQUFDO1lBQ25DLGFBQWEsRUFBRSxZQUFZO1lBQzNCLEdBQUcsQ0FBQyxDQUFDLFFBQVEsQ0FBQyxzQkFBc0IsSUFBSSxFQUFFLHdCQUF3QixFQUFFLEtBQUssQ0FBQyxtQkFBbUIsRUFBRSxDQUFDO1NBQ2pHLENBQUM7SUFDSixDQUFDO0lBRUQsU0FBUyxXQUFXLENBQUMsWUFBb0IsRUFBRSxLQUFZO1FBQ3JELE9BQU87WUFDTCxZQUFZLEVBQUUsTUFBTSxDQUFDLGdCQUFnQixDQUFDLFlBQVksRUFBRSxLQUFLLENBQUM7WUFDMUQsVUFBVSxFQUFFLFFBQVEsQ0FBQyxrQkFBa0I7WUFDdkMsUUFBUSxFQUFFLEtBQUssQ0FBQyxRQUFRO1lBQ3hCLEdBQUcsRUFBRSxLQUFLLEVBQUUsbUVBQW1FO1NBQ2hGLENBQUM7SUFDSixDQUFDO0lBRUQsT0FBTyxNQUFNLENBQUM7QUFDaEIsQ0FBQztBQUVELFNBQVMsUUFBUSxDQUFDLE1BQWUsRUFBRSxNQUFjO0lBQy9DLE9BQU8sTUFBTSxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsQ0FBQyxFQUFFLFFBQVEsRUFBRSxFQUFFLEVBQUUsQ0FBQyxRQUFRLEtBQUssSUFBSSxDQUFDLE1BQU0sRUFBRSxXQUFXLENBQUMsQ0FBQyxDQUFDO0FBQ3ZGLENBQUMifQ==