import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";

/** An answer with all that a check wants to know of it. */
export interface Heard {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its first megabyte. */
  body: string;
  /** How long it took. */
  ms: number;
  /** When the server's certificate ends; `undefined` without TLS. */
  certificateEnds?: Date;
}

/** How the doctor asks; a test asks in another way. */
export interface AskOptions {
  /** Certificate authorities in place of those that Node knows, as PEM. */
  ca?: string;
  timeoutMs?: number;
}

const mostBytes = 1024 * 1024;

/**
 * Sends one GET and follows no redirect. Plain node:http(s), for what tells the doctor most is left out by others:
 * the Date header, the certificate, and the code of a failure.
 *
 * @throws Error whose `code` says why there is no answer, ETIMEDOUT when there is none in time (default 10 s)
 */
export function ask(url: string, { ca, timeoutMs = 10_000 }: AskOptions = {}): Promise<Heard> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const asked = performance.now();
  return new Promise((resolve, reject) => {
    const request = send(url, { ca, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
      // Taken now: after the answer the connection knows it no more.
      const validTo = (answer.socket as TLSSocket).getPeerCertificate?.().valid_to;
      const chunks: Buffer[] = [];
      let length = 0;
      const done = () => {
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString("utf8"),
          ms: Math.round(performance.now() - asked),
          ...(validTo && { certificateEnds: new Date(validTo) }),
        });
        request.destroy();
      };
      answer.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > mostBytes) done();
      });
      answer.once("end", done);
      answer.once("error", failed);
    });
    request.on("error", failed).end();

    function failed(error: Error): void {
      const isLate = error.name === "AbortError" || error.name === "TimeoutError";
      reject(isLate ? Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }) : error);
    }
  });
}
