import { ask } from "./ask.js";
import { ok, problem, warning } from "./finding.js";
/** Whether the portal answers as one, how good its certificate is, and whether its clock is ours. */
export async function checkPortal({ portal }, options) {
    const check = "portal";
    let heard;
    try {
        heard = await ask(`${portal}/portals/self?f=json`, options);
    }
    catch (error) {
        const [found, cure] = whySilent(error, new URL(portal).host);
        return { findings: [problem(check, found, cure)] };
    }
    const about = [...checkCertificate(heard, options.now()), checkClock(heard, options.now())];
    const self = selfOf(heard.body);
    if (heard.status !== 200 || !self) {
        const [found, cure] = whyNoPortal(heard);
        return { findings: [problem(check, found, cure), ...about] };
    }
    const version = textOf(self.currentVersion) || "unknown";
    const reached = ok(check, `${portal} answers in ${heard.ms} ms; its version is ${version}`);
    if (self.supportsOAuth === false) {
        const cure = "Ask an administrator of the portal to switch OAuth on.";
        return { findings: [problem(check, `${portal} does not support OAuth`, cure), ...about], self };
    }
    return { findings: [reached, ...about], self };
}
/** A text of the portal's as it may be shown in a terminal. */
function textOf(value) {
    const isText = typeof value === "string" || typeof value === "number";
    return isText
        ? String(value)
            .replace(/[^\x20-\x7e]/g, "")
            .slice(0, 40)
        : "";
}
function selfOf(body) {
    try {
        const self = JSON.parse(body);
        return typeof self === "object" && self !== null && !("error" in self) ? self : undefined;
    }
    catch {
        return undefined;
    }
}
const addressCure = "Set PORTAL_URL to the address of the portal, with its web adaptor: https://gis.example.com/portal.";
function whyNoPortal({ status, headers, body }) {
    if (status >= 300 && status < 400) {
        const { host } = new URL(headers.location ?? "", "https://nowhere.invalid");
        const where = host === "nowhere.invalid" ? "" : ` to ${host}`;
        return [
            `the address is redirected${where}`,
            "Set PORTAL_URL to where it leads; redirects are not followed.",
        ];
    }
    if (status >= 500)
        return [`the portal has a fault of its own (HTTP ${status})`, "Try again in a minute."];
    if (status === 401 || status === 403) {
        const cure = "Web-tier authentication in front of the portal keeps servers out: let this one through.";
        return [`the portal does not let this server ask (HTTP ${status})`, cure];
    }
    const kind = body.trimStart().startsWith("{") ? "an error" : "no JSON";
    return [`what answers there is no portal (HTTP ${status}, ${kind})`, addressCure];
}
const authorityCure = "If its authority is your own: put the authority's certificate (PEM) into a file and name it in NODE_EXTRA_CA_CERTS, in the environment of the server.";
/** The codes of Node (errno) and OpenSSL, in words. */
function whySilent({ code = "", message }, host) {
    const known = {
        ENOTFOUND: [`the name of ${host} is not known`, "Correct PORTAL_URL, or this machine's DNS."],
        EAI_AGAIN: [`the name of ${host} cannot be looked up now`, "Mend this machine's DNS."],
        ECONNREFUSED: [`nothing listens at ${host}`, "Start the portal, or correct PORTAL_URL."],
        ECONNRESET: [`${host} hangs up`, "Look for a firewall in between, and whether it wants https."],
        ETIMEDOUT: [`${host} does not answer within 10 s`, "Look for a firewall or a proxy in between."],
        CERT_HAS_EXPIRED: [`the certificate of ${host} has expired`, "Renew it at the portal."],
        CERT_NOT_YET_VALID: [`the certificate of ${host} is not valid yet`, "Set this machine's clock."],
        ERR_TLS_CERT_ALTNAME_INVALID: [
            `the certificate at ${host} is for another name`,
            "Set PORTAL_URL to the name in the certificate.",
        ],
        DEPTH_ZERO_SELF_SIGNED_CERT: [`${host} has a certificate that it signed itself`, authorityCure],
        SELF_SIGNED_CERT_IN_CHAIN: [`the certificate of ${host} comes from an unknown authority`, authorityCure],
        UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
            `the certificate of ${host} comes from an unknown authority`,
            authorityCure,
        ],
        UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
            `the chain of the certificate of ${host} is not complete`,
            `Let the portal send its intermediate certificates, too. ${authorityCure}`,
        ],
        EPROTO: [`${host} does not speak TLS as it should`, "Look whether that port is https at all."],
    };
    return (known[code] ?? [`${host} cannot be reached (${code || message})`, "Correct PORTAL_URL or the network."]);
}
const dayMs = 24 * 60 * 60_000;
function checkCertificate({ certificateEnds }, now) {
    if (!certificateEnds)
        return [];
    const check = "portal's certificate";
    const day = certificateEnds.toISOString().slice(0, 10);
    if (certificateEnds.getTime() < now + 14 * dayMs) {
        return [
            warning(check, `is trusted, but ends on ${day}`, "Have it renewed: afterwards nobody can sign in."),
        ];
    }
    return [ok(check, `is trusted, and good until ${day}`)];
}
/** Two numbers of seconds: what is worth a look, and what makes fresh tokens look spent. */
const skew = { worthALook: 30, tooMuch: 300 };
function checkClock({ headers, ms }, now) {
    const check = "clock";
    const theirs = Date.parse(headers.date ?? "");
    if (Number.isNaN(theirs))
        return ok(check, "the portal does not tell the time");
    // The header has whole seconds, and was written somewhere in the middle of the answer.
    const seconds = Math.round((now - ms / 2 - (theirs + 500)) / 1000);
    const off = `this machine's is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the portal's`;
    const cure = "Let both machines set their clocks by NTP.";
    if (Math.abs(seconds) > skew.tooMuch)
        return problem(check, off, cure);
    if (Math.abs(seconds) > skew.worthALook)
        return warning(check, off, cure);
    return ok(check, "agrees with the portal's");
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicG9ydGFsLmpzIiwic291cmNlUm9vdCI6IiIsInNvdXJjZXMiOlsicG9ydGFsLnRzIl0sIm5hbWVzIjpbXSwibWFwcGluZ3MiOiJBQUNBLE9BQU8sRUFBbUIsR0FBRyxFQUFjLE1BQU0sVUFBVSxDQUFDO0FBQzVELE9BQU8sRUFBZ0IsRUFBRSxFQUFFLE9BQU8sRUFBRSxPQUFPLEVBQUUsTUFBTSxjQUFjLENBQUM7QUFjbEUscUdBQXFHO0FBQ3JHLE1BQU0sQ0FBQyxLQUFLLFVBQVUsV0FBVyxDQUMvQixFQUFFLE1BQU0sRUFBVSxFQUNsQixPQUEyQztJQUUzQyxNQUFNLEtBQUssR0FBRyxRQUFRLENBQUM7SUFDdkIsSUFBSSxLQUFZLENBQUM7SUFDakIsSUFBSSxDQUFDO1FBQ0gsS0FBSyxHQUFHLE1BQU0sR0FBRyxDQUFDLEdBQUcsTUFBTSxzQkFBc0IsRUFBRSxPQUFPLENBQUMsQ0FBQztJQUM5RCxDQUFDO0lBQUMsT0FBTyxLQUFLLEVBQUUsQ0FBQztRQUNmLE1BQU0sQ0FBQyxLQUFLLEVBQUUsSUFBSSxDQUFDLEdBQUcsU0FBUyxDQUFDLEtBQThCLEVBQUUsSUFBSSxHQUFHLENBQUMsTUFBTSxDQUFDLENBQUMsSUFBSSxDQUFDLENBQUM7UUFDdEYsT0FBTyxFQUFFLFFBQVEsRUFBRSxDQUFDLE9BQU8sQ0FBQyxLQUFLLEVBQUUsS0FBSyxFQUFFLElBQUksQ0FBQyxDQUFDLEVBQUUsQ0FBQztJQUNyRCxDQUFDO0lBQ0QsTUFBTSxLQUFLLEdBQUcsQ0FBQyxHQUFHLGdCQUFnQixDQUFDLEtBQUssRUFBRSxPQUFPLENBQUMsR0FBRyxFQUFFLENBQUMsRUFBRSxVQUFVLENBQUMsS0FBSyxFQUFFLE9BQU8sQ0FBQyxHQUFHLEVBQUUsQ0FBQyxDQUFDLENBQUM7SUFDNUYsTUFBTSxJQUFJLEdBQUcsTUFBTSxDQUFDLEtBQUssQ0FBQyxJQUFJLENBQUMsQ0FBQztJQUNoQyxJQUFJLEtBQUssQ0FBQyxNQUFNLEtBQUssR0FBRyxJQUFJLENBQUMsSUFBSSxFQUFFLENBQUM7UUFDbEMsTUFBTSxDQUFDLEtBQUssRUFBRSxJQUFJLENBQUMsR0FBRyxXQUFXLENBQUMsS0FBSyxDQUFDLENBQUM7UUFDekMsT0FBTyxFQUFFLFFBQVEsRUFBRSxDQUFDLE9BQU8sQ0FBQyxLQUFLLEVBQUUsS0FBSyxFQUFFLElBQUksQ0FBQyxFQUFFLEdBQUcsS0FBSyxDQUFDLEVBQUUsQ0FBQztJQUMvRCxDQUFDO0lBQ0QsTUFBTSxPQUFPLEdBQUcsTUFBTSxDQUFDLElBQUksQ0FBQyxjQUFjLENBQUMsSUFBSSxTQUFTLENBQUM7SUFDekQsTUFBTSxPQUFPLEdBQUcsRUFBRSxDQUFDLEtBQUssRUFBRSxHQUFHLE1BQU0sZUFBZSxLQUFLLENBQUMsRUFBRSx1QkFBdUIsT0FBTyxFQUFFLENBQUMsQ0FBQztJQUM1RixJQUFJLElBQUksQ0FBQyxhQUFhLEtBQUssS0FBSyxFQUFFLENBQUM7UUFDakMsTUFBTSxJQUFJLEdBQUcsd0RBQXdELENBQUM7UUFDdEUsT0FBTyxFQUFFLFFBQVEsRUFBRSxDQUFDLE9BQU8sQ0FBQyxLQUFLLEVBQUUsR0FBRyxNQUFNLHlCQUF5QixFQUFFLElBQUksQ0FBQyxFQUFFLEdBQUcsS0FBSyxDQUFDLEVBQUUsSUFBSSxFQUFFLENBQUM7SUFDbEcsQ0FBQztJQUNELE9BQU8sRUFBRSxRQUFRLEVBQUUsQ0FBQyxPQUFPLEVBQUUsR0FBRyxLQUFLLENBQUMsRUFBRSxJQUFJLEVBQUUsQ0FBQztBQUNqRCxDQUFDO0FBRUQsK0RBQStEO0FBQy9ELFNBQVMsTUFBTSxDQUFDLEtBQWM7SUFDNUIsTUFBTSxNQUFNLEdBQUcsT0FBTyxLQUFLLEtBQUssUUFBUSxJQUFJLE9BQU8sS0FBSyxLQUFLLFFBQVEsQ0FBQztJQUN0RSxPQUFPLE1BQU07UUFDWCxDQUFDLENBQUMsTUFBTSxDQUFDLEtBQUssQ0FBQzthQUNWLE9BQU8sQ0FBQyxlQUFlLEVBQUUsRUFBRSxDQUFDO2FBQzVCLEtBQUssQ0FBQyxDQUFDLEVBQUUsRUFBRSxDQUFDO1FBQ2pCLENBQUMsQ0FBQyxFQUFFLENBQUM7QUFDVCxDQUFDO0FBRUQsU0FBUyxNQUFNLENBQUMsSUFBWTtJQUMxQixJQUFJLENBQUM7UUFDSCxNQUFNLElBQUksR0FBWSxJQUFJLENBQUMsS0FBSyxDQUFDLElBQUksQ0FBQyxDQUFDO1FBQ3ZDLE9BQU8sT0FBTyxJQUFJLEtBQUssUUFBUSxJQUFJLElBQUksS0FBSyxJQUFJLElBQUksQ0FBQyxDQUFDLE9BQU8sSUFBSSxJQUFJLENBQUMsQ0FBQyxDQUFDLENBQUMsSUFBSSxDQUFDLENBQUMsQ0FBQyxTQUFTLENBQUM7SUFDNUYsQ0FBQztJQUFDLE1BQU0sQ0FBQztRQUNQLE9BQU8sU0FBUyxDQUFDO0lBQ25CLENBQUM7QUFDSCxDQUFDO0FBRUQsTUFBTSxXQUFXLEdBQ2Ysb0dBQW9HLENBQUM7QUFFdkcsU0FBUyxXQUFXLENBQUMsRUFBRSxNQUFNLEVBQUUsT0FBTyxFQUFFLElBQUksRUFBUztJQUNuRCxJQUFJLE1BQU0sSUFBSSxHQUFHLElBQUksTUFBTSxHQUFHLEdBQUcsRUFBRSxDQUFDO1FBQ2xDLE1BQU0sRUFBRSxJQUFJLEVBQUUsR0FBRyxJQUFJLEdBQUcsQ0FBQyxPQUFPLENBQUMsUUFBUSxJQUFJLEVBQUUsRUFBRSx5QkFBeUIsQ0FBQyxDQUFDO1FBQzVFLE1BQU0sS0FBSyxHQUFHLElBQUksS0FBSyxpQkFBaUIsQ0FBQyxDQUFDLENBQUMsRUFBRSxDQUFDLENBQUMsQ0FBQyxPQUFPLElBQUksRUFBRSxDQUFDO1FBQzlELE9BQU87WUFDTCw0QkFBNEIsS0FBSyxFQUFFO1lBQ25DLCtEQUErRDtTQUNoRSxDQUFDO0lBQ0osQ0FBQztJQUNELElBQUksTUFBTSxJQUFJLEdBQUc7UUFBRSxPQUFPLENBQUMsMkNBQTJDLE1BQU0sR0FBRyxFQUFFLHdCQUF3QixDQUFDLENBQUM7SUFDM0csSUFBSSxNQUFNLEtBQUssR0FBRyxJQUFJLE1BQU0sS0FBSyxHQUFHLEVBQUUsQ0FBQztRQUNyQyxNQUFNLElBQUksR0FBRyx5RkFBeUYsQ0FBQztRQUN2RyxPQUFPLENBQUMsaURBQWlELE1BQU0sR0FBRyxFQUFFLElBQUksQ0FBQyxDQUFDO0lBQzVFLENBQUM7SUFDRCxNQUFNLElBQUksR0FBRyxJQUFJLENBQUMsU0FBUyxFQUFFLENBQUMsVUFBVSxDQUFDLEdBQUcsQ0FBQyxDQUFDLENBQUMsQ0FBQyxVQUFVLENBQUMsQ0FBQyxDQUFDLFNBQVMsQ0FBQztJQUN2RSxPQUFPLENBQUMseUNBQXlDLE1BQU0sS0FBSyxJQUFJLEdBQUcsRUFBRSxXQUFXLENBQUMsQ0FBQztBQUNwRixDQUFDO0FBRUQsTUFBTSxhQUFhLEdBQ2pCLHVKQUF1SixDQUFDO0FBRTFKLHVEQUF1RDtBQUN2RCxTQUFTLFNBQVMsQ0FDaEIsRUFBRSxJQUFJLEdBQUcsRUFBRSxFQUFFLE9BQU8sRUFBeUIsRUFDN0MsSUFBWTtJQUVaLE1BQU0sS0FBSyxHQUFxQztRQUM5QyxTQUFTLEVBQUUsQ0FBQyxlQUFlLElBQUksZUFBZSxFQUFFLDRDQUE0QyxDQUFDO1FBQzdGLFNBQVMsRUFBRSxDQUFDLGVBQWUsSUFBSSwwQkFBMEIsRUFBRSwwQkFBMEIsQ0FBQztRQUN0RixZQUFZLEVBQUUsQ0FBQyxzQkFBc0IsSUFBSSxFQUFFLEVBQUUsMENBQTBDLENBQUM7UUFDeEYsVUFBVSxFQUFFLENBQUMsR0FBRyxJQUFJLFdBQVcsRUFBRSw2REFBNkQsQ0FBQztRQUMvRixTQUFTLEVBQUUsQ0FBQyxHQUFHLElBQUksOEJBQThCLEVBQUUsNENBQTRDLENBQUM7UUFDaEcsZ0JBQWdCLEVBQUUsQ0FBQyxzQkFBc0IsSUFBSSxjQUFjLEVBQUUseUJBQXlCLENBQUM7UUFDdkYsa0JBQWtCLEVBQUUsQ0FBQyxzQkFBc0IsSUFBSSxtQkFBbUIsRUFBRSwyQkFBMkIsQ0FBQztRQUNoRyw0QkFBNEIsRUFBRTtZQUM1QixzQkFBc0IsSUFBSSxzQkFBc0I7WUFDaEQsZ0RBQWdEO1NBQ2pEO1FBQ0QsMkJBQTJCLEVBQUUsQ0FBQyxHQUFHLElBQUksMENBQTBDLEVBQUUsYUFBYSxDQUFDO1FBQy9GLHlCQUF5QixFQUFFLENBQUMsc0JBQXNCLElBQUksa0NBQWtDLEVBQUUsYUFBYSxDQUFDO1FBQ3hHLGlDQUFpQyxFQUFFO1lBQ2pDLHNCQUFzQixJQUFJLGtDQUFrQztZQUM1RCxhQUFhO1NBQ2Q7UUFDRCwrQkFBK0IsRUFBRTtZQUMvQixtQ0FBbUMsSUFBSSxrQkFBa0I7WUFDekQsMkRBQTJELGFBQWEsRUFBRTtTQUMzRTtRQUNELE1BQU0sRUFBRSxDQUFDLEdBQUcsSUFBSSxrQ0FBa0MsRUFBRSx5Q0FBeUMsQ0FBQztLQUMvRixDQUFDO0lBQ0YsT0FBTyxDQUNMLEtBQUssQ0FBQyxJQUFJLENBQUMsSUFBSSxDQUFDLEdBQUcsSUFBSSx1QkFBdUIsSUFBSSxJQUFJLE9BQU8sR0FBRyxFQUFFLG9DQUFvQyxDQUFDLENBQ3hHLENBQUM7QUFDSixDQUFDO0FBRUQsTUFBTSxLQUFLLEdBQUcsRUFBRSxHQUFHLEVBQUUsR0FBRyxNQUFNLENBQUM7QUFFL0IsU0FBUyxnQkFBZ0IsQ0FBQyxFQUFFLGVBQWUsRUFBUyxFQUFFLEdBQVc7SUFDL0QsSUFBSSxDQUFDLGVBQWU7UUFBRSxPQUFPLEVBQUUsQ0FBQztJQUNoQyxNQUFNLEtBQUssR0FBRyxzQkFBc0IsQ0FBQztJQUNyQyxNQUFNLEdBQUcsR0FBRyxlQUFlLENBQUMsV0FBVyxFQUFFLENBQUMsS0FBSyxDQUFDLENBQUMsRUFBRSxFQUFFLENBQUMsQ0FBQztJQUN2RCxJQUFJLGVBQWUsQ0FBQyxPQUFPLEVBQUUsR0FBRyxHQUFHLEdBQUcsRUFBRSxHQUFHLEtBQUssRUFBRSxDQUFDO1FBQ2pELE9BQU87WUFDTCxPQUFPLENBQUMsS0FBSyxFQUFFLDJCQUEyQixHQUFHLEVBQUUsRUFBRSxpREFBaUQsQ0FBQztTQUNwRyxDQUFDO0lBQ0osQ0FBQztJQUNELE9BQU8sQ0FBQyxFQUFFLENBQUMsS0FBSyxFQUFFLDhCQUE4QixHQUFHLEVBQUUsQ0FBQyxDQUFDLENBQUM7QUFDMUQsQ0FBQztBQUVELDRGQUE0RjtBQUM1RixNQUFNLElBQUksR0FBRyxFQUFFLFVBQVUsRUFBRSxFQUFFLEVBQUUsT0FBTyxFQUFFLEdBQUcsRUFBRSxDQUFDO0FBRTlDLFNBQVMsVUFBVSxDQUFDLEVBQUUsT0FBTyxFQUFFLEVBQUUsRUFBUyxFQUFFLEdBQVc7SUFDckQsTUFBTSxLQUFLLEdBQUcsT0FBTyxDQUFDO0lBQ3RCLE1BQU0sTUFBTSxHQUFHLElBQUksQ0FBQyxLQUFLLENBQUMsT0FBTyxDQUFDLElBQUksSUFBSSxFQUFFLENBQUMsQ0FBQztJQUM5QyxJQUFJLE1BQU0sQ0FBQyxLQUFLLENBQUMsTUFBTSxDQUFDO1FBQUUsT0FBTyxFQUFFLENBQUMsS0FBSyxFQUFFLG1DQUFtQyxDQUFDLENBQUM7SUFDaEYsdUZBQXVGO0lBQ3ZGLE1BQU0sT0FBTyxHQUFHLElBQUksQ0FBQyxLQUFLLENBQUMsQ0FBQyxHQUFHLEdBQUcsRUFBRSxHQUFHLENBQUMsR0FBRyxDQUFDLE1BQU0sR0FBRyxHQUFHLENBQUMsQ0FBQyxHQUFHLElBQUksQ0FBQyxDQUFDO0lBQ25FLE1BQU0sR0FBRyxHQUFHLHFCQUFxQixJQUFJLENBQUMsR0FBRyxDQUFDLE9BQU8sQ0FBQyxNQUFNLE9BQU8sR0FBRyxDQUFDLENBQUMsQ0FBQyxDQUFDLFVBQVUsQ0FBQyxDQUFDLENBQUMsUUFBUSxlQUFlLENBQUM7SUFDM0csTUFBTSxJQUFJLEdBQUcsNENBQTRDLENBQUM7SUFDMUQsSUFBSSxJQUFJLENBQUMsR0FBRyxDQUFDLE9BQU8sQ0FBQyxHQUFHLElBQUksQ0FBQyxPQUFPO1FBQUUsT0FBTyxPQUFPLENBQUMsS0FBSyxFQUFFLEdBQUcsRUFBRSxJQUFJLENBQUMsQ0FBQztJQUN2RSxJQUFJLElBQUksQ0FBQyxHQUFHLENBQUMsT0FBTyxDQUFDLEdBQUcsSUFBSSxDQUFDLFVBQVU7UUFBRSxPQUFPLE9BQU8sQ0FBQyxLQUFLLEVBQUUsR0FBRyxFQUFFLElBQUksQ0FBQyxDQUFDO0lBQzFFLE9BQU8sRUFBRSxDQUFDLEtBQUssRUFBRSwwQkFBMEIsQ0FBQyxDQUFDO0FBQy9DLENBQUMifQ==