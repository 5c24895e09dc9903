import { connect } from "node:net";

export interface RawResponse {
  /** 0 when the connection ended without a response. */
  status: number;
  /** Everything that came back, one character a byte. */
  text: string;
}

/**
 * Sends bytes as no HTTP client would, and gives what comes back until the server hangs up: let the request say
 * `Connection: close`.
 */
export function sendRaw(url: string, bytes: string | Buffer): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    // A server that refuses a request early resets the connection while we are still sending.
    socket.on("error", () => {});
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString("latin1");
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    });
    socket.setTimeout(60_000, () => {
      reject(new Error("the server neither responded nor hung up within a minute"));
      socket.destroy();
    });
    // Not ended: to Node a client that sends no more has gone away.
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

/** A GET with these header lines, as bytes. */
export function rawGet(target: string, ...headers: string[]): string {
  return [`GET ${target} HTTP/1.1`, ...headers, "Connection: close", "", ""].join("\r\n");
}
