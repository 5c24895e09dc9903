// Node alone, without a framework and without a session.
import { createServer } from "node:http";
import { page } from "./page.js";

createServer((_req, res) => {
  const body = page("no user");
  res.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
  });
  res.end(body);
}).listen(0, "127.0.0.1");
