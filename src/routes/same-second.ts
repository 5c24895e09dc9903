import type { RequestHandler } from "express";

interface Page {
  html: string;
  /** The path under which the app was asked: all links begin with it. */
  base: string;
  referrerPolicy: string;
}

/**
 * Answers with the page that was made for the same session in the same second, where there is one: to make it anew is
 * half of the work of a request. Later it would be wrong, as it says how much time is left.
 *
 * A session is known by the object that all requests have in common which only look at it (`readOnlySessions`). Once
 * it has changed, they have another one, and when it has ended, none.
 */
export function sameSecond(): RequestHandler {
  let second = 0;
  let pages = new WeakMap<object, Page>();

  return (req, res, next) => {
    const { session, baseUrl: base } = req;
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) [second, pages] = [now, new WeakMap()];

    const page = pages.get(session);
    if (page?.base === base) {
      res.setHeader("Referrer-Policy", page.referrerPolicy);
      res.setHeader("Content-Type", "text/html; charset=utf-8");
      res.setHeader("Content-Length", Buffer.byteLength(page.html));
      res.end(page.html);
      return;
    }
    const { send } = res;
    res.send = (html: string) => {
      if (res.statusCode === 200) {
        pages.set(session, { html, base, referrerPolicy: String(res.getHeader("Referrer-Policy")) });
      }
      return send.call(res, html);
    };
    next();
  };
}
