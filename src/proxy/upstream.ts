import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import { AppError } from "../errors.ts";
import { counts } from "../metrics/counts.ts";
import type { Body } from "./body.ts";
import { perSession } from "./connections.ts";

export interface UpstreamRequest {
  method: string;
  /** The request is made from this very object: nothing parses the address a second time. */
  url: URL;
  headers: OutgoingHttpHeaders;
  body: Body | undefined;
  /** The session whose connections are used. */
  owner: string;
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
  "http:": { send: httpRequest, agent: perSession(new HttpAgent(keep)) },
  "https:": { send: httpsRequest, agent: perSession(new HttpsAgent(keep)) },
};

/** Interim responses (1xx) to one request. Each costs some time, and nothing else limits them. */
const mostInterim = 1_024;

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
  { method, url, headers, body, owner, idleMs }: Omit<UpstreamRequest, "signal">,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { send, agent } = ways[url.protocol as keyof typeof ways];
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent, timeout: idleMs, owner };
    const request = send(url, options);
    let response: IncomingMessage | undefined;
    let interim = 0;
    // Node's own option of that name watches every event of the request, and takes as long as all the rest here.
    const abort = () => request.destroy(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    request.once("response", (begun) => {
      response = begun;
      // A server that responds before it has read the body may take the rest of it for the next request.
      if (!request.writableFinished) request.shouldKeepAlive = false;
      begun.once("end", () => request.writableFinished || request.destroy());
      resolve(begun);
    });
    // Nothing of ours asks for an interim response (1xx): a server that sends one first may have lost count.
    request.once("socket", (socket) =>
      socket.prependOnceListener("data", (first: Buffer) => {
        if (!/^HTTP\/1\.1 [2-5]/.test(first.toString("latin1", 0, 16))) request.shouldKeepAlive = false;
      }),
    );
    request.on("information", () => {
      interim += 1;
      if (interim > mostInterim) request.destroy();
    });
    request.once("timeout", () => (response ?? request).destroy(new AppError("portal_timeout")));
    // It stays: without a listener, an error after the response has begun would end the process.
    request.on("error", reject);
    // Node has no error for a server that changes the protocol unasked (101): it only hangs up.
    request.once("close", () => reject(new Error("closed without a response")));
    if (!body) return void request.end();
    const content = Readable.from(body.chunks);
    content.on("error", (error) => request.destroy(error)).pipe(request);
    request.once("close", () => content.destroy());
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
