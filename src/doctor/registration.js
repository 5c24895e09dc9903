import { ask } from "./ask.js";
import { ok, problem, skipped, warning } from "./finding.js";
/**
 * Whether the portal knows the client id and the redirect URI. When it does not, it tells the visitor so on a page of
 * its own, and this server would never hear of it: so the page is asked for here, and read.
 */
export async function checkRegistration(config, options) {
    const { redirectUri } = config;
    const verdict = await verdictOn(config, redirectUri, options);
    if (verdict === "client unknown") {
        const cure = "Copy the client id from the OAuth credentials item, and look whether it belongs to this portal.";
        return [problem("client id", "the portal does not know it", cure), skipped("redirect URI", "not known")];
    }
    const client = ok("client id", "the portal knows it");
    const check = "redirect URI";
    if (verdict === "registered")
        return [client, ok(check, `${redirectUri} is registered`)];
    if (verdict === "redirect refused") {
        const spelling = await registeredSpelling(config, options);
        const instead = spelling ? ` (${spelling} is registered)` : "";
        const cure = `Add exactly this redirect URL to the OAuth credentials item: ${redirectUri}`;
        return [client, problem(check, `is not registered${instead}`, cure)];
    }
    const open = `Open ${redirectUri.replace(/[^/]*$/, "sign-in")} in a browser and read what the portal says.`;
    if (verdict === "blocked") {
        return [client, warning(check, "the portal sends sign-ins of this app back with an error", open)];
    }
    const unclear = "the portal's sign-in page could not be read";
    return [skipped("client id", unclear), warning(check, unclear, open)];
}
/** Another spelling of the redirect URI that the portal knows: people copy a slash too many, or the other localhost. */
async function registeredSpelling(config, options) {
    const { redirectUri } = config;
    const slash = redirectUri.endsWith("/") ? redirectUri.slice(0, -1) : `${redirectUri}/`;
    const hosts = redirectUri.includes("//localhost") ? ["localhost", "127.0.0.1"] : ["127.0.0.1", "localhost"];
    const host = (uri) => uri.replace(`//${hosts[0]}`, `//${hosts[1]}`);
    const others = new Set([slash, host(redirectUri), host(slash)]);
    others.delete(redirectUri);
    for (const other of others) {
        if ((await verdictOn(config, other, options)) === "registered")
            return other;
    }
    return undefined;
}
async function verdictOn({ portal, clientId }, redirectUri, options) {
    const query = new URLSearchParams({
        client_id: clientId,
        response_type: "code",
        redirect_uri: redirectUri,
        state: "doctor",
        // That of RFC 7636, appendix B: nobody will use the code.
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        code_challenge_method: "S256",
    });
    try {
        const { status, headers, body } = await ask(`${portal}/oauth2/authorize?${query}`, options);
        // ArcGIS's own words, on a page "Error 400" (support.esri.com 000015445). What status it has is not documented.
        if (/Invalid client_id/i.test(body))
            return "client unknown";
        if (/Invalid redirect_uri/i.test(body))
            return "redirect refused";
        const backHere = headers.location?.startsWith(redirectUri);
        if (backHere)
            return /[?&]error=/.test(headers.location ?? "") ? "blocked" : "registered";
        // The sign-in page, or the way to the organisation's own.
        return status === 200 || (status >= 300 && status < 400) ? "registered" : "unclear";
    }
    catch {
        return "unclear";
    }
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicmVnaXN0cmF0aW9uLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicmVnaXN0cmF0aW9uLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUNBLE9BQU8sRUFBbUIsR0FBRyxFQUFFLE1BQU0sVUFBVSxDQUFDO0FBQ2hELE9BQU8sRUFBZ0IsRUFBRSxFQUFFLE9BQU8sRUFBRSxPQUFPLEVBQUUsT0FBTyxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBSzNFOzs7R0FHRztBQUNILE1BQU0sQ0FBQyxLQUFLLFVBQVUsaUJBQWlCLENBQUMsTUFBYyxFQUFFLE9BQW1CO0lBQ3pFLE1BQU0sRUFBRSxXQUFXLEVBQUUsR0FBRyxNQUFNLENBQUM7SUFDL0IsTUFBTSxPQUFPLEdBQUcsTUFBTSxTQUFTLENBQUMsTUFBTSxFQUFFLFdBQVcsRUFBRSxPQUFPLENBQUMsQ0FBQztJQUM5RCxJQUFJLE9BQU8sS0FBSyxnQkFBZ0IsRUFBRSxDQUFDO1FBQ2pDLE1BQU0sSUFBSSxHQUNSLGlHQUFpRyxDQUFDO1FBQ3BHLE9BQU8sQ0FBQyxPQUFPLENBQUMsV0FBVyxFQUFFLDZCQUE2QixFQUFFLElBQUksQ0FBQyxFQUFFLE9BQU8sQ0FBQyxjQUFjLEVBQUUsV0FBVyxDQUFDLENBQUMsQ0FBQztJQUMzRyxDQUFDO0lBQ0QsTUFBTSxNQUFNLEdBQUcsRUFBRSxDQUFDLFdBQVcsRUFBRSxxQkFBcUIsQ0FBQyxDQUFDO0lBQ3RELE1BQU0sS0FBSyxHQUFHLGNBQWMsQ0FBQztJQUM3QixJQUFJLE9BQU8sS0FBSyxZQUFZO1FBQUUsT0FBTyxDQUFDLE1BQU0sRUFBRSxFQUFFLENBQUMsS0FBSyxFQUFFLEdBQUcsV0FBVyxnQkFBZ0IsQ0FBQyxDQUFDLENBQUM7SUFDekYsSUFBSSxPQUFPLEtBQUssa0JBQWtCLEVBQUUsQ0FBQztRQUNuQyxNQUFNLFFBQVEsR0FBRyxNQUFNLGtCQUFrQixDQUFDLE1BQU0sRUFBRSxPQUFPLENBQUMsQ0FBQztRQUMzRCxNQUFNLE9BQU8sR0FBRyxRQUFRLENBQUMsQ0FBQyxDQUFDLEtBQUssUUFBUSxpQkFBaUIsQ0FBQyxDQUFDLENBQUMsRUFBRSxDQUFDO1FBQy9ELE1BQU0sSUFBSSxHQUFHLGdFQUFnRSxXQUFXLEVBQUUsQ0FBQztRQUMzRixPQUFPLENBQUMsTUFBTSxFQUFFLE9BQU8sQ0FBQyxLQUFLLEVBQUUsb0JBQW9CLE9BQU8sRUFBRSxFQUFFLElBQUksQ0FBQyxDQUFDLENBQUM7SUFDdkUsQ0FBQztJQUNELE1BQU0sSUFBSSxHQUFHLFFBQVEsV0FBVyxDQUFDLE9BQU8sQ0FBQyxRQUFRLEVBQUUsU0FBUyxDQUFDLDhDQUE4QyxDQUFDO0lBQzVHLElBQUksT0FBTyxLQUFLLFNBQVMsRUFBRSxDQUFDO1FBQzFCLE9BQU8sQ0FBQyxNQUFNLEVBQUUsT0FBTyxDQUFDLEtBQUssRUFBRSwwREFBMEQsRUFBRSxJQUFJLENBQUMsQ0FBQyxDQUFDO0lBQ3BHLENBQUM7SUFDRCxNQUFNLE9BQU8sR0FBRyw2Q0FBNkMsQ0FBQztJQUM5RCxPQUFPLENBQUMsT0FBTyxDQUFDLFdBQVcsRUFBRSxPQUFPLENBQUMsRUFBRSxPQUFPLENBQUMsS0FBSyxFQUFFLE9BQU8sRUFBRSxJQUFJLENBQUMsQ0FBQyxDQUFDO0FBQ3hFLENBQUM7QUFFRCx3SEFBd0g7QUFDeEgsS0FBSyxVQUFVLGtCQUFrQixDQUFDLE1BQWMsRUFBRSxPQUFtQjtJQUNuRSxNQUFNLEVBQUUsV0FBVyxFQUFFLEdBQUcsTUFBTSxDQUFDO0lBQy9CLE1BQU0sS0FBSyxHQUFHLFdBQVcsQ0FBQyxRQUFRLENBQUMsR0FBRyxDQUFDLENBQUMsQ0FBQyxDQUFDLFdBQVcsQ0FBQyxLQUFLLENBQUMsQ0FBQyxFQUFFLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxDQUFDLEdBQUcsV0FBVyxHQUFHLENBQUM7SUFDdkYsTUFBTSxLQUFLLEdBQUcsV0FBVyxDQUFDLFFBQVEsQ0FBQyxhQUFhLENBQUMsQ0FBQyxDQUFDLENBQUMsQ0FBQyxXQUFXLEVBQUUsV0FBVyxDQUFDLENBQUMsQ0FBQyxDQUFDLENBQUMsV0FBVyxFQUFFLFdBQVcsQ0FBQyxDQUFDO0lBQzVHLE1BQU0sSUFBSSxHQUFHLENBQUMsR0FBVyxFQUFFLEVBQUUsQ0FBQyxHQUFHLENBQUMsT0FBTyxDQUFDLEtBQUssS0FBSyxDQUFDLENBQUMsQ0FBQyxFQUFFLEVBQUUsS0FBSyxLQUFLLENBQUMsQ0FBQyxDQUFDLEVBQUUsQ0FBQyxDQUFDO0lBQzVFLE1BQU0sTUFBTSxHQUFHLElBQUksR0FBRyxDQUFDLENBQUMsS0FBSyxFQUFFLElBQUksQ0FBQyxXQUFXLENBQUMsRUFBRSxJQUFJLENBQUMsS0FBSyxDQUFDLENBQUMsQ0FBQyxDQUFDO0lBQ2hFLE1BQU0sQ0FBQyxNQUFNLENBQUMsV0FBVyxDQUFDLENBQUM7SUFDM0IsS0FBSyxNQUFNLEtBQUssSUFBSSxNQUFNLEVBQUUsQ0FBQztRQUMzQixJQUFJLENBQUMsTUFBTSxTQUFTLENBQUMsTUFBTSxFQUFFLEtBQUssRUFBRSxPQUFPLENBQUMsQ0FBQyxLQUFLLFlBQVk7WUFBRSxPQUFPLEtBQUssQ0FBQztJQUMvRSxDQUFDO0lBQ0QsT0FBTyxTQUFTLENBQUM7QUFDbkIsQ0FBQztBQUVELEtBQUssVUFBVSxTQUFTLENBQ3RCLEVBQUUsTUFBTSxFQUFFLFFBQVEsRUFBVSxFQUM1QixXQUFtQixFQUNuQixPQUFtQjtJQUVuQixNQUFNLEtBQUssR0FBRyxJQUFJLGVBQWUsQ0FBQztRQUNoQyxTQUFTLEVBQUUsUUFBUTtRQUNuQixhQUFhLEVBQUUsTUFBTTtRQUNyQixZQUFZLEVBQUUsV0FBVztRQUN6QixLQUFLLEVBQUUsUUFBUTtRQUNmLDBEQUEwRDtRQUMxRCxjQUFjLEVBQUUsNkNBQTZDO1FBQzdELHFCQUFxQixFQUFFLE1BQU07S0FDOUIsQ0FBQyxDQUFDO0lBQ0gsSUFBSSxDQUFDO1FBQ0gsTUFBTSxFQUFFLE1BQU0sRUFBRSxPQUFPLEVBQUUsSUFBSSxFQUFFLEdBQUcsTUFBTSxHQUFHLENBQUMsR0FBRyxNQUFNLHFCQUFxQixLQUFLLEVBQUUsRUFBRSxPQUFPLENBQUMsQ0FBQztRQUM1RixnSEFBZ0g7UUFDaEgsSUFBSSxvQkFBb0IsQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDO1lBQUUsT0FBTyxnQkFBZ0IsQ0FBQztRQUM3RCxJQUFJLHVCQUF1QixDQUFDLElBQUksQ0FBQyxJQUFJLENBQUM7WUFBRSxPQUFPLGtCQUFrQixDQUFDO1FBQ2xFLE1BQU0sUUFBUSxHQUFHLE9BQU8sQ0FBQyxRQUFRLEVBQUUsVUFBVSxDQUFDLFdBQVcsQ0FBQyxDQUFDO1FBQzNELElBQUksUUFBUTtZQUFFLE9BQU8sWUFBWSxDQUFDLElBQUksQ0FBQyxPQUFPLENBQUMsUUFBUSxJQUFJLEVBQUUsQ0FBQyxDQUFDLENBQUMsQ0FBQyxTQUFTLENBQUMsQ0FBQyxDQUFDLFlBQVksQ0FBQztRQUMxRiwwREFBMEQ7UUFDMUQsT0FBTyxNQUFNLEtBQUssR0FBRyxJQUFJLENBQUMsTUFBTSxJQUFJLEdBQUcsSUFBSSxNQUFNLEdBQUcsR0FBRyxDQUFDLENBQUMsQ0FBQyxDQUFDLFlBQVksQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO0lBQ3RGLENBQUM7SUFBQyxNQUFNLENBQUM7UUFDUCxPQUFPLFNBQVMsQ0FBQztJQUNuQixDQUFDO0FBQ0gsQ0FBQyJ9