import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";

/** For tests. */
export interface DoctorOptions {
  /** The version of Node, such as "20.15.0". */
  nodeVersion?: string;
  /** The clock (ms since 1970). */
  now?: () => number;
  /** Certificate authorities instead of Node's, as PEM. */
  ca?: string;
  /** Default: 10 s, and 2 s for Redis. */
  timeoutMs?: number;
}

export type ProbeResponse = Awaited<ReturnType<typeof probe>>;

const maxCharacters = 1024 * 1024;

/**
 * Sends one GET and follows no redirect. It uses node:http(s) because others hide what the checks need: the
 * certificate, and the code of a failure.
 *
 * @throws Error with the `code` of the failure, such as ETIMEDOUT
 */
export async function probe(url: string, { ca, timeoutMs = 10_000 }: DoctorOptions) {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  const signal = AbortSignal.timeout(timeoutMs);
  const start = performance.now();
  // Node's own agent supports HTTPS_PROXY. The connection is closed, because the next probe needs a new one.
  const request = send(url, { ca, headers: { Connection: "close" }, signal }).on("error", () => {});
  try {
    const [response] = (await once(request.end(), "response")) as [IncomingMessage];
    const { statusCode: status = 0, headers } = response;
    // Read now: the socket has no certificate after the response has ended.
    const { valid_to: validTo } = (response.socket as TLSSocket).getPeerCertificate?.() ?? {};
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) {
      body += chunk;
      if (body.length > maxCharacters) break;
    }
    const ms = Math.round(performance.now() - start);
    return { status, headers, body, ms, certificateExpires: validTo ? new Date(validTo) : undefined };
  } catch (error) {
    throw signal.aborted ? Object.assign(new Error("timeout"), { code: "ETIMEDOUT" }) : error;
  } finally {
    request.destroy();
  }
}

/** The JSON object in a response; `undefined` when it is something else. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text);
    return Object(value) === value && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
