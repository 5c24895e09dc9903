import { ok, problem, warning } from "./finding.js";
/** What the configuration's own check cannot say, because it is only wrong together. */
export function checkSettings(config) {
    return [checkSecrets(config), checkCookie(config), checkProxy(config), checkAddress(config)];
}
/** Their strength was checked when the configuration was read. */
function checkSecrets({ sessionSecrets, encryptionKeys }) {
    const counts = `SESSION_SECRET has ${values(sessionSecrets)}, ENCRYPTION_KEY has ${values(encryptionKeys)}`;
    return ok("secrets", `${counts}; all of them are strong`);
}
const values = (list) => (list.length === 1 ? "1 value" : `${list.length} values`);
function checkCookie({ secure, origin }) {
    const cookie = secure ? "__Host-arcgis.sid, for https only" : "arcgis.sid, without https";
    return ok("cookie", `${cookie}, because people come to ${origin}`);
}
function checkProxy({ secure, trustProxy }) {
    const check = "reverse proxy";
    if (secure && trustProxy === false) {
        return problem(check, "REDIRECT_URI is https, so a reverse proxy stands in front, but TRUST_PROXY is false: every sign-in is refused", "Set TRUST_PROXY to 1 (one proxy) or to the proxy's address, and let the proxy send X-Forwarded-Proto.");
    }
    if (!secure && trustProxy !== false) {
        return warning(check, "REDIRECT_URI is on this machine without https, but TRUST_PROXY is set: visitors could choose their address", "Leave TRUST_PROXY out, or set REDIRECT_URI to the https address in front.");
    }
    return ok(check, secure ? `TRUST_PROXY is ${trustProxy}` : "none, as REDIRECT_URI is on this machine");
}
const everywhere = ["0.0.0.0", "::"];
/** Whether browsers get from the redirect URI to where the server listens. */
function checkAddress({ secure, redirectUri, port, host, trustProxy }) {
    const check = "address to listen on";
    const { hostname, port: shown } = new URL(redirectUri);
    if (!secure && port !== 0 && Number(shown || 80) !== port) {
        return problem(check, `REDIRECT_URI leads to port ${shown || 80}, but the server listens on ${port}`, `Set PORT to ${shown || 80}, or correct REDIRECT_URI here and at the portal.`);
    }
    if (everywhere.includes(host) && typeof trustProxy === "number") {
        return warning(check, `${host}:${port}, so whoever reaches that port past the proxy can choose the address they seem to come from`, "Listen on 127.0.0.1, let only the proxy reach the port, or set TRUST_PROXY to the proxy's address.");
    }
    const other = hostname === "localhost" ? "127.0.0.1" : hostname === "127.0.0.1" ? "localhost" : undefined;
    const spelling = other ? `; people must open ${hostname}, for ${other} is another host to browsers` : "";
    return ok(check, `${host}:${port}${spelling}`);
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoic2V0dGluZ3MuanMiLCJzb3VyY2VSb290IjoiIiwic291cmNlcyI6WyJzZXR0aW5ncy50cyJdLCJuYW1lcyI6W10sIm1hcHBpbmdzIjoiQUFDQSxPQUFPLEVBQWdCLEVBQUUsRUFBRSxPQUFPLEVBQUUsT0FBTyxFQUFFLE1BQU0sY0FBYyxDQUFDO0FBRWxFLHdGQUF3RjtBQUN4RixNQUFNLFVBQVUsYUFBYSxDQUFDLE1BQWM7SUFDMUMsT0FBTyxDQUFDLFlBQVksQ0FBQyxNQUFNLENBQUMsRUFBRSxXQUFXLENBQUMsTUFBTSxDQUFDLEVBQUUsVUFBVSxDQUFDLE1BQU0sQ0FBQyxFQUFFLFlBQVksQ0FBQyxNQUFNLENBQUMsQ0FBQyxDQUFDO0FBQy9GLENBQUM7QUFFRCxrRUFBa0U7QUFDbEUsU0FBUyxZQUFZLENBQUMsRUFBRSxjQUFjLEVBQUUsY0FBYyxFQUFVO0lBQzlELE1BQU0sTUFBTSxHQUFHLHNCQUFzQixNQUFNLENBQUMsY0FBYyxDQUFDLHdCQUF3QixNQUFNLENBQUMsY0FBYyxDQUFDLEVBQUUsQ0FBQztJQUM1RyxPQUFPLEVBQUUsQ0FBQyxTQUFTLEVBQUUsR0FBRyxNQUFNLDBCQUEwQixDQUFDLENBQUM7QUFDNUQsQ0FBQztBQUVELE1BQU0sTUFBTSxHQUFHLENBQUMsSUFBYyxFQUFFLEVBQUUsQ0FBQyxDQUFDLElBQUksQ0FBQyxNQUFNLEtBQUssQ0FBQyxDQUFDLENBQUMsQ0FBQyxTQUFTLENBQUMsQ0FBQyxDQUFDLEdBQUcsSUFBSSxDQUFDLE1BQU0sU0FBUyxDQUFDLENBQUM7QUFFN0YsU0FBUyxXQUFXLENBQUMsRUFBRSxNQUFNLEVBQUUsTUFBTSxFQUFVO0lBQzdDLE1BQU0sTUFBTSxHQUFHLE1BQU0sQ0FBQyxDQUFDLENBQUMsbUNBQW1DLENBQUMsQ0FBQyxDQUFDLDJCQUEyQixDQUFDO0lBQzFGLE9BQU8sRUFBRSxDQUFDLFFBQVEsRUFBRSxHQUFHLE1BQU0sNEJBQTRCLE1BQU0sRUFBRSxDQUFDLENBQUM7QUFDckUsQ0FBQztBQUVELFNBQVMsVUFBVSxDQUFDLEVBQUUsTUFBTSxFQUFFLFVBQVUsRUFBVTtJQUNoRCxNQUFNLEtBQUssR0FBRyxlQUFlLENBQUM7SUFDOUIsSUFBSSxNQUFNLElBQUksVUFBVSxLQUFLLEtBQUssRUFBRSxDQUFDO1FBQ25DLE9BQU8sT0FBTyxDQUNaLEtBQUssRUFDTCwrR0FBK0csRUFDL0csdUdBQXVHLENBQ3hHLENBQUM7SUFDSixDQUFDO0lBQ0QsSUFBSSxDQUFDLE1BQU0sSUFBSSxVQUFVLEtBQUssS0FBSyxFQUFFLENBQUM7UUFDcEMsT0FBTyxPQUFPLENBQ1osS0FBSyxFQUNMLDRHQUE0RyxFQUM1RywyRUFBMkUsQ0FDNUUsQ0FBQztJQUNKLENBQUM7SUFDRCxPQUFPLEVBQUUsQ0FBQyxLQUFLLEVBQUUsTUFBTSxDQUFDLENBQUMsQ0FBQyxrQkFBa0IsVUFBVSxFQUFFLENBQUMsQ0FBQyxDQUFDLDBDQUEwQyxDQUFDLENBQUM7QUFDekcsQ0FBQztBQUVELE1BQU0sVUFBVSxHQUFHLENBQUMsU0FBUyxFQUFFLElBQUksQ0FBQyxDQUFDO0FBRXJDLDhFQUE4RTtBQUM5RSxTQUFTLFlBQVksQ0FBQyxFQUFFLE1BQU0sRUFBRSxXQUFXLEVBQUUsSUFBSSxFQUFFLElBQUksRUFBRSxVQUFVLEVBQVU7SUFDM0UsTUFBTSxLQUFLLEdBQUcsc0JBQXNCLENBQUM7SUFDckMsTUFBTSxFQUFFLFFBQVEsRUFBRSxJQUFJLEVBQUUsS0FBSyxFQUFFLEdBQUcsSUFBSSxHQUFHLENBQUMsV0FBVyxDQUFDLENBQUM7SUFDdkQsSUFBSSxDQUFDLE1BQU0sSUFBSSxJQUFJLEtBQUssQ0FBQyxJQUFJLE1BQU0sQ0FBQyxLQUFLLElBQUksRUFBRSxDQUFDLEtBQUssSUFBSSxFQUFFLENBQUM7UUFDMUQsT0FBTyxPQUFPLENBQ1osS0FBSyxFQUNMLDhCQUE4QixLQUFLLElBQUksRUFBRSwrQkFBK0IsSUFBSSxFQUFFLEVBQzlFLGVBQWUsS0FBSyxJQUFJLEVBQUUsbURBQW1ELENBQzlFLENBQUM7SUFDSixDQUFDO0lBQ0QsSUFBSSxVQUFVLENBQUMsUUFBUSxDQUFDLElBQUksQ0FBQyxJQUFJLE9BQU8sVUFBVSxLQUFLLFFBQVEsRUFBRSxDQUFDO1FBQ2hFLE9BQU8sT0FBTyxDQUNaLEtBQUssRUFDTCxHQUFHLElBQUksSUFBSSxJQUFJLDZGQUE2RixFQUM1RyxvR0FBb0csQ0FDckcsQ0FBQztJQUNKLENBQUM7SUFDRCxNQUFNLEtBQUssR0FBRyxRQUFRLEtBQUssV0FBVyxDQUFDLENBQUMsQ0FBQyxXQUFXLENBQUMsQ0FBQyxDQUFDLFFBQVEsS0FBSyxXQUFXLENBQUMsQ0FBQyxDQUFDLFdBQVcsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO0lBQzFHLE1BQU0sUUFBUSxHQUFHLEtBQUssQ0FBQyxDQUFDLENBQUMsc0JBQXNCLFFBQVEsU0FBUyxLQUFLLDhCQUE4QixDQUFDLENBQUMsQ0FBQyxFQUFFLENBQUM7SUFDekcsT0FBTyxFQUFFLENBQUMsS0FBSyxFQUFFLEdBQUcsSUFBSSxJQUFJLElBQUksR0FBRyxRQUFRLEVBQUUsQ0FBQyxDQUFDO0FBQ2pELENBQUMifQ==