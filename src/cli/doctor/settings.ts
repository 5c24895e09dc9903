import { type Config, ConfigError } from "../../app/config/config.ts";
import { openViews } from "../../app/pages/views.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import { authorityFix, whyNoResponse } from "./portal.ts";
import { type DoctorOptions, probe } from "./probe.ts";

export function checkReverseProxy({ secure, trustProxy }: Config): Finding {
  if (secure && trustProxy === false)
    return problem(
      "REDIRECT_URI is https, so there is a reverse proxy in front, but TRUST_PROXY is false: every sign-in is refused",
      "Set TRUST_PROXY to 1 (one proxy) or to the proxy's address, and let the proxy send X-Forwarded-Proto.",
    );
  if (!secure && trustProxy !== false)
    return warning(
      "REDIRECT_URI is on this machine without https, but TRUST_PROXY is set: clients could forge their address",
      "Remove TRUST_PROXY, or set REDIRECT_URI to the https URL in front.",
    );
  return ok(secure ? `TRUST_PROXY is ${trustProxy}` : "none, because REDIRECT_URI is on this machine");
}

/** Starts a sign-in at the public URL, to see what the reverse proxy changes. */
export async function checkRedirect(
  { secure, redirectUri, portal }: Config,
  options: DoctorOptions,
): Promise<Finding | undefined> {
  if (!secure) return undefined;
  const url = new URL("sign-in?portal=main", redirectUri);
  const response = await probe(url.href, options).catch((error: Error) => error);
  if (response instanceof Error) {
    const [found, fix] = whyNoResponse(response, url);
    return skipped(`${found}.${fix === authorityFix ? ` ${fix}` : ""}`.replace(/\.$/, ""));
  }
  const { location = "" } = response.headers;
  if (location.startsWith(`${portal}/`)) return ok("leads to the portal");
  if (/\/oauth2\/authorize/.test(location))
    return problem(
      "the reverse proxy changes its host, so no sign-in reaches the portal",
      'In IIS, turn off "Reverse rewrite host in response headers" (docs/windows.md).',
    );
  if (response.body.includes('data-code="insecure_connection"'))
    return problem(
      "the reverse proxy does not say that users come by https",
      "Let it send X-Forwarded-Proto (for IIS with ARR see docs/windows.md), and set TRUST_PROXY.",
    );
  return skipped(
    `what responds at ${url.host} is not this server (HTTP ${response.status}), or it does not run`,
  );
}

/** Whether the redirect URI leads to the address on which the server listens. */
export function checkListener({ secure, redirectUri, port, host, trustProxy }: Config): Finding {
  const { hostname, port: publicPort } = new URL(redirectUri);
  const expected = Number(publicPort || 80);
  if (!secure && port !== 0 && expected !== port)
    return problem(
      `REDIRECT_URI leads to port ${expected}, but the server listens on ${port}`,
      `Set PORT to ${expected}, or correct REDIRECT_URI here and at the portal.`,
    );
  if (["0.0.0.0", "::"].includes(host) && typeof trustProxy === "number")
    return warning(
      `${host}:${port}, so clients that reach this port past the proxy can forge their address`,
      "Listen on 127.0.0.1, let only the proxy reach the port, or set TRUST_PROXY to the proxy's address.",
    );
  const other = { localhost: "127.0.0.1", "127.0.0.1": "localhost" }[hostname];
  const hint = other ? `; users must open ${hostname}, because ${other} is another host to browsers` : "";
  return ok(`${host}:${port}${hint}`);
}

/** The templates and catalogs of VIEWS_DIR, read and compiled as at a start. */
export function checkViews(config: Config): Finding | undefined {
  if (config.viewsDir === undefined) return undefined;
  try {
    const { languages } = openViews(config);
    return ok(`the pages compile, in ${[...languages.keys()].join(", ")}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return problem(error.problems.join("; "), "Correct the file: until then the server does not start.");
  }
}
