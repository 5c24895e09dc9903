import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";

/** A response, with what the checks need to know about it. */
export interface ProbeResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its first megabyte. */
  body: string;
  /** How long it took. */
  ms: number;
  /** When the server's certificate expires; `undefined` without TLS. */
  certificateExpires?: Date;
}

/** What a test replaces. */
export interface ProbeOptions {
  /** Certificate authorities instead of Node's, as PEM. */
  ca?: string;
  /** Default: 10 s. */
  timeoutMs?: number;
  /** The clock (ms since 1970). */
  now?: () => number;
}

const maxBytes = 1024 * 1024;

/**
 * Sends one GET and follows no redirect. It uses node:http(s) because others hide what the checks need: the Date
 * header, the certificate, and the code of a failure.
 *
 * @throws Error with the `code` of the failure, such as ETIMEDOUT
 */
export function probe(url: string, { ca, timeoutMs = 10_000 }: ProbeOptions): Promise<ProbeResponse> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const request = send(url, { ca, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      // Read now: the socket forgets it when the response has ended.
      const validTo = (response.socket as TLSSocket).getPeerCertificate?.().valid_to;
      const chunks: Buffer[] = [];
      let length = 0;
      const done = () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
          ms: Math.round(performance.now() - start),
          ...(validTo && { certificateExpires: new Date(validTo) }),
        });
        request.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maxBytes) done();
      });
      response.once("end", done).once("error", failed);
    });
    request.on("error", failed).end();

    function failed(error: Error): void {
      const isTimeout = error.name === "AbortError" || error.name === "TimeoutError";
      reject(isTimeout ? Object.assign(new Error("timeout"), { code: "ETIMEDOUT" }) : error);
    }
  });
}
