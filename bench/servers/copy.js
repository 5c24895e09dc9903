// Express that knows nothing but a few responses of our server, and gives them byte by byte with the same headers.
import { readFileSync } from "node:fs";
import express from "express";

const app = express();
app.disable("x-powered-by");
app.disable("etag");
for (const { path, status, headers, body } of JSON.parse(readFileSync(process.env.RESPONSES, "utf8"))) {
  const all = new Map(Object.entries(headers));
  app.get(path, (_req, res) => res.status(status).setHeaders(all).end(body));
}
app.listen(0, "127.0.0.1");
