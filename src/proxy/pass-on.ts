import { pipeline } from "node:stream/promises";
import type { Response } from "express";
import { AppError } from "../errors.ts";
import { atMost, leaveUnread, lengthOf } from "./body.ts";
import { answerHeaders, harmlessType } from "./headers.ts";
import type { Answer } from "./upstream.ts";

/** What comes back is data: opened as a page it can do nothing. */
const policy = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Gives the browser what is harmless of an answer, as fast as it reads.
 *
 * @throws AppError answer_refused for a redirect, for what a browser might run or show as a page of ours, and
 *   for more than `mostBytes`
 */
export async function passOn(answer: Answer, res: Response, mostBytes: number): Promise<void> {
  const { status, headers, head, rest } = answer;
  const type = harmlessType(headers["content-type"]);
  const isEmpty = head.length === 0 && rest === undefined;
  const length = headers["content-length"] === undefined ? 0 : lengthOf({ headers });
  if (status >= 300 && status < 400) throw refused(answer, `HTTP ${status}: redirects are not followed`);
  if (type === undefined && !isEmpty) throw refused(answer, `HTTP ${status} with another type`);
  if (length > mostBytes) throw refused(answer, "more than PROXY_MAX_BYTES");

  res.status(status).setHeaders(answerHeaders(headers));
  res.setHeader("Content-Security-Policy", policy);
  if (type !== undefined) res.setHeader("Content-Type", type);
  leaveUnread(res.req, res);
  if (rest === undefined) return void res.end(head);
  res.write(head);
  await pipeline(rest, atMost(mostBytes - head.length, "answer_refused"), res).catch(cut);
}

/** Half of an answer has been sent; the log says why it ends there. */
function cut(error: NodeJS.ErrnoException): never {
  throw error.code === "ECONNRESET" ? new AppError("portal_unreachable", { cause: error }) : error;
}

function refused({ rest }: Answer, cause: string): AppError {
  rest?.destroy();
  return new AppError("answer_refused", { cause });
}
