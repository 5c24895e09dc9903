import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Behaviour } from "./upstream.ts";

export const binary = { "Content-Type": "application/octet-stream" };
export const block = Buffer.alloc(64 * 1024, 7);

/** Sends so many bytes, as fast as they are taken. */
export function sending(bytes: number): Behaviour {
  function* blocks() {
    for (let sent = 0; sent < bytes; sent += block.length) yield block.subarray(0, bytes - sent);
  }
  return (_seen, res) => {
    res.writeHead(200, { ...binary, "Content-Length": bytes });
    Readable.from(blocks()).pipe(res);
  };
}

export async function sizeOf(response: IncomingMessage): Promise<number> {
  let size = 0;
  for await (const chunk of response) size += chunk.length;
  return size;
}
