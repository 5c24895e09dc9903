import { ask } from "./ask.js";
import { ok, problem, skipped, warning } from "./finding.js";
/**
 * Whether the portal's metadata is there and about this portal, and whether the setting PKCE fits to it. ArcGIS
 * Online offers metadata; an older Enterprise tells only its version.
 */
export async function checkPkce(config, self, options) {
    const metadata = await metadataOf(config, options);
    return [checkMetadata(config, metadata), pkce(config, metadata, self)];
}
async function metadataOf({ portal }, options) {
    try {
        const url = new URL("/.well-known/oauth-authorization-server", portal).href;
        const { status, body } = await ask(url, options);
        const metadata = status === 200 ? JSON.parse(body) : undefined;
        const isMetadata = typeof metadata === "object" && metadata !== null && "issuer" in metadata;
        return isMetadata ? metadata : undefined;
    }
    catch {
        return undefined;
    }
}
function checkMetadata({ portal }, metadata) {
    const check = "OAuth metadata";
    if (!metadata)
        return skipped(check, "the portal offers none (RFC 8414), which is usual for Enterprise");
    const { host } = new URL(portal);
    const others = [metadata.issuer, metadata.authorization_endpoint].filter((url) => typeof url !== "string" || !URL.canParse(url) || new URL(url).host !== host);
    if (others.length === 0)
        return ok(check, `is offered by ${host}, and about itself`);
    const cure = "Set PORTAL_URL to the address that the portal has for itself.";
    return warning(check, `is offered by ${host}, but about another address`, cure);
}
const tooOld = "If it is older than Enterprise 10.8.1, set PKCE to false until it is renewed.";
function pkce(config, metadata, { currentVersion }) {
    const check = "PKCE";
    const methods = metadata?.code_challenge_methods_supported;
    const says = Array.isArray(methods) ? methods.includes("S256") : undefined;
    // Of those below 8.4 (Enterprise 10.9), the Maps SDK does not expect it either; 10.8.1 is among them and has it.
    const isSupported = says ?? (Number.parseFloat(String(currentVersion)) >= 8.4 ? true : undefined);
    if (config.pkce && isSupported)
        return ok(check, "is supported by the portal, and used");
    if (config.pkce && says === false) {
        return problem(check, "is used, but the portal says that it does not support it", tooOld);
    }
    if (config.pkce)
        return warning(check, "is used, but this version of the portal may not know it", tooOld);
    if (isSupported) {
        return problem(check, "is switched off, but the portal supports it", "Remove PKCE from the configuration.");
    }
    return warning(check, "is switched off", "Remove PKCE from the configuration once the portal is 10.8.1 or later.");
}
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozLCJmaWxlIjoicGtjZS5qcyIsInNvdXJjZVJvb3QiOiIiLCJzb3VyY2VzIjpbInBrY2UudHMiXSwibmFtZXMiOltdLCJtYXBwaW5ncyI6IkFBQ0EsT0FBTyxFQUFtQixHQUFHLEVBQUUsTUFBTSxVQUFVLENBQUM7QUFDaEQsT0FBTyxFQUFnQixFQUFFLEVBQUUsT0FBTyxFQUFFLE9BQU8sRUFBRSxPQUFPLEVBQUUsTUFBTSxjQUFjLENBQUM7QUFVM0U7OztHQUdHO0FBQ0gsTUFBTSxDQUFDLEtBQUssVUFBVSxTQUFTLENBQUMsTUFBYyxFQUFFLElBQWdCLEVBQUUsT0FBbUI7SUFDbkYsTUFBTSxRQUFRLEdBQUcsTUFBTSxVQUFVLENBQUMsTUFBTSxFQUFFLE9BQU8sQ0FBQyxDQUFDO0lBQ25ELE9BQU8sQ0FBQyxhQUFhLENBQUMsTUFBTSxFQUFFLFFBQVEsQ0FBQyxFQUFFLElBQUksQ0FBQyxNQUFNLEVBQUUsUUFBUSxFQUFFLElBQUksQ0FBQyxDQUFDLENBQUM7QUFDekUsQ0FBQztBQUVELEtBQUssVUFBVSxVQUFVLENBQUMsRUFBRSxNQUFNLEVBQVUsRUFBRSxPQUFtQjtJQUMvRCxJQUFJLENBQUM7UUFDSCxNQUFNLEdBQUcsR0FBRyxJQUFJLEdBQUcsQ0FBQyx5Q0FBeUMsRUFBRSxNQUFNLENBQUMsQ0FBQyxJQUFJLENBQUM7UUFDNUUsTUFBTSxFQUFFLE1BQU0sRUFBRSxJQUFJLEVBQUUsR0FBRyxNQUFNLEdBQUcsQ0FBQyxHQUFHLEVBQUUsT0FBTyxDQUFDLENBQUM7UUFDakQsTUFBTSxRQUFRLEdBQVksTUFBTSxLQUFLLEdBQUcsQ0FBQyxDQUFDLENBQUMsSUFBSSxDQUFDLEtBQUssQ0FBQyxJQUFJLENBQUMsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO1FBQ3hFLE1BQU0sVUFBVSxHQUFHLE9BQU8sUUFBUSxLQUFLLFFBQVEsSUFBSSxRQUFRLEtBQUssSUFBSSxJQUFJLFFBQVEsSUFBSSxRQUFRLENBQUM7UUFDN0YsT0FBTyxVQUFVLENBQUMsQ0FBQyxDQUFDLFFBQVEsQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDO0lBQzNDLENBQUM7SUFBQyxNQUFNLENBQUM7UUFDUCxPQUFPLFNBQVMsQ0FBQztJQUNuQixDQUFDO0FBQ0gsQ0FBQztBQUVELFNBQVMsYUFBYSxDQUFDLEVBQUUsTUFBTSxFQUFVLEVBQUUsUUFBOEI7SUFDdkUsTUFBTSxLQUFLLEdBQUcsZ0JBQWdCLENBQUM7SUFDL0IsSUFBSSxDQUFDLFFBQVE7UUFBRSxPQUFPLE9BQU8sQ0FBQyxLQUFLLEVBQUUsa0VBQWtFLENBQUMsQ0FBQztJQUN6RyxNQUFNLEVBQUUsSUFBSSxFQUFFLEdBQUcsSUFBSSxHQUFHLENBQUMsTUFBTSxDQUFDLENBQUM7SUFDakMsTUFBTSxNQUFNLEdBQUcsQ0FBQyxRQUFRLENBQUMsTUFBTSxFQUFFLFFBQVEsQ0FBQyxzQkFBc0IsQ0FBQyxDQUFDLE1BQU0sQ0FDdEUsQ0FBQyxHQUFHLEVBQUUsRUFBRSxDQUFDLE9BQU8sR0FBRyxLQUFLLFFBQVEsSUFBSSxDQUFDLEdBQUcsQ0FBQyxRQUFRLENBQUMsR0FBRyxDQUFDLElBQUksSUFBSSxHQUFHLENBQUMsR0FBRyxDQUFDLENBQUMsSUFBSSxLQUFLLElBQUksQ0FDckYsQ0FBQztJQUNGLElBQUksTUFBTSxDQUFDLE1BQU0sS0FBSyxDQUFDO1FBQUUsT0FBTyxFQUFFLENBQUMsS0FBSyxFQUFFLGlCQUFpQixJQUFJLG9CQUFvQixDQUFDLENBQUM7SUFDckYsTUFBTSxJQUFJLEdBQUcsK0RBQStELENBQUM7SUFDN0UsT0FBTyxPQUFPLENBQUMsS0FBSyxFQUFFLGlCQUFpQixJQUFJLDZCQUE2QixFQUFFLElBQUksQ0FBQyxDQUFDO0FBQ2xGLENBQUM7QUFFRCxNQUFNLE1BQU0sR0FBRywrRUFBK0UsQ0FBQztBQUUvRixTQUFTLElBQUksQ0FBQyxNQUFjLEVBQUUsUUFBOEIsRUFBRSxFQUFFLGNBQWMsRUFBYztJQUMxRixNQUFNLEtBQUssR0FBRyxNQUFNLENBQUM7SUFDckIsTUFBTSxPQUFPLEdBQUcsUUFBUSxFQUFFLGdDQUFnQyxDQUFDO0lBQzNELE1BQU0sSUFBSSxHQUFHLEtBQUssQ0FBQyxPQUFPLENBQUMsT0FBTyxDQUFDLENBQUMsQ0FBQyxDQUFDLE9BQU8sQ0FBQyxRQUFRLENBQUMsTUFBTSxDQUFDLENBQUMsQ0FBQyxDQUFDLFNBQVMsQ0FBQztJQUMzRSxpSEFBaUg7SUFDakgsTUFBTSxXQUFXLEdBQUcsSUFBSSxJQUFJLENBQUMsTUFBTSxDQUFDLFVBQVUsQ0FBQyxNQUFNLENBQUMsY0FBYyxDQUFDLENBQUMsSUFBSSxHQUFHLENBQUMsQ0FBQyxDQUFDLElBQUksQ0FBQyxDQUFDLENBQUMsU0FBUyxDQUFDLENBQUM7SUFDbEcsSUFBSSxNQUFNLENBQUMsSUFBSSxJQUFJLFdBQVc7UUFBRSxPQUFPLEVBQUUsQ0FBQyxLQUFLLEVBQUUsc0NBQXNDLENBQUMsQ0FBQztJQUN6RixJQUFJLE1BQU0sQ0FBQyxJQUFJLElBQUksSUFBSSxLQUFLLEtBQUssRUFBRSxDQUFDO1FBQ2xDLE9BQU8sT0FBTyxDQUFDLEtBQUssRUFBRSwwREFBMEQsRUFBRSxNQUFNLENBQUMsQ0FBQztJQUM1RixDQUFDO0lBQ0QsSUFBSSxNQUFNLENBQUMsSUFBSTtRQUFFLE9BQU8sT0FBTyxDQUFDLEtBQUssRUFBRSx5REFBeUQsRUFBRSxNQUFNLENBQUMsQ0FBQztJQUMxRyxJQUFJLFdBQVcsRUFBRSxDQUFDO1FBQ2hCLE9BQU8sT0FBTyxDQUNaLEtBQUssRUFDTCw2Q0FBNkMsRUFDN0MscUNBQXFDLENBQ3RDLENBQUM7SUFDSixDQUFDO0lBQ0QsT0FBTyxPQUFPLENBQ1osS0FBSyxFQUNMLGlCQUFpQixFQUNqQix3RUFBd0UsQ0FDekUsQ0FBQztBQUNKLENBQUMifQ==