import type { Config } from "../../app/config/config.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import { type DoctorOptions, parseObject, probe } from "./probe.ts";

type Json = Record<string, unknown>;
/** What the portal says about a client ID and a redirect URI. */
type Verdict = "registered" | "unknown client" | "unknown redirect URI" | "blocked" | "unclear";

/** The facts for the checks of the app's registration. */
export interface AppFacts {
  config: Config;
  /** The portal's description of itself. */
  self: Json;
  /** RFC 8414, 2. */
  metadata: Json | undefined;
  verdict: Verdict;
  /** Frequent mistakes: a registered URI that differs only by a final slash or by localhost. */
  similarUri: string | undefined;
}

export async function askAboutApp(config: Config, self: Json, options: DoctorOptions): Promise<AppFacts> {
  const metadataUrl = new URL("/.well-known/oauth-authorization-server", config.portal).href;
  const response = await probe(metadataUrl, options).catch(() => undefined);
  const found = response?.status === 200 ? parseObject(response.body) : undefined;
  const metadata = found && "issuer" in found ? found : undefined;
  const verdict = await verdictOn(config, config.redirectUri, options);
  const others = verdict === "unknown redirect URI" ? similarUris(config.redirectUri) : [];
  const verdicts = await Promise.all(others.map((uri) => verdictOn(config, uri, options)));
  return { config, self, metadata, verdict, similarUri: others[verdicts.indexOf("registered")] };
}

function similarUris(uri: string): string[] {
  const withHost = (host: string) =>
    uri.replace(/\/$/, "").replace(/\/\/(localhost|127\.0\.0\.1)\b/, `//${host}`);
  const similar = ["localhost", "127.0.0.1"].map(withHost).flatMap((bare) => [bare, `${bare}/`]);
  return similar.filter((each) => each !== uri);
}

/**
 * Requests the authorize page, because the portal reports an unknown client ID or redirect URI only there, to the
 * visitor.
 */
async function verdictOn(
  { portal, clientId }: Config,
  redirectUri: string,
  options: DoctorOptions,
): Promise<Verdict> {
  const query = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    state: "doctor",
    // From RFC 7636, appendix B: the authorization code is never used.
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
  });
  const response = await probe(`${portal}/oauth2/authorize?${query}`, options).catch(() => undefined);
  if (!response) return "unclear";
  const { status, headers, body } = response;
  // ArcGIS's own words on a page "Error 400" (support.esri.com 000015445), whose status is not documented.
  if (/Invalid client_id/i.test(body)) return "unknown client";
  if (/Invalid redirect_uri/i.test(body)) return "unknown redirect URI";
  const { location = "" } = headers;
  if (location.startsWith(redirectUri)) return /[?&]error=/.test(location) ? "blocked" : "registered";
  // The sign-in page, or a redirect to the organization's own.
  return status === 200 || (status >= 300 && status < 400) ? "registered" : "unclear";
}

/** Whether the portal's metadata is its own. */
export function checkMetadata({ config, metadata }: AppFacts): Finding {
  if (!metadata) return skipped("the portal has none (RFC 8414), which is usual for Enterprise");
  const { host } = new URL(config.portal);
  const isOwn = [metadata.issuer, metadata.authorization_endpoint].every(
    (url) => typeof url === "string" && URL.canParse(url) && new URL(url).host === host,
  );
  const fix = "Set PORTAL_URL to the URL that the portal uses for itself.";
  return isOwn ? ok(`${host} describes itself`) : warning(`${host} describes another host`, fix);
}

/** Whether the setting PKCE fits the portal's metadata or, without metadata, its version. */
export function checkPkce({ config, metadata, self }: AppFacts): Finding {
  const methods = metadata?.code_challenge_methods_supported;
  const declared = Array.isArray(methods) ? methods.includes("S256") : undefined;
  // Like the Maps SDK, don't expect it below 8.4 (Enterprise 10.9); 10.8.1 is among those and has it.
  const isSupported = declared ?? Number.parseFloat(String(self.currentVersion)) >= 8.4;
  if (!config.pkce)
    return isSupported
      ? problem("is off, but the portal supports it", "Remove PKCE from the configuration.")
      : warning("is off", "Remove PKCE from the configuration once the portal is 10.8.1 or later.");
  if (isSupported) return ok("is on, and the portal supports it");
  const fix = "If it is older than Enterprise 10.8.1, set PKCE to false until it is upgraded.";
  return declared === false
    ? problem("is on, but the portal does not support it", fix)
    : warning("is on, but this version of the portal may not support it", fix);
}

const unclear = "the portal's sign-in page could not be read";

export function checkClientId({ verdict }: AppFacts): Finding {
  if (verdict === "unclear") return skipped(unclear);
  if (verdict !== "unknown client") return ok("is known to the portal");
  const fix = "Copy the client ID from the OAuth credentials item, and check that it belongs to this portal.";
  return problem("is unknown to the portal", fix);
}

export function checkRedirectUri({ config, verdict, similarUri }: AppFacts): Finding {
  const { redirectUri } = config;
  if (verdict === "registered") return ok(`${redirectUri} is registered`);
  if (verdict === "unknown client") return skipped("not known");
  if (verdict === "unknown redirect URI") {
    const found = `is not registered${similarUri ? ` (${similarUri} is registered)` : ""}`;
    const other = similarUri ? "Set REDIRECT_URI to the registered one, or add" : "Add";
    return problem(found, `${other} exactly this redirect URI to the OAuth credentials item: ${redirectUri}`);
  }
  const fix = `Open ${new URL("sign-in", redirectUri)} in a browser and read what the portal says.`;
  return warning(verdict === "blocked" ? "the portal returns an error to this app" : unclear, fix);
}
