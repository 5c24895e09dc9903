import { type IncomingHttpHeaders, request } from "node:http";
import { request as requestTls } from "node:https";

export interface TestResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Every Set-Cookie header, as it came. */
  setCookies: string[];
  body: string;
  bytes: Buffer;
  json: () => unknown;
}

export interface Sending {
  method?: string;
  headers?: Record<string, string | string[]>;
  /** Sent as a form. */
  form?: Record<string, string> | [string, string][];
  body?: string;
}

/** The headers a browser sends when a user clicks a link of the same site. */
export const click = {
  "Sec-Fetch-Site": "same-origin",
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
  Accept: "text/html",
};

/** The headers of a typed address or a bookmark. */
export const typed = { ...click, "Sec-Fetch-Site": "none" };

/** The headers of a link on another site. */
export const crossSite = { ...click, "Sec-Fetch-Site": "cross-site" };

/** A browser as a test needs it: it keeps cookies, sends what it is told, and follows nothing by itself. */
export class Browser {
  readonly base: string;
  readonly cookies: Map<string, string>;
  /** The certificate that it trusts for https, as PEM. */
  ca?: string;
  /** Its own address, such as 127.0.0.2: Linux lets programs use all that begin with 127. */
  localAddress?: string;

  constructor(base: string, cookies: Iterable<[string, string]> = []) {
    this.base = base;
    this.cookies = new Map(cookies);
  }

  /** A second browser with a copy of all cookies: a thief's, or a backup of this moment. */
  copy(): Browser {
    return new Browser(this.base, this.cookies);
  }

  get(url: string, headers: Record<string, string> = typed): Promise<TestResponse> {
    return this.send(url, { headers });
  }

  /** Sends a form as a page of our own does. */
  post(
    url: string,
    form: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<TestResponse> {
    return this.send(url, {
      method: "POST",
      form,
      headers: { ...click, Origin: new URL(url, this.base).origin, ...headers },
    });
  }

  async send(url: string, { method = "GET", headers = {}, form, body }: Sending = {}): Promise<TestResponse> {
    const content = form ? new URLSearchParams(form).toString() : body;
    const { ca, localAddress } = this;
    const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent: Record<string, string | string[]> = {
      ...(cookies && { Cookie: cookies }),
      ...(form && { "Content-Type": "application/x-www-form-urlencoded" }),
      ...(content !== undefined && { "Content-Length": String(Buffer.byteLength(content)) }),
      ...headers,
    };
    const response = await new Promise<TestResponse>((resolve, reject) => {
      const target = new URL(url, this.base);
      const ask = target.protocol === "https:" ? requestTls : request;
      const outgoing = ask(target, { method, headers: sent, ca, localAddress }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            setCookies: incoming.headers["set-cookie"] ?? [],
            body: text,
            bytes,
            json: () => JSON.parse(text),
          });
        });
      });
      outgoing.on("error", reject);
      outgoing.end(content);
    });
    for (const cookie of response.setCookies) this.#keep(cookie);
    return response;
  }

  #keep(setCookie: string): void {
    const [pair = "", ...attributes] = setCookie.split("; ");
    const name = pair.slice(0, pair.indexOf("="));
    const expires = attributes.find((each) => /^expires=/i.test(each))?.slice(8);
    const gone =
      attributes.some((each) => /^max-age=0$/i.test(each)) || (expires && Date.parse(expires) <= Date.now());
    if (gone) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(name.length + 1));
  }
}
