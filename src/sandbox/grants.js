import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
/** What a person allowed an app to do, and for how long: everything a refresh token stands for. */
const Grant = z.object({
    clientId: z.string(),
    redirectUri: z.string(),
    username: z.string(),
    /** The life of the refresh token and of each that replaces it. */
    refreshTokenSeconds: z.number(),
});
const RefreshToken = Grant.extend({ expires: z.number() });
const AccessToken = z.object({
    clientId: z.string(),
    username: z.string(),
    /** The refresh token it came with; it dies with it. */
    refreshToken: z.string(),
    expires: z.number(),
});
const State = z.object({
    refreshTokens: z.record(z.string(), RefreshToken),
    accessTokens: z.record(z.string(), AccessToken),
});
/**
 * The portal's memory of codes and tokens. With a `stateFile` the tokens survive a restart; a file that
 * cannot be read counts as empty. Expiry is judged by `now`, the clock in milliseconds.
 */
export function openGrants(lifetimes, now, stateFile) {
    const codes = new Map();
    const { refreshTokens, accessTokens } = stateFile ? load(stateFile, now()) : noTokens();
    const revoked = [];
    const after = (seconds) => now() + seconds * 1000;
    const save = () => stateFile && write(stateFile, { refreshTokens, accessTokens });
    function forgetExpired(tokens) {
        for (const [token, { expires }] of tokens)
            if (expires <= now())
                tokens.delete(token);
    }
    function expireAll(tokens) {
        for (const token of tokens.values())
            token.expires = now();
        save();
    }
    function endRefreshToken(token) {
        refreshTokens.delete(token);
        for (const [accessToken, { refreshToken }] of accessTokens) {
            if (refreshToken === token)
                accessTokens.delete(accessToken);
        }
        save();
    }
    function revokeRefreshToken(token) {
        if (refreshTokens.has(token))
            revoked.push(token);
        endRefreshToken(token);
    }
    return {
        /** The refresh tokens that were revoked, in order. */
        revoked,
        issueCode(grant, challenge) {
            forgetExpired(codes);
            const code = randomToken(32);
            codes.set(code, { ...grant, challenge, expires: after(lifetimes.codeSeconds), spent: false });
            return code;
        },
        /**
         * Gives what a code stands for, once. Sent again it gives nothing, and takes back what it gave the first
         * time (RFC 6749, 4.1.2): two who know the same code cannot both be right.
         */
        spendCode(token) {
            const code = codes.get(token);
            if (!code || code.expires <= now())
                return undefined;
            if (code.spent) {
                if (code.gave)
                    revokeRefreshToken(code.gave);
                return undefined;
            }
            code.spent = true;
            return code;
        },
        issueRefreshToken({ clientId, redirectUri, username, refreshTokenSeconds }) {
            const token = randomToken(288);
            const expires = after(refreshTokenSeconds);
            refreshTokens.set(token, { clientId, redirectUri, username, refreshTokenSeconds, expires });
            save();
            return token;
        },
        /** Gives the grant behind a refresh token that was issued to this app; `expired` when it is too late. */
        findRefreshToken(token, clientId) {
            const found = refreshTokens.get(token);
            if (found?.clientId !== clientId)
                return undefined;
            return { ...found, expired: found.expires <= now() };
        },
        /** Ends a refresh token, and all access tokens that came with it. */
        endRefreshToken,
        issueAccessToken(refreshToken, { clientId, username }) {
            forgetExpired(accessTokens);
            const token = randomToken(168);
            const expires = after(lifetimes.accessTokenSeconds);
            accessTokens.set(token, { clientId, username, refreshToken, expires });
            save();
            return token;
        },
        /** Gives what an access token stands for, or `undefined` when it is unknown, revoked or expired. */
        findAccessToken(token) {
            const found = accessTokens.get(token);
            return found && found.expires > now() ? found : undefined;
        },
        /** Revokes a token of this app, whichever of the two kinds it is; anything else is left alone. */
        revoke(token, clientId) {
            if (refreshTokens.get(token)?.clientId === clientId)
                revokeRefreshToken(token);
            if (accessTokens.get(token)?.clientId === clientId) {
                accessTokens.delete(token);
                save();
            }
        },
        expireAccessTokens: () => expireAll(accessTokens),
        expireRefreshTokens: () => expireAll(refreshTokens),
    };
}
/** Whether the verifier is the one that the challenge was made from (RFC 7636, 4.6). */
export function verifierFits(verifier, { value, method }) {
    const made = method === "plain" ? verifier : createHash("sha256").update(verifier).digest("base64url");
    return made === value;
}
/** ArcGIS's tokens are base64 with `-`, `_` and, for the padding, dots. */
export function randomToken(bytes) {
    return randomBytes(bytes).toString("base64").replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ".");
}
function noTokens() {
    return { refreshTokens: new Map(), accessTokens: new Map() };
}
function load(file, now) {
    let content;
    try {
        content = State.parse(JSON.parse(readFileSync(file, "utf8")));
    }
    catch {
        return noTokens();
    }
    const alive = ([, { expires }]) => expires > now;
    return {
        refreshTokens: new Map(Object.entries(content.refreshTokens).filter(alive)),
        accessTokens: new Map(Object.entries(content.accessTokens).filter(alive)),
    };
}
function write(file, { refreshTokens, accessTokens }) {
    const content = {
        refreshTokens: Object.fromEntries(refreshTokens),
        accessTokens: Object.fromEntries(accessTokens),
    };
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
    renameSync(`${file}.new`, file);
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoiZ3JhbnRzLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsiZ3JhbnRzLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxVQUFVLEVBQUUsV0FBVyxFQUFFLE1BQU0sYUFBYSxDQUFDO0FBQ3RELE9BQU8sRUFBRSxTQUFTLEVBQUUsWUFBWSxFQUFFLFVBQVUsRUFBRSxhQUFhLEVBQUUsTUFBTSxTQUFTLENBQUM7QUFDN0UsT0FBTyxFQUFFLE9BQU8sRUFBRSxNQUFNLFdBQVcsQ0FBQztBQUNwQyxPQUFPLEVBQUUsQ0FBQyxFQUFFLE1BQU0sS0FBSyxDQUFDO0FBRXhCLG1HQUFtRztBQUNuRyxNQUFNLEtBQUssR0FBRyxDQUFDLENBQUMsTUFBTSxDQUFDO0lBQ3JCLFFBQVEsRUFBRSxDQUFDLENBQUMsTUFBTSxFQUFFO0lBQ3BCLFdBQVcsRUFBRSxDQUFDLENBQUMsTUFBTSxFQUFFO0lBQ3ZCLFFBQVEsRUFBRSxDQUFDLENBQUMsTUFBTSxFQUFFO0lBQ3BCLGtFQUFrRTtJQUNsRSxtQkFBbUIsRUFBRSxDQUFDLENBQUMsTUFBTSxFQUFFO0NBQ2hDLENBQUMsQ0FBQztBQUdILE1BQU0sWUFBWSxHQUFHLEtBQUssQ0FBQyxNQUFNLENBQUMsRUFBRSxPQUFPLEVBQUUsQ0FBQyxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsQ0FBQztBQUczRCxNQUFNLFdBQVcsR0FBRyxDQUFDLENBQUMsTUFBTSxDQUFDO0lBQzNCLFFBQVEsRUFBRSxDQUFDLENBQUMsTUFBTSxFQUFFO0lBQ3BCLFFBQVEsRUFBRSxDQUFDLENBQUMsTUFBTSxFQUFFO0lBQ3BCLHVEQUF1RDtJQUN2RCxZQUFZLEVBQUUsQ0FBQyxDQUFDLE1BQU0sRUFBRTtJQUN4QixPQUFPLEVBQUUsQ0FBQyxDQUFDLE1BQU0sRUFBRTtDQUNwQixDQUFDLENBQUM7QUFHSCxNQUFNLEtBQUssR0FBRyxDQUFDLENBQUMsTUFBTSxDQUFDO0lBQ3JCLGFBQWEsRUFBRSxDQUFDLENBQUMsTUFBTSxDQUFDLENBQUMsQ0FBQyxNQUFNLEVBQUUsRUFBRSxZQUFZLENBQUM7SUFDakQsWUFBWSxFQUFFLENBQUMsQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDLE1BQU0sRUFBRSxFQUFFLFdBQVcsQ0FBQztDQUNoRCxDQUFDLENBQUM7QUF1Qkg7OztHQUdHO0FBQ0gsTUFBTSxVQUFVLFVBQVUsQ0FBQyxTQUFvQixFQUFFLEdBQWlCLEVBQUUsU0FBa0I7SUFDcEYsTUFBTSxLQUFLLEdBQUcsSUFBSSxHQUFHLEVBQWdCLENBQUM7SUFDdEMsTUFBTSxFQUFFLGFBQWEsRUFBRSxZQUFZLEVBQUUsR0FBRyxTQUFTLENBQUMsQ0FBQyxDQUFDLElBQUksQ0FBQyxTQUFTLEVBQUUsR0FBRyxFQUFFLENBQUMsQ0FBQyxDQUFDLENBQUMsUUFBUSxFQUFFLENBQUM7SUFDeEYsTUFBTSxPQUFPLEdBQWEsRUFBRSxDQUFDO0lBRTdCLE1BQU0sS0FBSyxHQUFHLENBQUMsT0FBZSxFQUFFLEVBQUUsQ0FBQyxHQUFHLEVBQUUsR0FBRyxPQUFPLEdBQUcsSUFBSSxDQUFDO0lBQzFELE1BQU0sSUFBSSxHQUFHLEdBQUcsRUFBRSxDQUFDLFNBQVMsSUFBSSxLQUFLLENBQUMsU0FBUyxFQUFFLEVBQUUsYUFBYSxFQUFFLFlBQVksRUFBRSxDQUFDLENBQUM7SUFFbEYsU0FBUyxhQUFhLENBQUMsTUFBd0M7UUFDN0QsS0FBSyxNQUFNLENBQUMsS0FBSyxFQUFFLEVBQUUsT0FBTyxFQUFFLENBQUMsSUFBSSxNQUFNO1lBQUUsSUFBSSxPQUFPLElBQUksR0FBRyxFQUFFO2dCQUFFLE1BQU0sQ0FBQyxNQUFNLENBQUMsS0FBSyxDQUFDLENBQUM7SUFDeEYsQ0FBQztJQUVELFNBQVMsU0FBUyxDQUFDLE1BQXdDO1FBQ3pELEtBQUssTUFBTSxLQUFLLElBQUksTUFBTSxDQUFDLE1BQU0sRUFBRTtZQUFFLEtBQUssQ0FBQyxPQUFPLEdBQUcsR0FBRyxFQUFFLENBQUM7UUFDM0QsSUFBSSxFQUFFLENBQUM7SUFDVCxDQUFDO0lBRUQsU0FBUyxlQUFlLENBQUMsS0FBYTtRQUNwQyxhQUFhLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQyxDQUFDO1FBQzVCLEtBQUssTUFBTSxDQUFDLFdBQVcsRUFBRSxFQUFFLFlBQVksRUFBRSxDQUFDLElBQUksWUFBWSxFQUFFLENBQUM7WUFDM0QsSUFBSSxZQUFZLEtBQUssS0FBSztnQkFBRSxZQUFZLENBQUMsTUFBTSxDQUFDLFdBQVcsQ0FBQyxDQUFDO1FBQy9ELENBQUM7UUFDRCxJQUFJLEVBQUUsQ0FBQztJQUNULENBQUM7SUFFRCxTQUFTLGtCQUFrQixDQUFDLEtBQWE7UUFDdkMsSUFBSSxhQUFhLENBQUMsR0FBRyxDQUFDLEtBQUssQ0FBQztZQUFFLE9BQU8sQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUM7UUFDbEQsZUFBZSxDQUFDLEtBQUssQ0FBQyxDQUFDO0lBQ3pCLENBQUM7SUFFRCxPQUFPO1FBQ0wsc0RBQXNEO1FBQ3RELE9BQU87UUFFUCxTQUFTLENBQUMsS0FBWSxFQUFFLFNBQWdDO1lBQ3RELGFBQWEsQ0FBQyxLQUFLLENBQUMsQ0FBQztZQUNyQixNQUFNLElBQUksR0FBRyxXQUFXLENBQUMsRUFBRSxDQUFDLENBQUM7WUFDN0IsS0FBSyxDQUFDLEdBQUcsQ0FBQyxJQUFJLEVBQUUsRUFBRSxHQUFHLEtBQUssRUFBRSxTQUFTLEVBQUUsT0FBTyxFQUFFLEtBQUssQ0FBQyxTQUFTLENBQUMsV0FBVyxDQUFDLEVBQUUsS0FBSyxFQUFFLEtBQUssRUFBRSxDQUFDLENBQUM7WUFDOUYsT0FBTyxJQUFJLENBQUM7UUFDZCxDQUFDO1FBRUQ7OztXQUdHO1FBQ0gsU0FBUyxDQUFDLEtBQWE7WUFDckIsTUFBTSxJQUFJLEdBQUcsS0FBSyxDQUFDLEdBQUcsQ0FBQyxLQUFLLENBQUMsQ0FBQztZQUM5QixJQUFJLENBQUMsSUFBSSxJQUFJLElBQUksQ0FBQyxPQUFPLElBQUksR0FBRyxFQUFFO2dCQUFFLE9BQU8sU0FBUyxDQUFDO1lBQ3JELElBQUksSUFBSSxDQUFDLEtBQUssRUFBRSxDQUFDO2dCQUNmLElBQUksSUFBSSxDQUFDLElBQUk7b0JBQUUsa0JBQWtCLENBQUMsSUFBSSxDQUFDLElBQUksQ0FBQyxDQUFDO2dCQUM3QyxPQUFPLFNBQVMsQ0FBQztZQUNuQixDQUFDO1lBQ0QsSUFBSSxDQUFDLEtBQUssR0FBRyxJQUFJLENBQUM7WUFDbEIsT0FBTyxJQUFJLENBQUM7UUFDZCxDQUFDO1FBRUQsaUJBQWlCLENBQUMsRUFBRSxRQUFRLEVBQUUsV0FBVyxFQUFFLFFBQVEsRUFBRSxtQkFBbUIsRUFBUztZQUMvRSxNQUFNLEtBQUssR0FBRyxXQUFXLENBQUMsR0FBRyxDQUFDLENBQUM7WUFDL0IsTUFBTSxPQUFPLEdBQUcsS0FBSyxDQUFDLG1CQUFtQixDQUFDLENBQUM7WUFDM0MsYUFBYSxDQUFDLEdBQUcsQ0FBQyxLQUFLLEVBQUUsRUFBRSxRQUFRLEVBQUUsV0FBVyxFQUFFLFFBQVEsRUFBRSxtQkFBbUIsRUFBRSxPQUFPLEVBQUUsQ0FBQyxDQUFDO1lBQzVGLElBQUksRUFBRSxDQUFDO1lBQ1AsT0FBTyxLQUFLLENBQUM7UUFDZixDQUFDO1FBRUQseUdBQXlHO1FBQ3pHLGdCQUFnQixDQUFDLEtBQWEsRUFBRSxRQUFnQjtZQUM5QyxNQUFNLEtBQUssR0FBRyxhQUFhLENBQUMsR0FBRyxDQUFDLEtBQUssQ0FBQyxDQUFDO1lBQ3ZDLElBQUksS0FBSyxFQUFFLFFBQVEsS0FBSyxRQUFRO2dCQUFFLE9BQU8sU0FBUyxDQUFDO1lBQ25ELE9BQU8sRUFBRSxHQUFHLEtBQUssRUFBRSxPQUFPLEVBQUUsS0FBSyxDQUFDLE9BQU8sSUFBSSxHQUFHLEVBQUUsRUFBRSxDQUFDO1FBQ3ZELENBQUM7UUFFRCxxRUFBcUU7UUFDckUsZUFBZTtRQUVmLGdCQUFnQixDQUFDLFlBQW9CLEVBQUUsRUFBRSxRQUFRLEVBQUUsUUFBUSxFQUFTO1lBQ2xFLGFBQWEsQ0FBQyxZQUFZLENBQUMsQ0FBQztZQUM1QixNQUFNLEtBQUssR0FBRyxXQUFXLENBQUMsR0FBRyxDQUFDLENBQUM7WUFDL0IsTUFBTSxPQUFPLEdBQUcsS0FBSyxDQUFDLFNBQVMsQ0FBQyxrQkFBa0IsQ0FBQyxDQUFDO1lBQ3BELFlBQVksQ0FBQyxHQUFHLENBQUMsS0FBSyxFQUFFLEVBQUUsUUFBUSxFQUFFLFFBQVEsRUFBRSxZQUFZLEVBQUUsT0FBTyxFQUFFLENBQUMsQ0FBQztZQUN2RSxJQUFJLEVBQUUsQ0FBQztZQUNQLE9BQU8sS0FBSyxDQUFDO1FBQ2YsQ0FBQztRQUVELG9HQUFvRztRQUNwRyxlQUFlLENBQUMsS0FBYTtZQUMzQixNQUFNLEtBQUssR0FBRyxZQUFZLENBQUMsR0FBRyxDQUFDLEtBQUssQ0FBQyxDQUFDO1lBQ3RDLE9BQU8sS0FBSyxJQUFJLEtBQUssQ0FBQyxPQUFPLEdBQUcsR0FBRyxFQUFFLENBQUMsQ0FBQyxDQUFDLEtBQUssQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO1FBQzVELENBQUM7UUFFRCxrR0FBa0c7UUFDbEcsTUFBTSxDQUFDLEtBQWEsRUFBRSxRQUFnQjtZQUNwQyxJQUFJLGFBQWEsQ0FBQyxHQUFHLENBQUMsS0FBSyxDQUFDLEVBQUUsUUFBUSxLQUFLLFFBQVE7Z0JBQUUsa0JBQWtCLENBQUMsS0FBSyxDQUFDLENBQUM7WUFDL0UsSUFBSSxZQUFZLENBQUMsR0FBRyxDQUFDLEtBQUssQ0FBQyxFQUFFLFFBQVEsS0FBSyxRQUFRLEVBQUUsQ0FBQztnQkFDbkQsWUFBWSxDQUFDLE1BQU0sQ0FBQyxLQUFLLENBQUMsQ0FBQztnQkFDM0IsSUFBSSxFQUFFLENBQUM7WUFDVCxDQUFDO1FBQ0gsQ0FBQztRQUVELGtCQUFrQixFQUFFLEdBQUcsRUFBRSxDQUFDLFNBQVMsQ0FBQyxZQUFZLENBQUM7UUFDakQsbUJBQW1CLEVBQUUsR0FBRyxFQUFFLENBQUMsU0FBUyxDQUFDLGFBQWEsQ0FBQztLQUNwRCxDQUFDO0FBQ0osQ0FBQztBQUlELHdGQUF3RjtBQUN4RixNQUFNLFVBQVUsWUFBWSxDQUFDLFFBQWdCLEVBQUUsRUFBRSxLQUFLLEVBQUUsTUFBTSxFQUFhO0lBQ3pFLE1BQU0sSUFBSSxHQUFHLE1BQU0sS0FBSyxPQUFPLENBQUMsQ0FBQyxDQUFDLFFBQVEsQ0FBQyxDQUFDLENBQUMsVUFBVSxDQUFDLFFBQVEsQ0FBQyxDQUFDLE1BQU0sQ0FBQyxRQUFRLENBQUMsQ0FBQyxNQUFNLENBQUMsV0FBVyxDQUFDLENBQUM7SUFDdkcsT0FBTyxJQUFJLEtBQUssS0FBSyxDQUFDO0FBQ3hCLENBQUM7QUFFRCwyRUFBMkU7QUFDM0UsTUFBTSxVQUFVLFdBQVcsQ0FBQyxLQUFhO0lBQ3ZDLE9BQU8sV0FBVyxDQUFDLEtBQUssQ0FBQyxDQUFDLFFBQVEsQ0FBQyxRQUFRLENBQUMsQ0FBQyxVQUFVLENBQUMsR0FBRyxFQUFFLEdBQUcsQ0FBQyxDQUFDLFVBQVUsQ0FBQyxHQUFHLEVBQUUsR0FBRyxDQUFDLENBQUMsVUFBVSxDQUFDLEdBQUcsRUFBRSxHQUFHLENBQUMsQ0FBQztBQUM5RyxDQUFDO0FBT0QsU0FBUyxRQUFRO0lBQ2YsT0FBTyxFQUFFLGFBQWEsRUFBRSxJQUFJLEdBQUcsRUFBRSxFQUFFLFlBQVksRUFBRSxJQUFJLEdBQUcsRUFBRSxFQUFFLENBQUM7QUFDL0QsQ0FBQztBQUVELFNBQVMsSUFBSSxDQUFDLElBQVksRUFBRSxHQUFXO0lBQ3JDLElBQUksT0FBOEIsQ0FBQztJQUNuQyxJQUFJLENBQUM7UUFDSCxPQUFPLEdBQUcsS0FBSyxDQUFDLEtBQUssQ0FBQyxJQUFJLENBQUMsS0FBSyxDQUFDLFlBQVksQ0FBQyxJQUFJLEVBQUUsTUFBTSxDQUFDLENBQUMsQ0FBQyxDQUFDO0lBQ2hFLENBQUM7SUFBQyxNQUFNLENBQUM7UUFDUCxPQUFPLFFBQVEsRUFBRSxDQUFDO0lBQ3BCLENBQUM7SUFDRCxNQUFNLEtBQUssR0FBRyxDQUFDLENBQUMsRUFBRSxFQUFFLE9BQU8sRUFBRSxDQUFnQyxFQUFFLEVBQUUsQ0FBQyxPQUFPLEdBQUcsR0FBRyxDQUFDO0lBQ2hGLE9BQU87UUFDTCxhQUFhLEVBQUUsSUFBSSxHQUFHLENBQUMsTUFBTSxDQUFDLE9BQU8sQ0FBQyxPQUFPLENBQUMsYUFBYSxDQUFDLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQyxDQUFDO1FBQzNFLFlBQVksRUFBRSxJQUFJLEdBQUcsQ0FBQyxNQUFNLENBQUMsT0FBTyxDQUFDLE9BQU8sQ0FBQyxZQUFZLENBQUMsQ0FBQyxNQUFNLENBQUMsS0FBSyxDQUFDLENBQUM7S0FDMUUsQ0FBQztBQUNKLENBQUM7QUFFRCxTQUFTLEtBQUssQ0FBQyxJQUFZLEVBQUUsRUFBRSxhQUFhLEVBQUUsWUFBWSxFQUFVO0lBQ2xFLE1BQU0sT0FBTyxHQUFHO1FBQ2QsYUFBYSxFQUFFLE1BQU0sQ0FBQyxXQUFXLENBQUMsYUFBYSxDQUFDO1FBQ2hELFlBQVksRUFBRSxNQUFNLENBQUMsV0FBVyxDQUFDLFlBQVksQ0FBQztLQUMvQyxDQUFDO0lBQ0YsU0FBUyxDQUFDLE9BQU8sQ0FBQyxJQUFJLENBQUMsRUFBRSxFQUFFLFNBQVMsRUFBRSxJQUFJLEVBQUUsSUFBSSxFQUFFLEtBQUssRUFBRSxDQUFDLENBQUM7SUFDM0QsYUFBYSxDQUFDLEdBQUcsSUFBSSxNQUFNLEVBQUUsSUFBSSxDQUFDLFNBQVMsQ0FBQyxPQUFPLENBQUMsRUFBRSxFQUFFLElBQUksRUFBRSxLQUFLLEVBQUUsQ0FBQyxDQUFDO0lBQ3ZFLFVBQVUsQ0FBQyxHQUFHLElBQUksTUFBTSxFQUFFLElBQUksQ0FBQyxDQUFDO0FBQ2xDLENBQUMifQ==