import type { Config } from "../../app/config/config.ts";
import { type AskOptions, ask, type Heard } from "./ask.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** What the portal says of itself (portals/self); the fields are not checked yet. */
export interface PortalSelf {
  currentVersion?: unknown;
  supportsOAuth?: unknown;
}

/** What was found of a portal, and what the next checks need of its answer. */
export interface PortalFindings {
  findings: Finding[];
  /** Left out when the portal cannot be asked anything else. */
  self?: PortalSelf;
}

/** Whether the portal answers as one, how good its certificate is, and whether its clock is ours. */
export async function checkPortal(
  { portal }: Config,
  options: AskOptions & { now: () => number },
): Promise<PortalFindings> {
  const check = "portal";
  let heard: Heard;
  try {
    heard = await ask(`${portal}/portals/self?f=json`, options);
  } catch (error) {
    const [found, cure] = whySilent(error as NodeJS.ErrnoException, new URL(portal).host);
    return { findings: [problem(check, found, cure)] };
  }
  const about = [...checkCertificate(heard, options.now()), checkClock(heard, options.now())];
  const self = selfOf(heard.body);
  if (heard.status !== 200 || !self) {
    const [found, cure] = whyNoPortal(heard);
    return { findings: [problem(check, found, cure), ...about] };
  }
  const version = textOf(self.currentVersion) || "unknown";
  const reached = ok(check, `${portal} answers in ${heard.ms} ms; its version is ${version}`);
  if (self.supportsOAuth === false) {
    const cure = "Ask an administrator of the portal to switch OAuth on.";
    return { findings: [problem(check, `${portal} does not support OAuth`, cure), ...about], self };
  }
  return { findings: [reached, ...about], self };
}

/** A text of the portal's as it may be shown in a terminal. */
function textOf(value: unknown): string {
  const isText = typeof value === "string" || typeof value === "number";
  return isText
    ? String(value)
        .replace(/[^\x20-\x7e]/g, "")
        .slice(0, 40)
    : "";
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

const addressCure =
  "Set PORTAL_URL to the address of the portal, with its web adaptor: https://gis.example.com/portal.";

function whyNoPortal({ status, headers, body }: Heard): [found: string, cure: string] {
  if (status >= 300 && status < 400) {
    const { location = "" } = headers;
    const where = URL.canParse(location) ? ` to ${new URL(location).host}` : "";
    return [
      `the address is redirected${where}`,
      "Set PORTAL_URL to where it leads; redirects are not followed.",
    ];
  }
  if (status >= 500) return [`the portal has a fault of its own (HTTP ${status})`, "Try again in a minute."];
  if (status === 401 || status === 403) {
    const cure = "Web-tier authentication in front of the portal keeps servers out: let this one through.";
    return [`the portal does not let this server ask (HTTP ${status})`, cure];
  }
  const kind = body.trimStart().startsWith("{") ? "an error" : "no JSON";
  return [`what answers there is no portal (HTTP ${status}, ${kind})`, addressCure];
}

const authorityCure =
  "If its authority is your own: put the authority's certificate (PEM) into a file and name it in NODE_EXTRA_CA_CERTS, in the environment of the server.";

/** The codes of Node (errno) and OpenSSL, in words. */
function whySilent(
  { code = "", message }: NodeJS.ErrnoException,
  host: string,
): [found: string, cure: string] {
  const known: Record<string, [string, string]> = {
    ENOTFOUND: [`the name of ${host} is not known`, "Correct PORTAL_URL, or this machine's DNS."],
    EAI_AGAIN: [`the name of ${host} cannot be looked up now`, "Mend this machine's DNS."],
    ECONNREFUSED: [`nothing listens at ${host}`, "Start the portal, or correct PORTAL_URL."],
    ECONNRESET: [`${host} hangs up`, "Look for a firewall in between, and whether it wants https."],
    ETIMEDOUT: [`${host} does not answer within 10 s`, "Look for a firewall or a proxy in between."],
    CERT_HAS_EXPIRED: [`the certificate of ${host} has expired`, "Renew it at the portal."],
    CERT_NOT_YET_VALID: [`the certificate of ${host} is not valid yet`, "Set this machine's clock."],
    ERR_TLS_CERT_ALTNAME_INVALID: [
      `the certificate at ${host} is for another name`,
      "Set PORTAL_URL to the name in the certificate.",
    ],
    DEPTH_ZERO_SELF_SIGNED_CERT: [`${host} has a certificate that it signed itself`, authorityCure],
    SELF_SIGNED_CERT_IN_CHAIN: [`the certificate of ${host} comes from an unknown authority`, authorityCure],
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
      `the certificate of ${host} comes from an unknown authority`,
      authorityCure,
    ],
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
      `the chain of the certificate of ${host} is not complete`,
      `Let the portal send its intermediate certificates, too. ${authorityCure}`,
    ],
    EPROTO: [`${host} does not speak TLS as it should`, "Look whether that port is https at all."],
  };
  return (
    known[code] ?? [`${host} cannot be reached (${code || message})`, "Correct PORTAL_URL or the network."]
  );
}

const dayMs = 24 * 60 * 60_000;

function checkCertificate({ certificateEnds }: Heard, now: number): Finding[] {
  if (!certificateEnds) return [];
  const check = "portal's certificate";
  const day = certificateEnds.toISOString().slice(0, 10);
  if (certificateEnds.getTime() < now + 14 * dayMs) {
    return [
      warning(check, `is trusted, but ends on ${day}`, "Have it renewed: afterwards nobody can sign in."),
    ];
  }
  return [ok(check, `is trusted, and good until ${day}`)];
}

/** Two numbers of seconds: what is worth a look, and what makes fresh tokens look spent. */
const skew = { worthALook: 30, tooMuch: 300 };

function checkClock({ headers, ms }: Heard, now: number): Finding {
  const check = "clock";
  const theirs = Date.parse(headers.date ?? "");
  if (Number.isNaN(theirs)) return ok(check, "the portal does not tell the time");
  // The header has whole seconds, and was written somewhere in the middle of the answer.
  const seconds = Math.round((now - ms / 2 - (theirs + 500)) / 1000);
  const off = `this machine's is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the portal's`;
  const cure = "Let both machines set their clocks by NTP.";
  if (Math.abs(seconds) > skew.tooMuch) return problem(check, off, cure);
  if (Math.abs(seconds) > skew.worthALook) return warning(check, off, cure);
  return ok(check, "agrees with the portal's");
}
