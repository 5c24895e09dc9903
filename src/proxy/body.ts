import { type Readable, Transform } from "node:stream";
import express, { type Request, type RequestHandler, type Response } from "express";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import { withoutOurs } from "./parameters.ts";

/** What is sent along with a request. */
export interface Body {
  /** A stream can be sent once, a buffer again. */
  content: Buffer | Readable;
  /** In bytes; `undefined` when nobody knows. */
  length?: number;
}

/**
 * Bodies up to this many bytes are held, so that they can be sent a second time; forms must not be larger. What
 * is larger is passed on as it comes.
 */
const heldBytes = 4 * 1024 * 1024;

const hold = express.raw({
  limit: heldBytes,
  inflate: false,
  type: (req) => isForm(req as Request) || lengthOf(req) <= heldBytes,
});

/** Reads a body that is to be held into `req.body`; 413 for a form that is too large. */
export const holdBody: RequestHandler = (req, res, next) => {
  if (hasBody(req)) hold(req, res, next);
  else next();
};

/**
 * Gives the body for the server at the other end: of a form (application/x-www-form-urlencoded) without the
 * parameters that are not the client's to set. Other kinds pass as they are. A `token` in a multipart form is
 * the client's own: it is no more than they could send without us.
 *
 * @throws AppError internal when somebody else has read it
 */
export function bodyOf(req: Request, mostBytes: number): Body | undefined {
  if (Buffer.isBuffer(req.body)) {
    const content = isForm(req) ? Buffer.from(withoutOurs(req.body.toString("latin1")), "latin1") : req.body;
    counts.proxyBytes.add("sent", content.length);
    return { content, length: content.length };
  }
  if (!hasBody(req)) return undefined;
  // An app that we are mounted in has parsed it: there is nothing left to send, and the server would wait for it.
  if (req.readableEnded) throw new AppError("internal", { cause: "mount this app before any body parser" });
  const length = lengthOf(req);
  const content = req.pipe(atMost(mostBytes, "payload_too_large"));
  // It may fail before anybody reads it; whoever reads it then is told.
  content.on("error", () => {});
  return { content, ...(Number.isFinite(length) && { length }) };
}

/** A stream that lets so many bytes pass, and fails with AppError `code` at the next one. It counts them. */
export function atMost(bytes: number, code: "payload_too_large" | "answer_refused"): Transform {
  const direction = code === "payload_too_large" ? "sent" : "received";
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      if (passed > bytes) done(new AppError(code, { cause: "more than PROXY_MAX_BYTES" }));
      else {
        counts.proxyBytes.add(direction, chunk.length);
        done(null, chunk);
      }
    },
  });
}

/** `Infinity` when the client does not say. */
export function lengthOf({ headers }: Pick<Request, "headers">): number {
  return Number(headers["content-length"] ?? Infinity);
}

/** When the answer is on its way before all of a body has come, nobody reads the rest: the connection ends. */
export function leaveUnread(req: Request, res: Response): void {
  if (!req.complete && !res.headersSent && isAnnounced(req)) res.set("Connection", "close");
}

/** A body of GET means nothing (RFC 9110, 9.3.1), and is left where it is. */
function hasBody(req: Request): boolean {
  return isAnnounced(req) && req.method !== "GET" && req.method !== "HEAD";
}

function isAnnounced({ headers }: Request): boolean {
  return headers["transfer-encoding"] !== undefined || headers["content-length"] !== undefined;
}

function isForm({ headers }: Request): boolean {
  return /^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers["content-type"] ?? "");
}
