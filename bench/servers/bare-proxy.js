// A reverse proxy of Node alone: it knows one server, and passes everything on as it comes.
import { Agent, createServer, request } from "node:http";

const upstream = new URL(process.env.UPSTREAM);
const agent = new Agent({ keepAlive: true });

createServer((req, res) => {
  const { method, url: path, headers } = req;
  const outgoing = request({
    host: upstream.hostname,
    port: upstream.port,
    agent,
    method,
    path,
    headers: { ...headers, host: upstream.host },
  });
  outgoing.on("response", (response) => {
    res.writeHead(response.statusCode, response.headers);
    response.on("error", () => res.destroy());
    response.pipe(res);
  });
  outgoing.on("error", () => {
    if (res.headersSent) res.destroy();
    else res.writeHead(502).end();
  });
  res.on("close", () => outgoing.destroy());
  req.pipe(outgoing);
}).listen(0, "127.0.0.1");
