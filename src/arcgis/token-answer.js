import { AppError } from "../errors.js";
/** No token of ArcGIS lives longer than 90 days; ten years are surely a mistake. */
const longestLifeSeconds = 10 * 365 * 24 * 60 * 60;
const earliestRenewalMs = 5 * 60_000;
/**
 * Reads the answer of the token endpoint. Nothing in it is believed unseen: what is stored here is sent as a
 * header and shown on pages later.
 *
 * https://developers.arcgis.com/rest/users-groups-and-items/token/
 *
 * @throws AppError portal_answer_invalid
 */
export function readTokenAnswer(answer) {
    const { access_token, expires_in, username, ssl, refresh_token, refresh_token_expires_in } = answer;
    const sound = isToken(access_token) &&
        isLife(expires_in) &&
        isUsername(username) &&
        (refresh_token === undefined || isToken(refresh_token)) &&
        (refresh_token_expires_in === undefined || isLife(refresh_token_expires_in));
    if (!sound)
        throw new AppError("portal_answer_invalid", { cause: "the token answer has a field of a wrong kind" });
    return {
        username,
        token: access_token,
        tokenExpires: renewal(expires_in),
        tokenEnds: new Date(Date.now() + expires_in * 1000),
        ssl: ssl === true,
        ...(refresh_token !== undefined && { refreshToken: refresh_token }),
        ...(refresh_token_expires_in !== undefined && { refreshTokenExpires: renewal(refresh_token_expires_in) }),
    };
}
/**
 * When to renew what lives so many seconds from now: five minutes before the end, as the ArcGIS library has
 * it, but never more than a fifth of the life, or a token of two minutes would be renewed at every request.
 */
function renewal(lifeSeconds) {
    const lifeMs = lifeSeconds * 1000;
    return new Date(Date.now() + lifeMs - Math.min(earliestRenewalMs, lifeMs / 5));
}
function isToken(value) {
    return typeof value === "string" && /^[\x21-\x7e]{1,8192}$/.test(value);
}
function isLife(value) {
    return typeof value === "number" && value > 0 && value <= longestLifeSeconds;
}
function isUsername(value) {
    return typeof value === "string" && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,128}$/u.test(value);
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoidG9rZW4tYW5zd2VyLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsidG9rZW4tYW5zd2VyLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUFBLE9BQU8sRUFBRSxRQUFRLEVBQUUsTUFBTSxjQUFjLENBQUM7QUFpQnhDLG9GQUFvRjtBQUNwRixNQUFNLGtCQUFrQixHQUFHLEVBQUUsR0FBRyxHQUFHLEdBQUcsRUFBRSxHQUFHLEVBQUUsR0FBRyxFQUFFLENBQUM7QUFDbkQsTUFBTSxpQkFBaUIsR0FBRyxDQUFDLEdBQUcsTUFBTSxDQUFDO0FBRXJDOzs7Ozs7O0dBT0c7QUFDSCxNQUFNLFVBQVUsZUFBZSxDQUFDLE1BQStCO0lBQzdELE1BQU0sRUFBRSxZQUFZLEVBQUUsVUFBVSxFQUFFLFFBQVEsRUFBRSxHQUFHLEVBQUUsYUFBYSxFQUFFLHdCQUF3QixFQUFFLEdBQUcsTUFBTSxDQUFDO0lBQ3BHLE1BQU0sS0FBSyxHQUNULE9BQU8sQ0FBQyxZQUFZLENBQUM7UUFDckIsTUFBTSxDQUFDLFVBQVUsQ0FBQztRQUNsQixVQUFVLENBQUMsUUFBUSxDQUFDO1FBQ3BCLENBQUMsYUFBYSxLQUFLLFNBQVMsSUFBSSxPQUFPLENBQUMsYUFBYSxDQUFDLENBQUM7UUFDdkQsQ0FBQyx3QkFBd0IsS0FBSyxTQUFTLElBQUksTUFBTSxDQUFDLHdCQUF3QixDQUFDLENBQUMsQ0FBQztJQUMvRSxJQUFJLENBQUMsS0FBSztRQUNSLE1BQU0sSUFBSSxRQUFRLENBQUMsdUJBQXVCLEVBQUUsRUFBRSxLQUFLLEVBQUUsOENBQThDLEVBQUUsQ0FBQyxDQUFDO0lBRXpHLE9BQU87UUFDTCxRQUFRO1FBQ1IsS0FBSyxFQUFFLFlBQVk7UUFDbkIsWUFBWSxFQUFFLE9BQU8sQ0FBQyxVQUFVLENBQUM7UUFDakMsU0FBUyxFQUFFLElBQUksSUFBSSxDQUFDLElBQUksQ0FBQyxHQUFHLEVBQUUsR0FBRyxVQUFVLEdBQUcsSUFBSSxDQUFDO1FBQ25ELEdBQUcsRUFBRSxHQUFHLEtBQUssSUFBSTtRQUNqQixHQUFHLENBQUMsYUFBYSxLQUFLLFNBQVMsSUFBSSxFQUFFLFlBQVksRUFBRSxhQUFhLEVBQUUsQ0FBQztRQUNuRSxHQUFHLENBQUMsd0JBQXdCLEtBQUssU0FBUyxJQUFJLEVBQUUsbUJBQW1CLEVBQUUsT0FBTyxDQUFDLHdCQUF3QixDQUFDLEVBQUUsQ0FBQztLQUMxRyxDQUFDO0FBQ0osQ0FBQztBQUVEOzs7R0FHRztBQUNILFNBQVMsT0FBTyxDQUFDLFdBQW1CO0lBQ2xDLE1BQU0sTUFBTSxHQUFHLFdBQVcsR0FBRyxJQUFJLENBQUM7SUFDbEMsT0FBTyxJQUFJLElBQUksQ0FBQyxJQUFJLENBQUMsR0FBRyxFQUFFLEdBQUcsTUFBTSxHQUFHLElBQUksQ0FBQyxHQUFHLENBQUMsaUJBQWlCLEVBQUUsTUFBTSxHQUFHLENBQUMsQ0FBQyxDQUFDLENBQUM7QUFDakYsQ0FBQztBQUVELFNBQVMsT0FBTyxDQUFDLEtBQWM7SUFDN0IsT0FBTyxPQUFPLEtBQUssS0FBSyxRQUFRLElBQUksdUJBQXVCLENBQUMsSUFBSSxDQUFDLEtBQUssQ0FBQyxDQUFDO0FBQzFFLENBQUM7QUFFRCxTQUFTLE1BQU0sQ0FBQyxLQUFjO0lBQzVCLE9BQU8sT0FBTyxLQUFLLEtBQUssUUFBUSxJQUFJLEtBQUssR0FBRyxDQUFDLElBQUksS0FBSyxJQUFJLGtCQUFrQixDQUFDO0FBQy9FLENBQUM7QUFFRCxTQUFTLFVBQVUsQ0FBQyxLQUFjO0lBQ2hDLE9BQU8sT0FBTyxLQUFLLEtBQUssUUFBUSxJQUFJLHVDQUF1QyxDQUFDLElBQUksQ0FBQyxLQUFLLENBQUMsQ0FBQztBQUMxRixDQUFDIn0=