import type { Config } from "../../app/config/config.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";
import { type ProbeOptions, type ProbeResponse, probe } from "./probe.ts";

/** The portal's own description (portals/self); the fields are not validated. */
export interface PortalSelf {
  currentVersion?: unknown;
  supportsOAuth?: unknown;
}

/** The findings about a portal, and its description for the next checks. */
export interface PortalFindings {
  findings: Finding[];
  /** Left out when the portal cannot be used. */
  self?: PortalSelf;
}

/** Whether the portal responds as one, whether its certificate stays valid, and whether the clocks agree. */
export async function checkPortal({ portal }: Config, options: ProbeOptions): Promise<PortalFindings> {
  const { now = Date.now } = options;
  const check = "portal";
  let response: ProbeResponse;
  try {
    response = await probe(`${portal}/portals/self?f=json`, options);
  } catch (error) {
    return { findings: [problem(check, ...whyNoResponse(error as NodeJS.ErrnoException, portal))] };
  }
  const others = [...checkCertificate(response, now()), checkClock(response, now())];
  const self = selfOf(response.body);
  if (response.status !== 200 || !self)
    return { findings: [problem(check, ...whyNoPortal(response)), ...others] };
  if (self.supportsOAuth === false) {
    const fix = "Ask an administrator of the portal to turn on OAuth.";
    return { findings: [problem(check, `${portal} does not support OAuth`, fix), ...others], self };
  }
  const version = printableText(self.currentVersion) || "unknown";
  const found = `${portal} responds in ${response.ms} ms; its version is ${version}`;
  return { findings: [ok(check, found), ...others], self };
}

/** A value from the portal that is safe in a terminal. */
function printableText(value: unknown): string {
  if (typeof value !== "string" && typeof value !== "number") return "";
  return String(value)
    .replace(/[^\x20-\x7e]/g, "")
    .slice(0, 40);
}

function selfOf(body: string): PortalSelf | undefined {
  try {
    const self: unknown = JSON.parse(body);
    const isSelf = typeof self === "object" && self !== null && !Array.isArray(self) && !("error" in self);
    return isSelf ? self : undefined;
  } catch {
    return undefined;
  }
}

type Reason = [found: string, fix: string];

function whyNoPortal({ status, headers, body }: ProbeResponse): Reason {
  if (status >= 300 && status < 400) {
    const { location = "" } = headers;
    const where = URL.canParse(location) ? ` to ${new URL(location).host}` : "";
    return [`the URL redirects${where}`, "Set PORTAL_URL to the target; the server follows no redirects."];
  }
  if (status >= 500) return [`the portal has an error of its own (HTTP ${status})`, "Try again in a minute."];
  if (status === 401 || status === 403) {
    const fix = "Web-tier authentication in front of the portal blocks servers: allow this one.";
    return [`the portal rejects this server's requests (HTTP ${status})`, fix];
  }
  const kind = body.trimStart().startsWith("{") ? "an error" : "no JSON";
  const fix = "Set PORTAL_URL to the portal's URL, with its web adaptor: https://gis.example.com/portal.";
  return [`the response is not from a portal (HTTP ${status}, ${kind})`, fix];
}

const authorityFix =
  "If you run the authority: put its certificate (PEM) into a file and set NODE_EXTRA_CA_CERTS to that file, in the environment of the server.";

/** Explains the codes of Node (errno) and OpenSSL. */
function whyNoResponse({ code = "", message }: NodeJS.ErrnoException, portal: string): Reason {
  const { host } = new URL(portal);
  const unknownAuthority: Reason = [`the certificate of ${host} is from an unknown authority`, authorityFix];
  const known: Record<string, Reason> = {
    ENOTFOUND: [`the host name ${host} does not exist`, "Correct PORTAL_URL, or this machine's DNS."],
    EAI_AGAIN: [`the host name ${host} cannot be resolved now`, "Repair this machine's DNS."],
    ECONNREFUSED: [`nothing listens at ${host}`, "Start the portal, or correct PORTAL_URL."],
    ECONNRESET: [
      `${host} closes the connection`,
      "Check for a firewall in between, and whether it expects https.",
    ],
    ETIMEDOUT: [`${host} does not respond within 10 s`, "Check for a firewall or a proxy in between."],
    CERT_HAS_EXPIRED: [`the certificate of ${host} has expired`, "Renew it at the portal."],
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
    EPROTO: [`TLS with ${host} fails`, "Check whether that port is https at all."],
  };
  return (
    known[code] ?? [`${host} cannot be reached (${code || message})`, "Correct PORTAL_URL or the network."]
  );
}

const dayMs = 24 * 60 * 60_000;

function checkCertificate({ certificateExpires }: ProbeResponse, now: number): Finding[] {
  if (!certificateExpires) return [];
  const check = "portal's certificate";
  const day = certificateExpires.toISOString().slice(0, 10);
  if (certificateExpires.getTime() >= now + 14 * dayMs)
    return [ok(check, `is trusted, and valid until ${day}`)];
  return [warning(check, `is trusted, but expires on ${day}`, "Renew it: users cannot sign in after that.")];
}

/** Seconds of difference that are worth a look, and that make new tokens look expired. */
const skew = { warning: 30, problem: 300 };

function checkClock({ headers, ms }: ProbeResponse, now: number): Finding {
  const check = "clock";
  const theirs = Date.parse(headers.date ?? "");
  if (Number.isNaN(theirs)) return ok(check, "the portal does not send its time");
  // The header has whole seconds, and was written about half way through the request.
  const seconds = Math.round((now - ms / 2 - (theirs + 500)) / 1000);
  const off = `this machine's is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the portal's`;
  const fix = "Let both machines set their clocks by NTP.";
  if (Math.abs(seconds) > skew.problem) return problem(check, off, fix);
  return Math.abs(seconds) > skew.warning ? warning(check, off, fix) : ok(check, "agrees with the portal's");
}
