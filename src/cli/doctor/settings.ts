import type { Config } from "../../app/config/config.ts";
import { cookieNames } from "../../session/cookie-names.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** What the configuration's own check cannot say, because it is only wrong together. */
export function checkSettings(config: Config): Finding[] {
  return [checkSecrets(config), checkCookie(config), checkProxy(config), checkAddress(config)];
}

/** Their strength was checked when the configuration was read. */
function checkSecrets({ sessionSecrets, encryptionKeys }: Config): Finding {
  const counts = `SESSION_SECRET has ${values(sessionSecrets)}, ENCRYPTION_KEY has ${values(encryptionKeys)}`;
  return ok("secrets", `${counts}; all of them are strong`);
}

const values = (list: string[]) => (list.length === 1 ? "1 value" : `${list.length} values`);

function checkCookie(config: Config): Finding {
  const { secure, origin } = config;
  const cookie = `${cookieNames(config).session}, ${secure ? "for https only" : "without https"}`;
  return ok("cookie", `${cookie}, because people come to ${origin}`);
}

function checkProxy({ secure, trustProxy }: Config): Finding {
  const check = "reverse proxy";
  if (secure && trustProxy === false) {
    return problem(
      check,
      "REDIRECT_URI is https, so a reverse proxy stands in front, but TRUST_PROXY is false: every sign-in is refused",
      "Set TRUST_PROXY to 1 (one proxy) or to the proxy's address, and let the proxy send X-Forwarded-Proto.",
    );
  }
  if (!secure && trustProxy !== false) {
    return warning(
      check,
      "REDIRECT_URI is on this machine without https, but TRUST_PROXY is set: visitors could choose their address",
      "Leave TRUST_PROXY out, or set REDIRECT_URI to the https address in front.",
    );
  }
  return ok(check, secure ? `TRUST_PROXY is ${trustProxy}` : "none, as REDIRECT_URI is on this machine");
}

const everywhere = ["0.0.0.0", "::"];

/** Whether browsers get from the redirect URI to where the server listens. */
function checkAddress({ secure, redirectUri, port, host, trustProxy }: Config): Finding {
  const check = "address to listen on";
  const { hostname, port: shown } = new URL(redirectUri);
  if (!secure && port !== 0 && Number(shown || 80) !== port) {
    return problem(
      check,
      `REDIRECT_URI leads to port ${shown || 80}, but the server listens on ${port}`,
      `Set PORT to ${shown || 80}, or correct REDIRECT_URI here and at the portal.`,
    );
  }
  if (everywhere.includes(host) && typeof trustProxy === "number") {
    return warning(
      check,
      `${host}:${port}, so whoever reaches that port past the proxy can choose the address they seem to come from`,
      "Listen on 127.0.0.1, let only the proxy reach the port, or set TRUST_PROXY to the proxy's address.",
    );
  }
  const other = hostname === "localhost" ? "127.0.0.1" : hostname === "127.0.0.1" ? "localhost" : undefined;
  const spelling = other ? `; people must open ${hostname}, for ${other} is another host to browsers` : "";
  return ok(check, `${host}:${port}${spelling}`);
}
