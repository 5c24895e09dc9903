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

/** As of a URL that was typed. */
const usual = {
  ...{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  accept: "application/json",
};

/** A browser of an attack. It keeps cookies, follows no redirect, and sends whatever it is told, to this server only. */
export class Client {
  readonly replies: Reply[] = [];
  readonly cookies: Cookies;
  readonly #origin: URL;

  constructor(origin: string, cookies: Cookies = {}) {
    this.#origin = new URL(origin);
    this.cookies = { ...cookies };
  }

  async send(
    path: string,
    {
      method = "GET",
      headers: given = {},
      form,
    }: { method?: string; headers?: Record<string, string>; form?: Record<string, string> } = {},
  ): Promise<Reply> {
    const { host, port } = this.#origin;
    const headers: Record<string, string> = { host, ...usual, ...given };
    const cookie = stringifyCookie(this.cookies);
    if (cookie) headers.cookie = cookie;
    if (form) headers["content-type"] = "application/x-www-form-urlencoded";
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, path, method, headers, agent: false };
      const content = form && new URLSearchParams(form).toString();
      request(options, resolve).once("error", reject).end(content);
    });
    for (const line of response.headers["set-cookie"] ?? []) {
      const { name, value } = parseSetCookie(line);
      this.cookies[name] = value || undefined;
    }
    const { statusCode: status = 0, headers: received } = response;
    const sent = { method, url: path, headers, form };
    const exchange = { status, headers: received, body: await text(response) };
    const reply = { ...exchange, text: exchangeText(sent, exchange) };
    this.replies.push(reply);
    return reply;
  }

  /** Begins a sign-in, and returns the URL of the portal's page. */
  async begin(): Promise<URL> {
    const { headers, status } = await this.send("/sign-in");
    if (headers.location === undefined) throw new Error(`/sign-in: status ${status}`);
    return new URL(headers.location);
  }

  /** The user who is signed in here, if there is one. */
  async user(): Promise<string | undefined> {
    const { status, body } = await this.send("/api/session?touch=false");
    return status === 200 ? JSON.parse(body).username : undefined;
  }
}
