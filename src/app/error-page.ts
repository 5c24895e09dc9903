import type { ErrorRequestHandler, Request, Response } from "express";
import type { Logger } from "pino";
import { type KnownError, knownError, nextSteps } from "./errors.ts";
import { render } from "./pages/views.ts";
import { reasonOf } from "./reason.ts";
import { pathOf } from "./request-log.ts";

/**
 * Responds to every error: a page for browsers, JSON for programs, and a line in the log.
 * @param count counts it by its code
 */
export function errorPage(log: Logger, count: (code: string) => void): ErrorRequestHandler {
  return (thrown, req, res, _next) => {
    const error = knownError(thrown);
    const { status, code, cause } = error;
    count(code);
    const { requestId, requested } = res.locals;
    const reason = cause === undefined ? undefined : reasonOf(cause);
    const user = req.arcgis?.user?.username ?? res.locals.signedInAs;
    const details = {
      requestId,
      event: "refused",
      code,
      reason,
      address: req.ip,
      user,
      for: pathOf(requested),
    };
    // Pages ask this regularly, also when no user is signed in: not worth a warning.
    const level = code === "signed_out" ? "debug" : "warn";
    log[status >= 500 ? "error" : level](details, "refused");
    // The response has already begun.
    if (res.headersSent) return void res.destroy();

    res.set({ "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" });
    // Seconds (RFC 9110, 10.2.3), for programs and proxies.
    if (status === 503) res.set("Retry-After", "5");
    // They are those of a file that could not be sent.
    for (const name of ["Content-Type", "ETag", "Last-Modified", "Accept-Ranges", "Content-Range"])
      res.removeHeader(name);
    if (prefersJson(req)) res.status(status).json(error);
    else renderError(res, error, requestId, req.method === "GET" ? (requested ?? req.path) : undefined);
  };
}

function prefersJson(req: Request): boolean {
  const isApi = /^(?:\/portals\/[^/]+)?\/(?:api\/|proxy\/?$)/i.test(req.path);
  // A script accepts everything.
  const isPage = ["navigate", undefined].includes(req.get("Sec-Fetch-Mode"));
  return isApi || req.accepts(isPage ? ["html", "json"] : ["json", "html"]) === "json";
}

/**
 * Sends the error page. It needs nothing but the response.
 * @param retry the path to try again, without the mount path
 */
export function renderError(res: Response, error: KnownError, requestId: string, retry?: string): void {
  const { baseUrl: base, arcgis } = res.req;
  const { needed } = error.toJSON().error as { needed?: string };
  const { status, code } = error;
  // Set on a callback, whose URL works once: what went wrong there begins again.
  const restart: string | undefined = res.locals.signInUrl;
  const fromStart = `${base}/sign-in?returnTo=${encodeURIComponent(`${base}/`)}`;
  const signIn = ("signInUrl" in error && error.signInUrl) || (restart ?? fromStart);
  const isSignIn = restart !== undefined || retry?.toLowerCase() === "/sign-in";
  const again = isSignIn ? signIn : isPath(retry) && base + retry;
  const next = nextSteps[code] === "retry" && !again ? "home" : nextSteps[code];
  const hrefs = {
    "sign-in": signIn,
    "another-account": `${signIn}&force_login=true`,
    home: `${base}/`,
    retry: again,
  };
  const action = { href: hrefs[next], label: `error.${next}` };
  const header = arcgis?.user && { user: arcgis.user, signOutUrl: arcgis.signOutUrl };
  res.status(status);
  render(res, "error", `error.${code}.title`, { status, code, needed, action, requestId, header });
}

/** Without a mount path, "//host" would lead to another site. */
function isPath(path: string | undefined): path is string {
  return path !== undefined && /^\/(?!\/)[!-[\]-~]*$/.test(path);
}
