import type { Request, RequestHandler } from "express";

/** Fetch Metadata (W3C): what a browser itself says about a request, and no page can change. */

/**
 * Whether a person followed a link on one of our own pages. Only such a GET may change something: not a
 * typed address, not a link, image or frame of another site, and nothing that is loaded in advance.
 */
export function isClickOnOurPage(req: Request): boolean {
  return req.get("Sec-Fetch-Site") === "same-origin" && isPageVisit(req);
}

/**
 * Whether a browser asks for a page to show it in a window of its own, wherever the link was. Not a frame, not a
 * script, nothing that is loaded in advance, no HEAD, and no program.
 */
export function isPageVisit(req: Request): boolean {
  return (
    req.method === "GET" &&
    req.get("Sec-Fetch-Mode") === "navigate" &&
    req.get("Sec-Fetch-Dest") === "document" &&
    !isPrefetch(req)
  );
}

/** Whether a form was sent from one of our own pages; browsers without Fetch Metadata tell it by Origin. */
export function isFromOurPage(req: Request, origin: string): boolean {
  const site = req.get("Sec-Fetch-Site");
  return site === undefined ? req.get("Origin") === origin : site === "same-origin";
}

/** Answers 503 to a browser that loads a link in advance: it throws that away, and asks again at the click. */
export const refusePrefetch: RequestHandler = (req, res, next) => {
  if (isPrefetch(req)) res.status(503).end();
  else next();
};

function isPrefetch(req: Request): boolean {
  return ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"].some((name) =>
    /prefetch|preview/i.test(req.get(name) ?? ""),
  );
}
