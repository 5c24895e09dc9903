import type { Config } from "../../app/config/config.ts";
import { printable } from "../terminal.ts";
import { type Finding, ok, problem, skipped, warning } from "./finding.ts";
import { type AppFacts, askAboutApp } from "./oauth.ts";
import { type DoctorOptions, type ProbeResponse, parseObject, probe } from "./probe.ts";

/** The facts about a portal for its checks. */
export interface PortalFacts {
  portal: string;
  /** The clock of this machine (ms since 1970). */
  now: number;
  /** The response to portals/self, or why there is none. */
  response: ProbeResponse | NodeJS.ErrnoException;
  /** What the portal says about the app; `undefined` when the portal cannot be used. */
  app: AppFacts | undefined;
}

/** Asks the portal where the server reaches it. */
export async function askPortal(config: Config, options: DoctorOptions): Promise<PortalFacts> {
  const { portalServerUrl: portal = config.portal } = config;
  const response: PortalFacts["response"] = await probe(`${portal}/portals/self?f=json`, options).catch(
    (error) => error,
  );
  const now = options.now?.() ?? Date.now();
  const self = response instanceof Error || response.status !== 200 ? undefined : parseObject(response.body);
  const isPortal = self !== undefined && !("error" in self);
  const app = isPortal ? await askAboutApp({ ...config, portal }, self, options) : undefined;
  return { portal, now, response, app };
}

/** Whether the portal responds like an ArcGIS portal. */
export function checkPortal({ portal, response, app }: PortalFacts): Finding {
  if (response instanceof Error) return problem(...whyNoResponse(response, new URL(portal)));
  if (!app) return problem(...whyNoPortal(response));
  if (app.self.supportsOAuth === false)
    return problem(
      `${portal} does not support OAuth`,
      "Ask an administrator of the portal to turn on OAuth.",
    );
  const version = printable(String(app.self.currentVersion ?? "unknown")).slice(0, 40);
  return ok(`${portal} responds in ${response.ms} ms; its version is ${version}`);
}

type Reason = [found: string, fix: string];

function whyNoPortal({ status, headers, body }: ProbeResponse): Reason {
  if (status >= 300 && status < 400) {
    const { location = "" } = headers;
    const where = URL.canParse(location) ? ` to ${new URL(location).host}` : "";
    return [`the URL redirects${where}`, "Set PORTAL_URL to the target; the server follows no redirects."];
  }
  if (status >= 500) return [`the portal responds with an error (HTTP ${status})`, "Try again in a minute."];
  if (status === 401 && /Negotiate|NTLM/i.test(headers["www-authenticate"] ?? "")) {
    const fix =
      "Set PORTAL_SERVER_URL to port 7443 of the portal (https://portal.example.com:7443/arcgis), or to a second web adaptor without Windows authentication.";
    return ["the web adaptor asks this server for a Windows sign-in (HTTP 401, Negotiate)", fix];
  }
  if (status === 401 || status === 403) {
    const fix = "Web-tier authentication in front of the portal blocks servers: allow this one.";
    return [`the portal rejects this server's requests (HTTP ${status})`, fix];
  }
  const kind = body.trimStart().startsWith("{") ? "an error" : "no JSON";
  const fix = "Set PORTAL_URL to the portal's URL, with its web adaptor: https://gis.example.com/portal.";
  return [`the response is not from a portal (HTTP ${status}, ${kind})`, fix];
}

export const authorityFix =
  "If this machine trusts the authority: set NODE_USE_SYSTEM_CA to 1 in the environment of the server (Node 22.19, 24.6 or later). If not: put its certificate (PEM) into a file and set NODE_EXTRA_CA_CERTS to that file.";
const proxyFix = "Correct HTTPS_PROXY, let that proxy connect to the portal, or put the host into NO_PROXY.";

/** Where Node's error happened. `errors` has the attempts at the addresses of a host. */
type PlacedError = NodeJS.ErrnoException & { hostname?: string; port?: number; errors?: PlacedError[] };

/** Explains the codes of Node (errno) and OpenSSL, and what to do if it is the portal's. */
export function whyNoResponse(error: PlacedError, { host, hostname, protocol, port }: URL): Reason {
  const { code = "", message, errors: [place = error] = [] } = error;
  const isPortals = [undefined, Number(port || (protocol === "https:" ? 443 : 80))].includes(place.port);
  if (!isPortals || ![undefined, hostname].includes(place.hostname))
    return [`the forward proxy ${place.hostname ?? `at port ${place.port}`} is away (${code})`, proxyFix];
  const unknownAuthority: Reason = [`the certificate of ${host} is from an unknown authority`, authorityFix];
  const known: Record<string, Reason> = {
    ENOTFOUND: [`the host name ${host} does not exist`, "Correct PORTAL_URL, or this machine's DNS."],
    EAI_AGAIN: [`the host name ${host} cannot be resolved now`, "Repair this machine's DNS."],
    ECONNREFUSED: [`nothing listens at ${host}`, "Start the portal, or correct PORTAL_URL."],
    ECONNRESET: [`${host} closes the connection`, "Check for a firewall, and whether it expects https."],
    ETIMEDOUT: [`${host} does not respond within 10 s`, "Check for a firewall or a proxy in between."],
    CERT_HAS_EXPIRED: [`the certificate of ${host} has expired`, "Replace it at the portal."],
    CERT_NOT_YET_VALID: [`the certificate of ${host} is not valid yet`, "Set this machine's clock."],
    ERR_TLS_CERT_ALTNAME_INVALID: [
      `the certificate of ${host} is for another name`,
      "Set PORTAL_URL to the name in the certificate.",
    ],
    DEPTH_ZERO_SELF_SIGNED_CERT: [`the certificate of ${host} is self-signed`, authorityFix],
    SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
      `the certificate chain of ${host} is incomplete`,
      `Let the portal send its intermediate certificates, too. ${authorityFix}`,
    ],
    ERR_PROXY_TUNNEL: [`the forward proxy does not connect to ${host}`, proxyFix],
    EPROTO: [`TLS with ${host} fails`, "Check whether that port uses https."],
  };
  return (
    known[code] ?? [`${host} cannot be reached (${code || message})`, "Correct PORTAL_URL or the network."]
  );
}

const dayMs = 24 * 60 * 60_000;

export function checkCertificate({ response, now }: PortalFacts): Finding | undefined {
  if (response instanceof Error || !response.certificateExpires) return undefined;
  const { certificateExpires } = response;
  const day = certificateExpires.toISOString().slice(0, 10);
  return certificateExpires.getTime() >= now + 14 * dayMs
    ? ok(`is trusted, and valid until ${day}`)
    : warning(`is trusted, but expires on ${day}`, "Replace it: users cannot sign in after that.");
}

/** Seconds of difference for a warning, and for a problem: new tokens then look expired. */
const skew = { warning: 30, problem: 300 };

export function checkClock({ response, now }: PortalFacts): Finding | undefined {
  if (response instanceof Error) return undefined;
  const theirs = Date.parse(response.headers.date ?? "");
  if (Number.isNaN(theirs)) return skipped("the portal does not send its time");
  // The header has whole seconds, and was written about half way through the request.
  const seconds = Math.round((now - response.ms / 2 - (theirs + 500)) / 1000);
  const off = `this machine's is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the portal's`;
  const fix = "Let both machines set their clocks by NTP.";
  if (Math.abs(seconds) > skew.problem) return problem(off, fix);
  return Math.abs(seconds) > skew.warning ? warning(off, fix) : ok("agrees with the portal's");
}
