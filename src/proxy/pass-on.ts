import type { Response } from "express";
import { leaveUnread, type OnBytes, readAll } from "./body.ts";
import { contentDisposition, isDownload } from "./download.ts";
import { harmlessType, pick, responseHeaders } from "./headers.ts";
import { ProxyError } from "./proxy-error.ts";
import { type UpstreamResponse, upstreamError } from "./upstream.ts";

const tooLarge = "more than maxBytes";

interface Passing {
  url: URL;
  maxBytes: number;
  onBytes?: OnBytes | undefined;
}

/**
 * Streams a response to the browser, if it is harmless: no redirect, no unknown status, nothing that a browser might run
 * or show as a page of this site (except as a download), and no more than `maxBytes`. If it throws, a part of the
 * response may have been sent, so the caller has to close the connection.
 */
export async function passOn(from: UpstreamResponse, res: Response, { url, maxBytes, onBytes }: Passing) {
  const { status, headers, head, rest } = from;
  const [, given] = pick(headers, ["content-disposition"]);
  const download = isDownload(url, status, given);
  const type = harmlessType(headers["content-type"]) ?? (download ? "application/octet-stream" : undefined);
  const length = Number(headers["content-length"] ?? 0);
  const check = (isFine: boolean, cause: string) => {
    if (isFine) return;
    rest?.destroy();
    throw new ProxyError("response_rejected", cause);
  };
  check(status >= 200 && status <= 599, `HTTP ${status}: there is no such status`);
  check(status < 300 || status >= 400, `HTTP ${status}: redirects are not followed`);
  check(type !== undefined || (head.length === 0 && !rest), `HTTP ${status} with another type`);
  check(Math.max(length, head.length) <= maxBytes, tooLarge);

  const list = responseHeaders(status, headers, type, contentDisposition(given, download));
  for (let at = 0; at < list.length; at += 2) res.setHeader(list[at] as string, list[at + 1] as string);
  res.statusCode = status;
  leaveUnread(res.req, res);
  onBytes?.("received", head.length);
  if (!rest) return void res.end(head);

  let left = maxBytes - head.length;
  // The result of `write`, not `writableNeedDrain`: middleware such as compression has its own buffer.
  let isBlocked = head.length > 0 && !res.write(head);
  let isDue = false;
  // Not `pipeline`, which would destroy `res` when the upstream response breaks off, so that the two could not be told
  // apart. One read per turn of the event loop joins tiny chunks, and lets other requests proceed.
  await new Promise<void>((resolve, reject) => {
    function pass(): void {
      isDue = false;
      const chunk = isBlocked || !rest ? undefined : readAll(rest);
      if (!chunk) return;
      left -= chunk.length;
      onBytes?.("received", chunk.length);
      if (left < 0) rest?.destroy(new ProxyError("response_rejected", tooLarge));
      else isBlocked = !res.write(chunk);
      // Since Node 26, "readable" does not come again for what a read has left.
      if (!isBlocked && rest?.readableLength) passSoon();
    }
    function passSoon(): void {
      if (!isDue) setImmediate(pass);
      isDue = true;
    }
    rest.once("error", (error) => reject(upstreamError(error)));
    res.once("close", resolve).on("drain", () => {
      isBlocked = false;
      passSoon();
    });
    if (rest.readableEnded) res.end();
    else if (rest.destroyed) reject(upstreamError("the response broke off"));
    else rest.once("end", () => res.end()).on("readable", passSoon);
  });
}
