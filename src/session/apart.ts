import type { Request, RequestHandler, Response } from "express";

/** Where express-session, and whatever else keeps sessions, puts them. */
const places = ["session", "sessionID", "sessionStore"] as const;

/**
 * Keeps our session apart from one that an app around us has, which is on `req.session` too. express-session
 * would take theirs for ours: a person's tokens would end up in a store, or in a cookie, that is not ours.
 *
 * So the request shows us our session only, and shows theirs to what they do when the answer leaves.
 *
 * @param load the middleware of express-session
 */
export function apart(load: RequestHandler): RequestHandler {
  const loaded = new WeakSet<Request>();
  return (req, res, next) => {
    // A route with two guards comes here twice.
    if (loaded.has(req)) return next();
    loaded.add(req);
    if (!("session" in req)) return load(req, res, next);

    const kept = { theirs: takeOff(req), ours: {} };
    let shown: keyof typeof kept = "ours";
    function show(whose: typeof shown): void {
      kept[shown] = takeOff(req);
      Object.defineProperties(req, kept[whose]);
      shown = whose;
    }

    /** Makes the response show this session while it is in this method, as it is now. */
    function showIn(method: "writeHead" | "end", whose: typeof shown): void {
      const original = res[method] as (...args: unknown[]) => unknown;
      const replacement = (...args: unknown[]) => {
        const before = shown;
        show(whose);
        try {
          return original.apply(res, args);
        } finally {
          show(before);
        }
      };
      Object.assign(res, { [method]: replacement } satisfies Partial<Record<keyof Response, unknown>>);
    }

    showIn("writeHead", "theirs");
    showIn("end", "theirs");
    load(req, res, (error?: unknown) => {
      // Their `end` may be what sends the headers, ours among them.
      showIn("writeHead", "ours");
      next(error);
    });
  };
}

/** As descriptors: cookie-session puts an accessor there, and would take an assignment for a sign-out. */
function takeOff(req: Request): PropertyDescriptorMap {
  const descriptors: PropertyDescriptorMap = {};
  for (const place of places) {
    const descriptor = Object.getOwnPropertyDescriptor(req, place);
    if (descriptor) descriptors[place] = descriptor;
    delete (req as Partial<Request>)[place];
  }
  return descriptors;
}
