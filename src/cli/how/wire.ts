import { type IncomingHttpHeaders, STATUS_CODES } from "node:http";

/** Parameters that are shown whole. Any other value may be a secret. */
const harmless = new Set([
  ...["client_id", "redirect_uri", "response_type", "expiration", "code_challenge_method", "style"],
  ...["grant_type", "f", "returnTo", "error"],
]);
/** Request headers that are shown. */
const shown = ["host", "x-forwarded-host", "origin", "sec-fetch-site", "cookie"];

/** A request and its response, as they were on the wire. */
export interface Exchange {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  form?: Record<string, unknown> | undefined;
  status: number;
  location: string;
  setCookies: string[];
  body?: string;
}

/** A secret in its short form: its first four characters, and how many it has. */
export function brief(value: string): string {
  return `${value.length < 12 ? "" : value.slice(0, 4)}… (${value.length} characters)`;
}

/** What was sent and what came back, as text in which every secret is short. */
export function exchangeText(exchange: Exchange): string {
  const { method, url, headers, form, status, location, setCookies, body = "" } = exchange;
  const request = shown.flatMap((name) => {
    const value = headers[name];
    if (value === undefined) return [];
    const values = name === "cookie" ? String(value).split("; ").map(cookieText) : [value];
    return `${capitalized(name)}: ${values.join("; ")}`;
  });
  return [
    `${method} ${urlText(url)}`,
    ...request,
    ...(form ? ["", formText(form)] : []),
    "",
    `→ ${status} ${STATUS_CODES[status]}`,
    ...(location ? [`Location: ${urlText(location)}`] : []),
    ...setCookies.map((cookie) => `Set-Cookie: ${cookieText(cookie)}`),
    // An error of ours or of the portal; nothing that has a secret.
    ...(/^\{"error":/.test(body) ? [body] : []),
  ].join("\n");
}

/** A URL with each parameter on a line of its own. */
function urlText(url: string): string {
  const [path = "", query] = url.split(/\?(.*)/s);
  if (query === undefined) return path;
  // The target of /proxy.
  if (/^https?:/i.test(query)) return `${path}?${query.split("?", 1)}`;
  return `${path}\n${formText(Object.fromEntries(new URLSearchParams(query)), "?")}`;
}

/** The parameters of a form or a query. */
export function formText(form: Record<string, unknown>, first = ""): string {
  const pair = ([name, value]: [string, unknown], index: number) =>
    `  ${index > 0 ? "&" : first}${name}=${harmless.has(name) ? value : brief(String(value))}`;
  return Object.entries(form).map(pair).join("\n");
}

function cookieText(cookie: string): string {
  const [, name, value = "", attributes] = /^([^=]*)=([^;]*)(.*)$/s.exec(cookie) ?? [];
  return `${name}=${value && brief(value)}${attributes}`;
}

function capitalized(name: string): string {
  return name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
