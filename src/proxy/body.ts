import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import type { Request, Response } from "express";
import { parameterFilter } from "./parameters.ts";
import { ProxyError } from "./proxy-error.ts";

/** The body of an upstream request. */
export interface Body {
  /** A kept body can be read again, any other only once. */
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>;
  /** In bytes; `undefined` when it is not known in advance. */
  length: number | undefined;
  isHeld: boolean;
}

/** Called with the number of bytes that are passed on. */
export type OnBytes = (direction: "sent" | "received", bytes: number) => void;
/** Reserves memory; false if there is not enough left. */
type Reserve = (bytes: number) => boolean;

/** Larger bodies are not kept, so they cannot be sent again. */
const maxHeldBytes = 4 * 1024 * 1024;

/**
 * The body for the upstream server: kept if its length is known and small and there is memory for it, otherwise
 * streamed. Parameters that the client may not set are removed from a form (application/x-www-form-urlencoded).
 * A `token` in a multipart form is the client's own, which it could also send without this server.
 */
export async function bodyOf(req: Request, maxBytes: number, reserve: Reserve, onBytes?: OnBytes) {
  // The body of a GET has no meaning (RFC 9110, 9.3.1): it is neither read nor passed on.
  if (!hasBody(req) || req.method === "GET" || req.method === "HEAD") return undefined;
  if (req.readableEnded) throw new ProxyError("internal", "the proxy must be in front of any body parser");
  const { headers } = req;
  const codings = [headers["transfer-encoding"] ?? "chunked", headers["content-encoding"] ?? "identity"];
  // A compressed body would hide its parameters.
  if (codings.join().toLowerCase() !== "chunked,identity")
    throw new ProxyError("bad_request", "the body has an unknown coding");

  const isForm = /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers["content-type"] ?? "");
  const chunks = incoming(req, isForm, maxBytes, onBytes);
  const length = Number(headers["content-length"] ?? Infinity);
  if (length <= maxHeldBytes && reserve(length)) return hold(chunks, length);
  return { chunks, length: isForm || length === Infinity ? undefined : length, isHeld: false } satisfies Body;
}

/** Fails with payload_too_large after `maxBytes`, and when the client disconnects before the end. */
async function* incoming(req: Request, isForm: boolean, maxBytes: number, onBytes?: OnBytes) {
  const filter = isForm ? parameterFilter() : undefined;
  let received = 0;
  // The connection stays open for the response.
  for await (const first of req.iterator({ destroyOnReturn: false })) {
    const more = readAll(req);
    const chunk = more ? Buffer.concat([first, more]) : first;
    received += chunk.length;
    if (received > maxBytes) throw new ProxyError("payload_too_large", "more than maxBytes");
    const sent: Buffer = filter ? Buffer.from(filter(chunk.toString("latin1")), "latin1") : chunk;
    onBytes?.("sent", sent.length);
    yield sent;
    // One read per turn of the event loop joins tiny chunks, and lets other requests proceed.
    await setImmediate();
  }
  if (filter) yield Buffer.from(filter(), "latin1");
}

/** What has arrived so far, in one piece. Since Node 26, `read` returns one chunk of it. */
export function readAll(stream: Readable): Buffer | undefined {
  const chunks: Buffer[] = [];
  let left = stream.readableLength;
  do {
    const chunk: Buffer | null = stream.read();
    if (!chunk) break;
    chunks.push(chunk);
    left -= chunk.length;
  } while (left > 0);
  return chunks.length > 1 ? Buffer.concat(chunks) : chunks[0];
}

/** Copies a body into one buffer: thousands of small chunks would take many times their size. */
async function hold(chunks: AsyncIterable<Buffer>, length: number): Promise<Body> {
  const memory = Buffer.allocUnsafe(length);
  let used = 0;
  for await (const chunk of chunks) used += chunk.copy(memory, used);
  return { chunks: [memory.subarray(0, used)], length: used, isHeld: true };
}

/** Closes the connection if the response starts before the whole body has arrived, because the rest is not read. */
export function leaveUnread(req: Request, res: Response): void {
  if (!req.complete && !res.headersSent && hasBody(req)) res.set("Connection", "close");
}

function hasBody({ headers }: Request): boolean {
  return headers["transfer-encoding"] !== undefined || headers["content-length"] !== undefined;
}
