import { type IncomingHttpHeaders, type OutgoingHttpHeaders, STATUS_CODES } from "node:http";

/** Parameters that are shown whole. Any other value may be a secret. */
const harmless = new Set([
  ...["client_id", "redirect_uri", "response_type", "expiration", "code_challenge_method", "style"],
  ...["grant_type", "f", "returnTo", "error"],
]);
/** Request headers that are shown. */
const shown = ["Host", "X-Forwarded-Host", "Origin", "Sec-Fetch-Site", "Cookie"];

interface SentRequest {
  method: string | undefined;
  url: string;
  headers?: IncomingHttpHeaders;
  form?: Record<string, unknown> | undefined;
}

interface SentResponse {
  status: number;
  headers?: OutgoingHttpHeaders;
  body?: string;
}

/** A secret in its short form: its first four characters, and how many it has. */
export function brief(value: string): string {
  return `${value.length < 12 ? "" : value.slice(0, 4)}… (${value.length} characters)`;
}

/** What was sent and what came back, as text in which every secret is short. */
export function exchangeText(
  { method, url, headers = {}, form }: SentRequest,
  { status, headers: { location, "set-cookie": setCookies } = {}, body = "" }: SentResponse,
): string {
  const request = shown.flatMap((name) => {
    const value = headers[name.toLowerCase()];
    if (value === undefined) return [];
    const values = name === "Cookie" ? String(value).split("; ").map(cookieText) : [value];
    return `${name}: ${values.join("; ")}`;
  });
  return [
    `${method} ${urlText(url)}`,
    ...request,
    ...(form ? ["", formText(form)] : []),
    "",
    `→ ${status} ${STATUS_CODES[status]}`,
    ...(location ? [`Location: ${urlText(String(location))}`] : []),
    ...[setCookies ?? []].flat().map((cookie) => `Set-Cookie: ${cookieText(String(cookie))}`),
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
