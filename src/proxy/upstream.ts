import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";

export interface UpstreamRequest {
  method: string;
  /** The request is made from this very object: nothing parses the address a second time. */
  url: URL;
  headers: OutgoingHttpHeaders;
  body?: Buffer | Readable;
  /** The longest silence, from the first byte on, in either direction (ms). */
  idleMs: number;
  /** Ends it all. */
  signal: AbortSignal;
}

/** An answer, of which the beginning has been read. */
export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  head: Buffer;
  /** What follows; `undefined` when there is no more. */
  rest?: IncomingMessage;
}

/** Connections are kept for a moment, but for less long than servers keep them (Node 5 s, others longer). */
const keep = { keepAlive: true, timeout: 4_000 };
const ways = {
  "http:": { send: httpRequest, agent: new HttpAgent(keep) },
  "https:": { send: httpsRequest, agent: new HttpsAgent(keep) },
};

/** Larger than any error of ArcGIS. */
export const headBytes = 8 * 1024;

/**
 * Sends one request and waits for the beginning of its answer: all of a small one. Redirects are not followed,
 * and what is compressed stays so.
 *
 * Plain node:http, because a proxy library sends a request once and pipes what comes back: none of them looks
 * at an answer and asks again.
 *
 * @throws AppError portal_unreachable, portal_timeout
 */
export async function askUpstream({ signal, ...request }: UpstreamRequest): Promise<Answer> {
  const asked = performance.now();
  try {
    const answer = await respond(request, signal);
    const { statusCode: status = 0, headers } = answer;
    const head = Number(headers["content-length"]) > headBytes ? Buffer.alloc(0) : await headOf(answer);
    return { status, headers, head, ...(!answer.readableEnded && { rest: answer }) };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("portal_unreachable", { cause: error });
  } finally {
    counts.portalSeconds.observe("proxy", (performance.now() - asked) / 1000);
  }
}

function respond(
  { method, url, headers, body, idleMs }: Omit<UpstreamRequest, "signal">,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { send, agent } = ways[url.protocol as keyof typeof ways];
  return new Promise((resolve, reject) => {
    const request = send(url, { method, headers, agent, timeout: idleMs });
    let answer: IncomingMessage | undefined;
    // Node's own option of that name watches every event of the request, and takes as long as all the rest here.
    const abort = () => request.destroy(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    request.once("response", (begun) => {
      answer = begun;
      // Who has answered before all of the body was there wants no more of it.
      begun.once("end", () => request.writableFinished || request.destroy());
      resolve(begun);
    });
    request.once("timeout", () => (answer ?? request).destroy(new AppError("portal_timeout")));
    // It stays: without a listener, an error after the answer has begun would end the process.
    request.on("error", reject);
    // Node has no error for a server that changes the protocol unasked (101): it only hangs up.
    request.once("close", () => reject(new Error("closed without an answer")));
    if (body === undefined || Buffer.isBuffer(body)) request.end(body);
    else if (body.errored) request.destroy(body.errored);
    else body.once("error", (error) => request.destroy(error)).pipe(request);
  });
}

/** Reads until there are more than `headBytes`, or all of it. What is not read yet waits for who will. */
function headOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let read = 0;
  return new Promise((resolve, reject) => {
    function take(): void {
      for (let chunk = answer.read(); chunk !== null; chunk = answer.read()) {
        chunks.push(chunk);
        read += chunk.length;
      }
      if (read > headBytes) finish();
    }
    function finish(): void {
      answer.off("readable", take).off("end", finish).off("error", reject);
      const [only] = chunks;
      resolve(chunks.length === 1 && only ? only : Buffer.concat(chunks));
    }
    answer.on("readable", take).once("end", finish).once("error", reject);
  });
}
