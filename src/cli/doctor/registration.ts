import type { Config } from "../../app/config/config.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import { type ProbeOptions, probe } from "./probe.ts";

/** The portal's opinion of a client ID and a redirect URI. */
type Verdict = "registered" | "unknown client" | "unknown redirect URI" | "blocked" | "unclear";

/**
 * Whether the portal knows the client ID and the redirect URI. If it does not, only the visitor would see that, on a
 * page of the portal, so this requests and reads that page.
 */
export async function checkRegistration(config: Config, options: ProbeOptions): Promise<Finding[]> {
  const { redirectUri } = config;
  const verdict = await verdictOn(config, redirectUri, options);
  if (verdict === "unknown client") {
    const fix =
      "Copy the client ID from the OAuth credentials item, and check that it belongs to this portal.";
    return [problem("client ID", "is unknown to the portal", fix), skipped("redirect URI", "not known")];
  }
  const client = ok("client ID", "is known to the portal");
  const check = "redirect URI";
  if (verdict === "registered") return [client, ok(check, `${redirectUri} is registered`)];
  if (verdict === "unknown redirect URI") {
    const other = await registeredSpelling(config, options);
    const found = other ? `is not registered (${other} is registered)` : "is not registered";
    const fix = `Add exactly this redirect URI to the OAuth credentials item: ${redirectUri}`;
    return [client, problem(check, found, fix)];
  }
  const fix = `Open ${new URL("sign-in", redirectUri)} in a browser and read what the portal says.`;
  if (verdict === "blocked") return [client, warning(check, "the portal returns an error to this app", fix)];
  const unclear = "the portal's sign-in page could not be read";
  return [skipped("client ID", unclear), warning(check, unclear, fix)];
}

/** A registered URI that differs by a slash at the end or by localhost, as people copy them. */
async function registeredSpelling(config: Config, options: ProbeOptions): Promise<string | undefined> {
  const { redirectUri } = config;
  const otherSlash = (uri: string) => (uri.endsWith("/") ? uri.slice(0, -1) : `${uri}/`);
  const otherHost = (uri: string) =>
    uri.includes("//localhost")
      ? uri.replace("//localhost", "//127.0.0.1")
      : uri.replace("//127.0.0.1", "//localhost");
  for (const other of [otherSlash(redirectUri), otherHost(redirectUri), otherHost(otherSlash(redirectUri))]) {
    if (other !== redirectUri && (await verdictOn(config, other, options)) === "registered") return other;
  }
  return undefined;
}

async function verdictOn(
  { portal, clientId }: Config,
  redirectUri: string,
  options: ProbeOptions,
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
  try {
    const { status, headers, body } = await probe(`${portal}/oauth2/authorize?${query}`, options);
    // ArcGIS's own words on a page "Error 400" (support.esri.com 000015445), whose status is not documented.
    if (/Invalid client_id/i.test(body)) return "unknown client";
    if (/Invalid redirect_uri/i.test(body)) return "unknown redirect URI";
    const { location = "" } = headers;
    if (location.startsWith(redirectUri)) return /[?&]error=/.test(location) ? "blocked" : "registered";
    // The sign-in page, or a redirect to the organization's own.
    return status === 200 || (status >= 300 && status < 400) ? "registered" : "unclear";
  } catch {
    return "unclear";
  }
}
