import type { Config } from "../../app/config/config.ts";
import { cookieNames } from "../../app/cookie-names.ts";
import { type Finding, ok, problem, warning } from "./finding.ts";

/** What is wrong only in combination. */
export function checkSettings(config: Config): Finding[] {
  return [checkSecrets(config), checkCookie(config), checkTrustProxy(config), checkListener(config)];
}

function checkSecrets({ sessionSecrets, encryptionKeys }: Config): Finding {
  const values = (list: string[]) => (list.length === 1 ? "1 value" : `${list.length} values`);
  const counts = `SESSION_SECRET has ${values(sessionSecrets)}, ENCRYPTION_KEY has ${values(encryptionKeys)}`;
  return ok("secrets", `${counts}; all of them are strong`);
}

function checkCookie(config: Config): Finding {
  const scope = config.secure ? "for https only" : "without https";
  return ok("cookie", `${cookieNames(config).session}, ${scope}, because users open ${config.origin}`);
}

function checkTrustProxy({ secure, trustProxy }: Config): Finding {
  const check = "reverse proxy";
  if (secure && trustProxy === false) {
    return problem(
      check,
      "REDIRECT_URI is https, so there is a reverse proxy in front, but TRUST_PROXY is false: every sign-in is refused",
      "Set TRUST_PROXY to 1 (one proxy) or to the proxy's address, and let the proxy send X-Forwarded-Proto.",
    );
  }
  if (!secure && trustProxy !== false) {
    return warning(
      check,
      "REDIRECT_URI is on this machine without https, but TRUST_PROXY is set: clients could forge their address",
      "Remove TRUST_PROXY, or set REDIRECT_URI to the https URL in front.",
    );
  }
  return ok(check, secure ? `TRUST_PROXY is ${trustProxy}` : "none, because REDIRECT_URI is on this machine");
}

/** Whether the redirect URI leads browsers to where the server listens. */
function checkListener({ secure, redirectUri, port, host, trustProxy }: Config): Finding {
  const check = "address to listen on";
  const { hostname, port: publicPort } = new URL(redirectUri);
  const expected = Number(publicPort || 80);
  if (!secure && port !== 0 && expected !== port) {
    return problem(
      check,
      `REDIRECT_URI leads to port ${expected}, but the server listens on ${port}`,
      `Set PORT to ${expected}, or correct REDIRECT_URI here and at the portal.`,
    );
  }
  if (["0.0.0.0", "::"].includes(host) && typeof trustProxy === "number") {
    return warning(
      check,
      `${host}:${port}, so clients that reach this port past the proxy can forge their address`,
      "Listen on 127.0.0.1, let only the proxy reach the port, or set TRUST_PROXY to the proxy's address.",
    );
  }
  const other = hostname === "localhost" ? "127.0.0.1" : hostname === "127.0.0.1" ? "localhost" : undefined;
  const hint = other ? `; users must open ${hostname}, because ${other} is another host to browsers` : "";
  return ok(check, `${host}:${port}${hint}`);
}
