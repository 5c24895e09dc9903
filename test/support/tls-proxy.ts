import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { selfSigned } from "./certificate.ts";

export interface TlsProxy {
  /** Where browsers come in, such as https://localhost:43210. */
  url: string;
  /** Where requests go. */
  target: string;
}

/** Starts a reverse proxy that ends TLS and says so in X-Forwarded-Proto, as the one in front of a real app does. */
export async function tlsProxy(t: Pick<TestContext, "after">, certificate = selfSigned()): Promise<TlsProxy> {
  const proxy: TlsProxy = { url: "", target: "" };
  const server = createServer(certificate, (incoming, response) => {
    const { method, url, headers, socket } = incoming;
    const forwarded = { "x-forwarded-proto": "https", "x-forwarded-for": socket.remoteAddress };
    const { port } = new URL(proxy.target);
    const options = { port, path: url, method, headers: { ...headers, ...forwarded } };
    const outgoing = request(options, (from) => {
      response.writeHead(from.statusCode ?? 502, from.rawHeaders);
      from.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    incoming.pipe(outgoing);
  }).listen(0, "127.0.0.1");
  t.after(() => void server.close().closeAllConnections());
  await once(server, "listening");
  proxy.url = `https://localhost:${(server.address() as AddressInfo).port}`;
  return proxy;
}
