import { setImmediate } from "node:timers/promises";
import type { Request, Response } from "express";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import { parameterFilter } from "./parameters.ts";

/** What is sent along with a request. */
export interface Body {
  /** A body that is held can be read again; any other can be read once. */
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>;
  /** In bytes; `undefined` when it is not known in advance. */
  length: number | undefined;
  isHeld: boolean;
}

export interface BodyOptions {
  mostBytes: number;
  /** Asks for memory; false when there is none left. */
  reserve: (bytes: number) => boolean;
}

/** Larger bodies are not held, so they cannot be sent a second time. */
const mostHeldBytes = 4 * 1024 * 1024;

/**
 * The body for the upstream server: held when its length is known, small and there is memory for it; otherwise
 * passed on as it comes. A form (application/x-www-form-urlencoded) loses the parameters that the client may not set.
 * A `token` in a multipart form is the client's own: it is no more than they could send without us.
 *
 * @throws AppError bad_request for a coding that hides what the body says; internal when it has been read already
 */
export async function bodyOf(req: Request, { mostBytes, reserve }: BodyOptions): Promise<Body | undefined> {
  if (!hasBody(req)) return undefined;
  // A body parser of the app around us has read it: the upstream server would wait for it in vain.
  if (req.readableEnded) throw new AppError("internal", { cause: "mount this app before any body parser" });
  const codings = [
    req.headers["transfer-encoding"] ?? "chunked",
    req.headers["content-encoding"] ?? "identity",
  ];
  if (codings.join().toLowerCase() !== "chunked,identity")
    throw new AppError("bad_request", { cause: "the body has an unknown coding" });

  const chunks = incoming(req, mostBytes);
  const length = lengthOf(req);
  if (length <= mostHeldBytes && reserve(length)) return hold(chunks, length);
  const isUnchanged = Number.isFinite(length) && !isForm(req);
  return { chunks, length: isUnchanged ? length : undefined, isHeld: false };
}

/** Fails with payload_too_large after `mostBytes`, and when the client goes before the end. */
async function* incoming(req: Request, mostBytes: number): AsyncGenerator<Buffer> {
  const filter = isForm(req) ? parameterFilter() : undefined;
  let received = 0;
  // The connection stays open for the response.
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    received += chunk.length;
    if (received > mostBytes) throw new AppError("payload_too_large", { cause: "more than PROXY_MAX_BYTES" });
    const sent = filter ? filter(chunk) : chunk;
    counts.proxyBytes.add("sent", sent.length);
    yield sent;
    // One read in a turn of the event loop: that joins tiny chunks, and lets other requests have their turn.
    await setImmediate();
  }
  if (filter) yield filter();
}

/** Copies a body into one piece of memory: thousands of small chunks would take many times their size. */
async function hold(chunks: AsyncIterable<Buffer>, length: number): Promise<Body> {
  const memory = Buffer.allocUnsafe(length);
  let used = 0;
  for await (const chunk of chunks) used += chunk.copy(memory, used);
  const content = memory.subarray(0, used);
  return { chunks: { [Symbol.iterator]: () => slices(content) }, length: used, isHeld: true };
}

function* slices(content: Buffer, bytes = 64 * 1024): Generator<Buffer> {
  for (let at = 0; at < content.length; at += bytes) yield content.subarray(at, at + bytes);
}

/** `Infinity` when the length is not known. */
export function lengthOf({ headers }: Pick<Request, "headers">): number {
  return Number(headers["content-length"] ?? Infinity);
}

/** When the response starts before all of a body has come, nobody reads the rest: the connection ends. */
export function leaveUnread(req: Request, res: Response): void {
  if (!req.complete && !res.headersSent && isAnnounced(req)) res.set("Connection", "close");
}

/** The body of a GET has no meaning (RFC 9110, 9.3.1): it is neither read nor passed on. */
function hasBody(req: Request): boolean {
  return isAnnounced(req) && req.method !== "GET" && req.method !== "HEAD";
}

function isAnnounced({ headers }: Request): boolean {
  return headers["transfer-encoding"] !== undefined || headers["content-length"] !== undefined;
}

function isForm({ headers }: Request): boolean {
  return /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers["content-type"] ?? "");
}
