import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { exchangeText } from "./wire.ts";

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** The request and the response, to show. */
  text: string;
}

interface Sending {
  method?: string;
  headers?: Record<string, string>;
  form?: Record<string, string>;
}

/** As of a URL that was typed. */
const usual = {
  ...{ "sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  accept: "application/json",
};

/** A browser of an attack. It keeps cookies, follows no redirect, and sends whatever it is told, to this server only. */
export class Client {
  readonly requestIds: string[] = [];
  readonly cookies: Map<string, string>;
  readonly #origin: URL;

  constructor(origin: string, cookies: Iterable<[string, string]> = []) {
    this.#origin = new URL(origin);
    this.cookies = new Map(cookies);
  }

  get cookieHeader(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  async send(path: string, { method = "GET", headers: given, form }: Sending = {}): Promise<Reply> {
    const { host, port } = this.#origin;
    const content = form && new URLSearchParams(form).toString();
    const headers: Record<string, string> = { host, ...usual, ...given };
    if (this.cookies.size > 0) headers.cookie = this.cookieHeader;
    if (content !== undefined) headers["content-type"] = "application/x-www-form-urlencoded";
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { host: "127.0.0.1", port, path, method, headers, agent: false };
      request(options, resolve).once("error", reject).end(content);
    });
    const { statusCode: status = 0, headers: received } = incoming;
    const { "set-cookie": setCookies = [], "x-request-id": requestId } = received;
    const body = await text(incoming);
    if (requestId) this.requestIds.push(String(requestId));
    for (const cookie of setCookies) {
      const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(cookie) ?? [];
      if (value === "") this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const reply = { status, headers: received, body };
    return { ...reply, text: exchangeText({ method, url: path, headers, form }, reply) };
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
