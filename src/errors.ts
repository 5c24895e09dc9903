/** What a visitor is told when something goes wrong, and where the next step leads. */
interface Explanation {
  /** The HTTP status of the answer (RFC 9110, section 15). */
  status: number;
  /** A few words: the heading of the page. */
  title: string;
  /** One calm sentence: what happened and why. */
  message: string;
  /** One sentence: what to do now. */
  advice: string;
  /** The button under it; "home" when it is left out. */
  next?: "sign-in" | "another-account" | "home" | "retry";
}

/**
 * Every error a person or a program can meet here. The code is the stable name: it stands in JSON answers,
 * in the log, in the `data-code` of the error page, and as a heading in the README.
 */
export const catalog = {
  bad_request: {
    status: 400,
    title: "That request makes no sense here",
    message: "The address or the form that was sent is malformed.",
    advice: "Go back to the start page and try again from there.",
  },
  callback_malformed: {
    status: 400,
    title: "This sign-in cannot be finished",
    message: "The portal's answer is incomplete, or the address was changed on its way.",
    advice: "Sign in again. If it happens twice, tell the people who run this server.",
    next: "sign-in",
  },
  flow_missing: {
    status: 400,
    title: "This sign-in was not started here",
    message:
      "This browser has no sign-in under way: the link came from somewhere else, it was opened in another browser, or cookies are blocked.",
    advice: "Allow cookies for this site, then sign in from here.",
    next: "sign-in",
  },
  state_mismatch: {
    status: 400,
    title: "This sign-in was not started here",
    message: "The answer belongs to another sign-in than the one this browser started.",
    advice: "If you did not try to sign in just now, ignore this page. Otherwise sign in again.",
    next: "sign-in",
  },
  flow_expired: {
    status: 400,
    title: "That took a little too long",
    message: "A sign-in has to be finished within ten minutes, and this one was older.",
    advice: "Sign in again.",
    next: "sign-in",
  },
  flow_used: {
    status: 400,
    title: "This sign-in is already finished",
    message: "Each sign-in works once. This page was loaded again, perhaps with the Back button.",
    advice: "Go to the start page: you are probably signed in already.",
    next: "home",
  },
  code_refused: {
    status: 400,
    title: "The portal did not accept this sign-in",
    message: "The one-time code had expired, was used before, or belongs to another application.",
    advice: "Sign in again.",
    next: "sign-in",
  },
  sign_in_refused: {
    status: 400,
    title: "The portal did not accept this sign-in",
    message: "The portal ended the sign-in with an error instead of a result.",
    advice: "Sign in again. If it happens twice, tell the people who run this server.",
    next: "sign-in",
  },
  access_denied: {
    status: 403,
    title: "You chose not to sign in",
    message: "The sign-in was cancelled at the portal. Nothing was shared with this app.",
    advice: "You can sign in whenever you like.",
    next: "sign-in",
  },
  org_not_allowed: {
    status: 403,
    title: "Your organisation is not on the list",
    message: "You signed in correctly, but this app is only for members of certain ArcGIS organisations.",
    advice:
      "Sign in with an account of the right organisation, or ask the people who run this app to add yours.",
    // The portal remembers the user: a plain sign-in would lead to this page again.
    next: "another-account",
  },
  form_refused: {
    status: 403,
    title: "Nothing was changed",
    message: "The form did not come from this site, or it was open for so long that it is no longer valid.",
    advice: "Go to the start page and try again from there.",
    next: "home",
  },
  role_missing: {
    status: 403,
    title: "This is not open to your role",
    message: "You are signed in, but your role in the organisation does not include this.",
    advice: "Ask an administrator of your organisation, who can change roles.",
  },
  privilege_missing: {
    status: 403,
    title: "You lack a privilege for this",
    message: "You are signed in, but your role in the organisation does not have the privilege.",
    advice: "Ask an administrator of your organisation, who can give your role more privileges.",
  },
  group_missing: {
    status: 403,
    title: "This is for members of a group",
    message: "You are signed in, but you are not a member of the group.",
    advice: "Ask the group's owner, or an administrator of your organisation, to invite you.",
  },
  cross_site: {
    status: 403,
    title: "That is for this site's own pages",
    message: "The request came from another site, or from a program that does not say where it comes from.",
    advice: "If you write a page of this site: call this address from its script, with fetch.",
  },
  signed_out: {
    status: 401,
    title: "You are signed out",
    message: "This needs a person who is signed in.",
    advice: "Sign in, and you will come right back.",
    next: "sign-in",
  },
  session_ended: {
    status: 401,
    title: "Your sign-in has ended",
    message: "The portal no longer accepts it: it was ended there, it ran out, or the password was changed.",
    advice: "Sign in again.",
    next: "sign-in",
  },
  token_refused: {
    status: 401,
    title: "Your sign-in was not accepted there",
    message: "The server that was asked refuses your token, and a new one as well.",
    advice: "Sign in again. If it stays, that server may not belong to your portal.",
    next: "sign-in",
  },
  token_target: {
    status: 403,
    title: "That address gets no token",
    message: "Your token is only sent to your portal and to the servers that belong to it.",
    advice: "If you run this server: add the address to PROXY_ALLOW if it is to be trusted.",
  },
  embed_origin: {
    status: 403,
    title: "That app is not shown here",
    message: "This page shows apps of certain origins only, because they get your access token.",
    advice: "If you run this server: add the origin to EMBED_ORIGINS if it is to be trusted.",
  },
  not_found: {
    status: 404,
    title: "There is nothing here",
    message: "The page does not exist, or it has moved.",
    advice: "Check the address, or go to the start page.",
  },
  method_not_allowed: {
    status: 405,
    title: "That does not work this way",
    message: "This address exists, but not for this kind of request.",
    advice: "Go to the start page and try again from there.",
  },
  payload_too_large: {
    status: 413,
    title: "That was too much",
    message: "The request is larger than this server accepts.",
    advice: "Send less, or go to the start page.",
  },
  rate_limited: {
    status: 429,
    title: "One moment, please",
    message: "There were too many sign-ins from your address within a minute.",
    advice: "Wait a minute, then try again.",
    next: "retry",
  },
  insecure_connection: {
    status: 500,
    title: "This server is not set up for https yet",
    message:
      "Its public address is https, but the request arrived without it: a sign-in could not be kept and would go in circles.",
    advice:
      "If you run this server: let the reverse proxy send X-Forwarded-Proto and set TRUST_PROXY to its address or to 1.",
  },
  internal: {
    status: 500,
    title: "Something went wrong on our side",
    message: "This is a fault of the server, not of yours.",
    advice: "Try again. If it stays, send the request id below to the people who run this server.",
    next: "retry",
  },
  portal_unreachable: {
    status: 502,
    title: "ArcGIS cannot be reached",
    message: "This server could not talk to the portal, or the portal had a fault of its own.",
    advice: "Try again in a minute.",
    next: "sign-in",
  },
  answer_refused: {
    status: 502,
    title: "That answer does not come through",
    message: "The server that was asked sent a redirect, a web page or a script, or too much of anything.",
    advice: "If you write a page of this site: ask for f=json, or for an image.",
  },
  portal_answer_invalid: {
    status: 502,
    title: "ArcGIS answered something unexpected",
    message: "The portal was reached, but its answer is not one that this server can trust.",
    advice: "Try again in a minute. If it stays, the portal's address may be set wrongly.",
    next: "sign-in",
  },
  store_unavailable: {
    status: 503,
    title: "Sign-ins cannot be kept right now",
    message: "The place where this server keeps its sessions does not answer.",
    advice: "Try again in a minute.",
    next: "retry",
  },
  busy: {
    status: 503,
    title: "One moment, please",
    message: "Too many requests are under way at once.",
    advice: "Wait until some of them have ended, then try again.",
    next: "retry",
  },
  portal_timeout: {
    status: 504,
    title: "ArcGIS took too long",
    message: "The portal did not answer in time.",
    advice: "Try again in a minute.",
    next: "sign-in",
  },
} as const satisfies Record<string, Explanation>;

export type ErrorCode = keyof typeof catalog;

/**
 * An error with a stable code. Its texts come from the catalog, so nothing that a portal or a visitor sent
 * can reach a page; what really happened travels in `cause` and is written to the log alone.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  /** What is missing, in ArcGIS's own terms; said to the visitor. It comes from our own routes alone. */
  readonly needed: string | undefined;

  constructor(code: ErrorCode, options: { cause?: unknown; needed?: string } = {}) {
    super(catalog[code].message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "AppError";
    this.code = code;
    this.needed = options.needed || undefined;
  }

  /** What the error page and the JSON answer say. */
  get explanation(): Explanation {
    return catalog[this.code];
  }
}
