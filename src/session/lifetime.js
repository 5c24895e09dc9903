/** By so much the clocks of two servers may differ. */
const toleranceMs = 5 * 60_000;
/** How exactly the last use is known: noting every single request would be a disk write each. */
const notedEveryMs = 60_000;
/** How long sessions live. All times are in ms since 1970, and come from what is sealed. */
export function lifetime({ idleSeconds, maxSeconds }) {
    return {
        /** When a session ends, however often it is used: no later than its tokens can be renewed. */
        endOf: ({ createdAt, identities }) => Math.min(createdAt + maxSeconds * 1000, renewableUntil(identities)),
        isOver: ({ seenAt, end }, now) => !(now < end && now < seenAt + idleSeconds * 1000),
        /**
         * Whether a session is not to be believed, as it was made in the future: or setting the clock back would make
         * it immortal. It is not over, for the clock may be put right again.
         */
        isFromTheFuture: ({ createdAt }, now) => createdAt >= now + toleranceMs,
        /** Whether the use of a session is worth a note; one from the future, when the clock was wrong, is put right. */
        isWorthANote: (notedAt, now) => now >= notedAt + notedEveryMs || now < notedAt - toleranceMs,
    };
}
/**
 * When the first of the identities can no longer be renewed. `Infinity` when the portal does not say (ArcGIS
 * Enterprise before 10.9.1).
 */
export function renewableUntil(identities) {
    const ends = Object.values(identities).map((text) => {
        const { refreshToken, refreshTokenExpires, tokenExpires } = JSON.parse(text);
        const end = Date.parse(refreshToken ? refreshTokenExpires : tokenExpires);
        return Number.isNaN(end) ? Infinity : end;
    });
    return Math.min(Infinity, ...ends);
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoibGlmZXRpbWUuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJsaWZldGltZS50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFFQSx1REFBdUQ7QUFDdkQsTUFBTSxXQUFXLEdBQUcsQ0FBQyxHQUFHLE1BQU0sQ0FBQztBQUMvQixpR0FBaUc7QUFDakcsTUFBTSxZQUFZLEdBQUcsTUFBTSxDQUFDO0FBUzVCLDRGQUE0RjtBQUM1RixNQUFNLFVBQVUsUUFBUSxDQUFDLEVBQUUsV0FBVyxFQUFFLFVBQVUsRUFBbUI7SUFDbkUsT0FBTztRQUNMLDhGQUE4RjtRQUM5RixLQUFLLEVBQUUsQ0FBQyxFQUFFLFNBQVMsRUFBRSxVQUFVLEVBQTZDLEVBQVUsRUFBRSxDQUN0RixJQUFJLENBQUMsR0FBRyxDQUFDLFNBQVMsR0FBRyxVQUFVLEdBQUcsSUFBSSxFQUFFLGNBQWMsQ0FBQyxVQUFVLENBQUMsQ0FBQztRQUVyRSxNQUFNLEVBQUUsQ0FBQyxFQUFFLE1BQU0sRUFBRSxHQUFHLEVBQW1DLEVBQUUsR0FBVyxFQUFXLEVBQUUsQ0FDakYsQ0FBQyxDQUFDLEdBQUcsR0FBRyxHQUFHLElBQUksR0FBRyxHQUFHLE1BQU0sR0FBRyxXQUFXLEdBQUcsSUFBSSxDQUFDO1FBRW5EOzs7V0FHRztRQUNILGVBQWUsRUFBRSxDQUFDLEVBQUUsU0FBUyxFQUF5QixFQUFFLEdBQVcsRUFBVyxFQUFFLENBQzlFLFNBQVMsSUFBSSxHQUFHLEdBQUcsV0FBVztRQUVoQyxpSEFBaUg7UUFDakgsWUFBWSxFQUFFLENBQUMsT0FBZSxFQUFFLEdBQVcsRUFBVyxFQUFFLENBQ3RELEdBQUcsSUFBSSxPQUFPLEdBQUcsWUFBWSxJQUFJLEdBQUcsR0FBRyxPQUFPLEdBQUcsV0FBVztLQUMvRCxDQUFDO0FBQ0osQ0FBQztBQUlEOzs7R0FHRztBQUNILE1BQU0sVUFBVSxjQUFjLENBQUMsVUFBaUM7SUFDOUQsTUFBTSxJQUFJLEdBQUcsTUFBTSxDQUFDLE1BQU0sQ0FBQyxVQUFVLENBQUMsQ0FBQyxHQUFHLENBQUMsQ0FBQyxJQUFJLEVBQUUsRUFBRTtRQUNsRCxNQUFNLEVBQUUsWUFBWSxFQUFFLG1CQUFtQixFQUFFLFlBQVksRUFBRSxHQUFHLElBQUksQ0FBQyxLQUFLLENBQUMsSUFBSSxDQUFDLENBQUM7UUFDN0UsTUFBTSxHQUFHLEdBQUcsSUFBSSxDQUFDLEtBQUssQ0FBQyxZQUFZLENBQUMsQ0FBQyxDQUFDLG1CQUFtQixDQUFDLENBQUMsQ0FBQyxZQUFZLENBQUMsQ0FBQztRQUMxRSxPQUFPLE1BQU0sQ0FBQyxLQUFLLENBQUMsR0FBRyxDQUFDLENBQUMsQ0FBQyxDQUFDLFFBQVEsQ0FBQyxDQUFDLENBQUMsR0FBRyxDQUFDO0lBQzVDLENBQUMsQ0FBQyxDQUFDO0lBQ0gsT0FBTyxJQUFJLENBQUMsR0FBRyxDQUFDLFFBQVEsRUFBRSxHQUFHLElBQUksQ0FBQyxDQUFDO0FBQ3JDLENBQUMifQ==