import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** One request, read strictly by RFC 9112: nothing is put right, nothing is guessed. */
export interface RawRequest {
  method: string;
  target: string;
  headers: Map<string, string>;
  body: string;
  /** Counts from 1. */
  connection: number;
}

export interface RawUpstream {
  origin: string;
  requests: RawRequest[];
  /** What no server could read as a request: bytes that belong to nothing, or framing with two meanings. */
  malformed: string[];
  /** How many connections are open now. */
  open: () => number;
  /** How many bytes have arrived. */
  received: () => number;
  /** Runs as soon as the headers of a request are there. */
  onHead: ((socket: Socket) => void) | undefined;
  /** What is sent for a complete request. */
  respond: (request: RawRequest, socket: Socket) => void;
}

export const emptyJson = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/** Starts a server that counts what arrives on its connections, byte for byte. */
export async function startRawUpstream(t: Pick<TestContext, "after">): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  let connections = 0;
  let received = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    let text = "";
    let isHeadSeen = false;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      received += chunk.length;
      text += chunk.toString("latin1");
      for (;;) {
        const read = readRequest(text);
        if (read === "malformed") {
          upstream.malformed.push(text);
          return void socket.destroy();
        }
        if (read !== "unfinished" || text.includes("\r\n\r\n")) {
          if (!isHeadSeen) upstream.onHead?.(socket);
          isHeadSeen = true;
        }
        if (read === "unfinished") return;
        const request = { ...read.request, connection };
        text = text.slice(read.length);
        isHeadSeen = false;
        upstream.requests.push(request);
        upstream.respond(request, socket);
        if (text === "") return;
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const upstream: RawUpstream = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    malformed: [],
    open: () => sockets.size,
    received: () => received,
    onHead: undefined,
    respond: (_request, socket) => void socket.write(emptyJson),
  };
  return upstream;
}

function readRequest(
  text: string,
): "unfinished" | "malformed" | { request: Omit<RawRequest, "connection">; length: number } {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return /^[A-Z]*(?: |$)/.test(text) ? "unfinished" : "malformed";
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const [, method = "", target = ""] = /^([A-Z]+) (\/\S*) HTTP\/1\.1$/.exec(first) ?? [];
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([\w-]+): ([\x20-\x7e]*)$/.exec(line) ?? [];
    if (name === "" || headers.has(name.toLowerCase())) return "malformed";
    headers.set(name.toLowerCase(), value);
  }
  const [length, coding] = [headers.get("content-length"), headers.get("transfer-encoding")];
  const isSound =
    method !== "" &&
    (length === undefined || (coding === undefined && /^\d+$/.test(length))) &&
    (coding === undefined || coding === "chunked");
  if (!isSound) return "malformed";
  const request = { method, target, headers };
  const at = end + 4;
  if (coding === undefined) {
    const stop = at + Number(length ?? 0);
    if (text.length < stop) return "unfinished";
    return { request: { ...request, body: text.slice(at, stop) }, length: stop };
  }
  const body: string[] = [];
  for (let next = at; ; ) {
    const line = text.indexOf("\r\n", next);
    if (line < 0) return "unfinished";
    const digits = text.slice(next, line);
    if (!/^[\da-f]+$/i.test(digits)) return "malformed";
    const size = Number.parseInt(digits, 16);
    const stop = line + 2 + size;
    if (text.length < stop + 2) return "unfinished";
    if (text.slice(stop, stop + 2) !== "\r\n") return "malformed";
    if (size === 0) return { request: { ...request, body: body.join("") }, length: stop + 2 };
    body.push(text.slice(line + 2, stop));
    next = stop + 2;
  }
}
