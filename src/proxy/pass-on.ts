import type { IncomingMessage } from "node:http";
import type { Response } from "express";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import { leaveUnread, lengthOf } from "./body.ts";
import { answerHeaders, harmlessType } from "./headers.ts";
import type { Answer } from "./upstream.ts";

/** What comes back is data: opened as a page it can do nothing. */
const policy = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Gives the browser what is harmless of an answer, as fast as it reads.
 *
 * @throws AppError answer_refused for a redirect or no known status, for what a browser might run or show as a page of ours, and
 *   for more than `mostBytes`; portal_unreachable or portal_timeout when it breaks off. Some of it may have been
 *   sent by then: the connection has to be cut.
 */
export async function passOn(answer: Answer, res: Response, mostBytes: number): Promise<void> {
  const { status, headers, head, rest } = answer;
  const type = harmlessType(headers["content-type"]);
  const isEmpty = head.length === 0 && rest === undefined;
  const length = headers["content-length"] === undefined ? 0 : lengthOf({ headers });
  if (status < 200 || status > 599) throw refused(answer, `HTTP ${status}: there is no such status`);
  if (status >= 300 && status < 400) throw refused(answer, `HTTP ${status}: redirects are not followed`);
  if (type === undefined && !isEmpty) throw refused(answer, `HTTP ${status} with another type`);
  if (length > mostBytes) throw refused(answer, "more than PROXY_MAX_BYTES");

  res.status(status).setHeaders(answerHeaders(headers));
  // A 204 has no length (RFC 9110, 8.6); whoever believed in one would wait for a body.
  if (status === 204) res.removeHeader("Content-Length");
  res.setHeader("Content-Security-Policy", policy);
  if (type !== undefined) res.setHeader("Content-Type", type);
  leaveUnread(res.req, res);
  counts.proxyBytes.add("received", head.length);
  if (rest === undefined) return void res.end(head);
  if (head.length > 0) res.write(head);
  await stream(rest, res, mostBytes - head.length);
}

/**
 * Not `pipeline`: it destroys the response when the upstream one breaks off, and then nobody can tell any more which
 * of the two ends has gone, and what the log should say. It reads once in a turn of the event loop: that joins tiny
 * chunks, and lets other requests have their turn.
 */
function stream(rest: IncomingMessage, res: Response, mostBytes: number): Promise<void> {
  let left = mostBytes;
  let isDue = false;
  return new Promise((resolve, reject) => {
    function pass(): void {
      isDue = false;
      if (res.writableNeedDrain) return;
      const chunk: Buffer | null = rest.read();
      if (chunk === null) return;
      left -= chunk.length;
      counts.proxyBytes.add("received", chunk.length);
      if (left < 0) rest.destroy(new AppError("answer_refused", { cause: "more than PROXY_MAX_BYTES" }));
      else res.write(chunk);
    }
    function passSoon(): void {
      if (!isDue) setImmediate(pass);
      isDue = true;
    }
    rest.once("error", (error) => {
      reject(error instanceof AppError ? error : new AppError("portal_unreachable", { cause: error }));
    });
    res.once("close", resolve).on("drain", passSoon);
    if (rest.readableEnded) res.end();
    else if (rest.destroyed) reject(new AppError("portal_unreachable"));
    else rest.once("end", () => res.end()).on("readable", passSoon);
  });
}

function refused({ rest }: Answer, cause: string): AppError {
  rest?.destroy();
  return new AppError("answer_refused", { cause });
}
