import type { Config } from "../../app/config/config.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import type { PortalSelf } from "./portal.ts";
import { type ProbeOptions, probe } from "./probe.ts";

/** The used part of a portal's metadata (RFC 8414, 2). */
interface Metadata {
  issuer?: unknown;
  authorization_endpoint?: unknown;
  code_challenge_methods_supported?: unknown;
}

/** Whether the portal's metadata is its own, and whether the setting PKCE fits to it, or else to the portal's version. */
export async function checkPkce(config: Config, self: PortalSelf, options: ProbeOptions): Promise<Finding[]> {
  const metadata = await fetchMetadata(config, options);
  return [checkMetadata(config, metadata), checkSetting(config, metadata, self)];
}

async function fetchMetadata({ portal }: Config, options: ProbeOptions): Promise<Metadata | undefined> {
  try {
    const url = new URL("/.well-known/oauth-authorization-server", portal).href;
    const { status, body } = await probe(url, options);
    const metadata: unknown = status === 200 ? JSON.parse(body) : undefined;
    const isMetadata = typeof metadata === "object" && metadata !== null && "issuer" in metadata;
    return isMetadata ? metadata : undefined;
  } catch {
    return undefined;
  }
}

function checkMetadata({ portal }: Config, metadata: Metadata | undefined): Finding {
  const check = "OAuth metadata";
  if (!metadata) return skipped(check, "the portal has none (RFC 8414), which is usual for Enterprise");
  const { host } = new URL(portal);
  const isOwn = [metadata.issuer, metadata.authorization_endpoint].every(
    (url) => typeof url === "string" && URL.canParse(url) && new URL(url).host === host,
  );
  return isOwn
    ? ok(check, `${host} describes itself`)
    : warning(
        check,
        `${host} describes another host`,
        "Set PORTAL_URL to the URL that the portal uses for itself.",
      );
}

function checkSetting(
  config: Config,
  metadata: Metadata | undefined,
  { currentVersion }: PortalSelf,
): Finding {
  const check = "PKCE";
  const methods = metadata?.code_challenge_methods_supported;
  const declared = Array.isArray(methods) ? methods.includes("S256") : undefined;
  // Like the Maps SDK, don't expect it below 8.4 (Enterprise 10.9); 10.8.1 is among those and has it.
  const isSupported = declared ?? Number.parseFloat(String(currentVersion)) >= 8.4;
  if (!config.pkce) {
    return isSupported
      ? problem(check, "is off, but the portal supports it", "Remove PKCE from the configuration.")
      : warning(check, "is off", "Remove PKCE from the configuration once the portal is 10.8.1 or later.");
  }
  if (isSupported) return ok(check, "is on, and the portal supports it");
  const fix = "If it is older than Enterprise 10.8.1, set PKCE to false until it is upgraded.";
  return declared === false
    ? problem(check, "is on, but the portal does not support it", fix)
    : warning(check, "is on, but this version of the portal may not support it", fix);
}
