import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { TestContext } from "node:test";

export interface ForwardProxy {
  /** What HTTPS_PROXY is set to. */
  url: string;
  /** The places to which it was asked to connect, such as `gis.example.com:443`, in order. */
  asked: string[];
  /** Where these places are in truth. */
  ports: Map<string, number>;
}

/** Starts a proxy such as companies have in front of the internet: it takes CONNECT, with a password, and nothing else. */
export async function forwardProxy(t: Pick<TestContext, "after">): Promise<ForwardProxy> {
  const expected = `Basic ${Buffer.from("server:pass/word").toString("base64")}`;
  const proxy: ForwardProxy = { url: "", asked: [], ports: new Map() };
  const server = createServer((_req, res) => void res.writeHead(405).end());
  server.on("connect", ({ url = "", headers }, socket) => {
    socket.on("error", () => {});
    if (headers["proxy-authorization"] !== expected)
      return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    proxy.asked.push(url);
    const port = proxy.ports.get(url);
    if (!port) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => void server.close());
  proxy.url = `http://server:pass%2Fword@127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}
