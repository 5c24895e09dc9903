import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { type Cookies, parseSetCookie, stringifyCookie } from "cookie";
import { exchangeText } from "./wire.ts";

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** The request and the response, to show. */
  text: string;
}

export type Client = ReturnType<typeof openClient>;

/** As of a URL that was typed. */
const usual = {
  ...{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  accept: "application/json",
};

/** A browser of an attack. It keeps cookies, follows no redirect, and sends whatever it is told, to this server only. */
export function openClient(origin: string, stolen: Cookies = {}) {
  const { host, port } = new URL(origin);
  const cookies = { ...stolen };
  const replies: Reply[] = [];

  async function send(
    path: string,
    options: { method?: string; headers?: Record<string, string>; form?: Record<string, string> } = {},
  ): Promise<Reply> {
    const { method = "GET", form } = options;
    const headers: Record<string, string> = { host, ...usual, ...options.headers };
    if (Object.keys(cookies).length > 0) headers.cookie = stringifyCookie(cookies);
    if (form) headers["content-type"] = "application/x-www-form-urlencoded";
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
    sent.end(form && String(new URLSearchParams(form)));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    for (const line of response.headers["set-cookie"] ?? []) {
      const { name, value } = parseSetCookie(line);
      cookies[name] = value || undefined;
    }
    const { statusCode: status = 0, headers: received } = response;
    const exchange = { status, headers: received, body: await text(response) };
    const reply = { ...exchange, text: exchangeText({ method, url: path, headers, form }, exchange) };
    replies.push(reply);
    return reply;
  }

  return {
    cookies,
    replies,
    send,
    /** Begins a sign-in, and returns the URL of the portal's page. */
    async begin(): Promise<URL> {
      const { headers, status } = await send("/sign-in");
      if (headers.location === undefined) throw new Error(`/sign-in: status ${status}`);
      return new URL(headers.location);
    },
    /** The user who is signed in here, if there is one. */
    async user(): Promise<string | undefined> {
      const { status, body } = await send("/api/session?touch=false");
      return status === 200 ? JSON.parse(body).username : undefined;
    },
  };
}
