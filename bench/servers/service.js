// A small ArcGIS Server, federated with the portal, behind every proxy under test: /arcgis/rest/{kind}/{bytes}.
import { once } from "node:events";
import { createServer } from "node:http";

const block = Buffer.alloc(64 * 1024, "0123456789abcdef");
const federation = JSON.stringify({ owningSystemUrl: process.env.PORTAL_URL.replace("/sharing/rest", "") });
const tokenRequired = JSON.stringify({ error: { code: 499, message: "Token Required", details: [] } });

/** What ArcGIS sends: JSON without a length, protobuf tiles and images with one. */
const types = { json: "application/json", pbf: "application/x-protobuf", png: "image/png" };

const bodies = new Map();

/** The same bytes every time, with a text in them by which they are known. */
function bodyOf(kind, bytes) {
  const key = `${kind}/${bytes}`;
  if (!bodies.has(key)) {
    const text = kind === "json" ? { name: "Trees", filler: "x".repeat(bytes - 29) } : "Trees".padEnd(bytes);
    bodies.set(key, Buffer.from(kind === "json" ? JSON.stringify(text) : text));
  }
  return bodies.get(key);
}

async function send(res, bytes) {
  for (let left = bytes; left > 0 && !res.destroyed; left -= block.length) {
    if (!res.write(block.subarray(0, left))) await Promise.race([once(res, "drain"), once(res, "close")]);
  }
  res.end();
}

createServer((req, res) => {
  const { pathname } = new URL(req.url, "http://localhost");
  const [, kind, bytes] = /^\/arcgis\/rest\/(json|pbf|png|file)\/(\d+)$/.exec(pathname) ?? [];
  const hasToken = req.headers["x-esri-authorization"]?.startsWith("Bearer ");
  res.setHeader("Content-Type", types[kind] ?? "application/json");
  if (pathname === "/arcgis/rest/info") res.end(federation);
  else if (!hasToken || !kind) res.end(tokenRequired);
  else if (kind === "file") {
    res.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": bytes });
    send(res, Number(bytes));
  } else if (kind === "json") {
    // In two parts, or Node would give it a length.
    const body = bodyOf(kind, Number(bytes));
    res.write(body.subarray(0, 1024));
    res.end(body.subarray(1024));
  } else {
    const body = bodyOf(kind, Number(bytes));
    res.writeHead(200, { "Content-Length": body.length }).end(body);
  }
}).listen(0, "127.0.0.1");
