import type { Config } from "../../app/config/config.ts";
import { type AskOptions, ask } from "./ask.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import type { PortalSelf } from "./portal.ts";

/** What is used of a portal's metadata (RFC 8414, 2). */
interface Metadata {
  issuer?: unknown;
  authorization_endpoint?: unknown;
  code_challenge_methods_supported?: unknown;
}

/**
 * Whether the portal's metadata is there and about this portal, and whether the setting PKCE fits to it. ArcGIS
 * Online offers metadata; an older Enterprise tells only its version.
 */
export async function checkPkce(config: Config, self: PortalSelf, options: AskOptions): Promise<Finding[]> {
  const metadata = await metadataOf(config, options);
  return [checkMetadata(config, metadata), pkce(config, metadata, self)];
}

async function metadataOf({ portal }: Config, options: AskOptions): Promise<Metadata | undefined> {
  try {
    const url = new URL("/.well-known/oauth-authorization-server", portal).href;
    const { status, body } = await ask(url, options);
    const metadata: unknown = status === 200 ? JSON.parse(body) : undefined;
    const isMetadata = typeof metadata === "object" && metadata !== null && "issuer" in metadata;
    return isMetadata ? metadata : undefined;
  } catch {
    return undefined;
  }
}

function checkMetadata({ portal }: Config, metadata: Metadata | undefined): Finding {
  const check = "OAuth metadata";
  if (!metadata) return skipped(check, "the portal offers none (RFC 8414), which is usual for Enterprise");
  const { host } = new URL(portal);
  const others = [metadata.issuer, metadata.authorization_endpoint].filter(
    (url) => typeof url !== "string" || !URL.canParse(url) || new URL(url).host !== host,
  );
  if (others.length === 0) return ok(check, `is offered by ${host}, and about itself`);
  const cure = "Set PORTAL_URL to the address that the portal has for itself.";
  return warning(check, `is offered by ${host}, but about another address`, cure);
}

const tooOld = "If it is older than Enterprise 10.8.1, set PKCE to false until it is renewed.";

function pkce(config: Config, metadata: Metadata | undefined, { currentVersion }: PortalSelf): Finding {
  const check = "PKCE";
  const methods = metadata?.code_challenge_methods_supported;
  const says = Array.isArray(methods) ? methods.includes("S256") : undefined;
  // Of those below 8.4 (Enterprise 10.9), the Maps SDK does not expect it either; 10.8.1 is among them and has it.
  const isSupported = says ?? (Number.parseFloat(String(currentVersion)) >= 8.4 ? true : undefined);
  if (config.pkce && isSupported) return ok(check, "is supported by the portal, and used");
  if (config.pkce && says === false) {
    return problem(check, "is used, but the portal says that it does not support it", tooOld);
  }
  if (config.pkce) return warning(check, "is used, but this version of the portal may not know it", tooOld);
  if (isSupported) {
    return problem(
      check,
      "is switched off, but the portal supports it",
      "Remove PKCE from the configuration.",
    );
  }
  return warning(
    check,
    "is switched off",
    "Remove PKCE from the configuration once the portal is 10.8.1 or later.",
  );
}
