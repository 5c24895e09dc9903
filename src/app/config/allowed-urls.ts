import { isBelow } from "../../index.ts";
import { isAllowedTarget, parsePrefixes } from "../../proxy/targets.ts";

/** The URL rules of one portal: its REST API, and the entries of PROXY_ALLOW. */
export interface AllowedUrls {
  portal: string;
  proxyAllow: string[];
}

/** Returns the check whether `/proxy` may request a URL. */
export function allowedUrls({ portal, proxyAllow: allow }: AllowedUrls): (url: URL) => boolean {
  return ({ href }) => isAllowedTarget(`?${href}`, { portal, allow });
}

/** Whether one portal would receive tokens of another: the same URL, or one below the other. */
export function overlap(all: readonly AllowedUrls[]): boolean {
  // ArcGIS ignores case in paths.
  const urls = all.map(({ portal, proxyAllow }) =>
    parsePrefixes([portal, ...proxyAllow]).map((prefix) => prefix.toLowerCase()),
  );
  const isEither = (one: string, other: string) => isBelow(one, other) || isBelow(other, one);
  return urls.some((mine, index) =>
    urls.slice(index + 1).some((theirs) => mine.some((one) => theirs.some((it) => isEither(one, it)))),
  );
}
