import type { Config } from "../../app/config/config.ts";
import { type AskOptions, ask } from "./ask.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";

/** What the portal thinks of a client id and a redirect URI. */
type Verdict = "registered" | "client unknown" | "redirect refused" | "blocked" | "unclear";

/**
 * Whether the portal knows the client id and the redirect URI. When it does not, it tells the visitor so on a page of
 * its own, and this server would never hear of it: so the page is asked for here, and read.
 */
export async function checkRegistration(config: Config, options: AskOptions): Promise<Finding[]> {
  const { redirectUri } = config;
  const verdict = await verdictOn(config, redirectUri, options);
  if (verdict === "client unknown") {
    const cure =
      "Copy the client id from the OAuth credentials item, and look whether it belongs to this portal.";
    return [problem("client id", "the portal does not know it", cure), skipped("redirect URI", "not known")];
  }
  const client = ok("client id", "the portal knows it");
  const check = "redirect URI";
  if (verdict === "registered") return [client, ok(check, `${redirectUri} is registered`)];
  if (verdict === "redirect refused") {
    const spelling = await registeredSpelling(config, options);
    const instead = spelling ? ` (${spelling} is registered)` : "";
    const cure = `Add exactly this redirect URL to the OAuth credentials item: ${redirectUri}`;
    return [client, problem(check, `is not registered${instead}`, cure)];
  }
  const open = `Open ${new URL("sign-in", redirectUri)} in a browser and read what the portal says.`;
  if (verdict === "blocked") {
    return [client, warning(check, "the portal sends sign-ins of this app back with an error", open)];
  }
  const unclear = "the portal's sign-in page could not be read";
  return [skipped("client id", unclear), warning(check, unclear, open)];
}

/** Another spelling of the redirect URI that the portal knows: people copy a slash too many, or the other localhost. */
async function registeredSpelling(config: Config, options: AskOptions): Promise<string | undefined> {
  const { redirectUri } = config;
  const slash = redirectUri.endsWith("/") ? redirectUri.slice(0, -1) : `${redirectUri}/`;
  const hosts = redirectUri.includes("//localhost") ? ["localhost", "127.0.0.1"] : ["127.0.0.1", "localhost"];
  const host = (uri: string) => uri.replace(`//${hosts[0]}`, `//${hosts[1]}`);
  const others = new Set([slash, host(redirectUri), host(slash)]);
  others.delete(redirectUri);
  for (const other of others) {
    if ((await verdictOn(config, other, options)) === "registered") return other;
  }
  return undefined;
}

async function verdictOn(
  { portal, clientId }: Config,
  redirectUri: string,
  options: AskOptions,
): Promise<Verdict> {
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
    if (/Invalid client_id/i.test(body)) return "client unknown";
    if (/Invalid redirect_uri/i.test(body)) return "redirect refused";
    const backHere = headers.location?.startsWith(redirectUri);
    if (backHere) return /[?&]error=/.test(headers.location ?? "") ? "blocked" : "registered";
    // The sign-in page, or the way to the organisation's own.
    return status === 200 || (status >= 300 && status < 400) ? "registered" : "unclear";
  } catch {
    return "unclear";
  }
}
