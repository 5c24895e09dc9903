/**
 * Sends the browser on, after the session has been saved.
 *
 * `res.redirect` writes a body, and express-session then lets the headers go before its save has ended:
 * the browser follows them at once and arrives without its session. A response that has no body waits.
 *
 * @param status 303 (RFC 9110, 15.4.4) after anything that changed something, 302 to pass a GET on. Never
 *   301: browsers keep that and would repeat an old sign-in address, state and all.
 */
export function redirect(res, location, status = 303) {
    res.status(status).set({ Location: location, "Cache-Control": "no-store" }).end();
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVkaXJlY3QuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJyZWRpcmVjdC50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFFQTs7Ozs7Ozs7R0FRRztBQUNILE1BQU0sVUFBVSxRQUFRLENBQUMsR0FBYSxFQUFFLFFBQWdCLEVBQUUsTUFBTSxHQUFjLEdBQUc7SUFDL0UsR0FBRyxDQUFDLE1BQU0sQ0FBQyxNQUFNLENBQUMsQ0FBQyxHQUFHLENBQUMsRUFBRSxRQUFRLEVBQUUsUUFBUSxFQUFFLGVBQWUsRUFBRSxVQUFVLEVBQUUsQ0FBQyxDQUFDLEdBQUcsRUFBRSxDQUFDO0FBQ3BGLENBQUMifQ==