import { type Response, Router } from "express";
import type { SandboxClient, SandboxContext } from "./context.ts";
import { organizationLogins, organizationPath } from "./organization-login.ts";
import { portalSessions } from "./portal-cookie.ts";
import { param, paramsOf, type RequestParams } from "./request-params.ts";
import type { Authorization, CodeChallenge } from "./token-store.ts";
import { homeOrganization, type SandboxUser } from "./users.ts";
import { contentSecurityPolicy, userChoice } from "./views.ts";

/** Two weeks, and ninety days. */
const expirationMinutes = { default: 20160, max: 129600 };

const problems = {
  unreachable:
    "The organization's identity provider does not respond, or not as it should. Try again, or sign in another way.",
  noMember: "You have signed in there, but no member of this organization has that login.",
};

/** An authorize request whose client and redirect URI belong together. */
interface AuthorizeRequest extends Omit<Authorization, "username"> {
  client: SandboxClient;
  state: string | undefined;
  challenge: CodeChallenge | undefined;
}

/**
 * `oauth2/authorize` and `oauth2/signout`: the pages for a browser.
 *
 * A program does what the page does: it POSTs every parameter of the authorize URL to the same URL as a form, with
 * `username` (the user allows the app) or `action=cancel`. The response is the redirect to the app.
 *
 * `locale` is accepted and ignored: the pages are in English only.
 */
export function authorizeRoutes(context: SandboxContext): Router {
  const { at, url, clients, users, settings, tokens, clock } = context;
  const sessions = portalSessions();
  const logins = organizationLogins(`${url}${organizationPath}/signin`, clock);
  const router = Router();

  // 1. The sign-in page, or the redirect back for a user with a session at the portal.
  router.get("/oauth2/authorize", at("authorize"), async (req, res) => {
    const params = paramsOf(req);
    const request = readRequest(context, params, res);
    if (!request) return;
    if (res.locals.deny) return deny(res, request);

    const username = sessions.usernameOf(req);
    const user = users.find((each) => each.username === username);
    if (user && settings.rememberUser && param(params, "force_login") !== "true") {
      return allow(res, request, user);
    }
    if (settings.organizationLogin?.only) await redirectToProvider(res, request, params);
    else showSignIn(res, request, params);
  });

  // 2. The user's choice on that page.
  router.post("/oauth2/authorize", at("authorize"), (req, res) => {
    const params = paramsOf(req);
    const request = readRequest(context, params, res);
    if (!request) return;
    if (res.locals.deny || param(params, "action") === "cancel") return deny(res, request);

    const user = portalUsers().find((each) => each.username === param(params, "username"));
    if (!user) return showSignIn(res.status(400), request, params);
    if (settings.rememberUser) sessions.start(res, user.username);
    allow(res, request, user);
  });

  // 3. The organization's login: the redirect to the provider, and the way back. ArcGIS's URL of the former is unknown.
  router.get(`${organizationPath}/authorize`, async (req, res) => {
    const params = paramsOf(req);
    const request = readRequest(context, params, res);
    if (request) await redirectToProvider(res, request, params);
  });

  router.get(`${organizationPath}/signin`, async (req, res) => {
    const { organizationLogin } = settings;
    const pending = logins.take(req);
    if (!organizationLogin || !pending) return res.status(400).render("message", notStartedHere);
    const request = readRequest(context, pending.params, res);
    if (!request) return;

    const result = await logins.finish(organizationLogin, req, pending).catch(() => "failed" as const);
    if (result === "denied") return deny(res, request);
    if (result === "failed")
      return showSignIn(res.status(502), request, pending.params, problems.unreachable);
    const { idpUsername } = result;
    const user = users.find((each) => each.provider === "enterprise" && each.idpUsername === idpUsername);
    if (!user) return showSignIn(res.status(403), request, pending.params, problems.noMember);
    if (settings.rememberUser) sessions.start(res, user.username);
    allow(res, request, user);
  });

  // 4. The end of the portal's session. Esri doesn't document it; Experience Builder uses it.
  router.get("/oauth2/signout", (req, res) => {
    sessions.end(req, res);

    const params = paramsOf(req);
    const client = clients.find(({ clientId }) => clientId === param(params, "client_id"));
    const redirectUri = param(params, "redirect_uri");
    if (client && redirectUri && isOnSiteOf(redirectUri, client)) return res.redirect(redirectUri);
    res.render("message", {
      title: "Signed out",
      message: "You are signed out of the sandbox portal.",
      advice: "The app you came from keeps its own session. You can close this page.",
    });
  });

  async function redirectToProvider(
    res: Response,
    request: AuthorizeRequest,
    params: RequestParams,
  ): Promise<void> {
    const { organizationLogin } = settings;
    if (!organizationLogin) return showSignIn(res.status(400), request, params);
    await logins.begin(organizationLogin, params, res).catch(() => {
      showSignIn(res.status(502), request, params, problems.unreachable);
    });
  }

  /** As in ArcGIS, a user with a login of the organization has none of the portal. */
  function portalUsers(): SandboxUser[] {
    return settings.organizationLogin ? users.filter(({ provider }) => provider === "arcgis") : users;
  }

  function showSignIn(
    res: Response,
    request: AuthorizeRequest,
    params: RequestParams,
    problem?: string,
  ): void {
    const { username: _, action: __, ...fields } = params;
    const { organizationLogin } = settings;
    const preferred = param(params, "prepopulatedusername");
    const preferredFirst = (a: SandboxUser, b: SandboxUser) =>
      Number(b.username === preferred) - Number(a.username === preferred);

    // Browsers apply form-action to the redirect after the form, too: it must name the app.
    const { origin } = new URL(request.redirectUri);
    res.set("Content-Security-Policy", contentSecurityPolicy(origin)).render("sign-in", {
      app: request.client.title ?? request.clientId,
      origin,
      fields,
      style: param(params, "style"),
      users: organizationLogin?.only ? [] : portalUsers().toSorted(preferredFirst).map(userChoice),
      organization: organizationLogin && {
        name: homeOrganization.name,
        href: `/portal/sharing/rest${organizationPath}/authorize?${new URLSearchParams(fields as Record<string, string>)}`,
      },
      problem,
    });
  }

  function allow(
    res: Response,
    { client: _, state, challenge, ...authorization }: AuthorizeRequest,
    { username }: SandboxUser,
  ): void {
    const code = tokens.issueCode({ ...authorization, username }, challenge);
    res.redirect(callbackUrl(authorization.redirectUri, { code, state }));
  }

  return router;
}

/** Sends an error to the app (RFC 6749, 4.1.2.1). */
function fail(
  res: Response,
  { redirectUri, state }: Pick<AuthorizeRequest, "redirectUri" | "state">,
  error: string,
  error_description: string,
): undefined {
  res.redirect(callbackUrl(redirectUri, { error, error_description, state }));
}

function deny(res: Response, request: AuthorizeRequest): void {
  fail(res, request, "access_denied", "The user denied your request");
}

/** Returns the request, or sends the response to an invalid one. */
function readRequest(
  { clients, settings }: SandboxContext,
  params: RequestParams,
  res: Response,
): AuthorizeRequest | undefined {
  // Nothing is sent to a redirect URI before it is known to belong to the app: ArcGIS shows a page
  // ("Error 400 Invalid redirect_uri", support.esri.com 000015445).
  const clientId = param(params, "client_id");
  const redirectUri = param(params, "redirect_uri");
  const client = clients.find((each) => each.clientId === clientId);

  if (!clientId) return showError(res, "client_id not specified");
  if (!client) return showError(res, "Invalid client_id");
  if (!redirectUri) return showError(res, "redirect_uri not specified");
  if (!client.redirectUris.includes(redirectUri)) return showError(res, "Invalid redirect_uri");

  const state = param(params, "state");
  const app = { redirectUri, state };
  if (param(params, "response_type") !== "code") {
    return fail(res, app, "unsupported_response_type", "Invalid response_type");
  }

  const value = param(params, "code_challenge");
  const method = param(params, "code_challenge_method") ?? "plain"; // RFC 7636, 4.3
  if (!value && settings.requirePkce) {
    return fail(res, app, "invalid_request", "code_challenge not specified");
  }
  if (value && method !== "S256" && method !== "plain") {
    return fail(res, app, "invalid_request", "Invalid code_challenge_method");
  }
  if (value && !/^[\w.~-]{43,128}$/.test(value)) {
    return fail(res, app, "invalid_request", "Invalid code_challenge");
  }

  const asked = Number(param(params, "expiration"));
  const minutes = asked > 0 ? Math.min(asked, expirationMinutes.max) : expirationMinutes.default;
  return {
    client,
    clientId,
    redirectUri,
    state,
    challenge: value ? { value, method: method === "S256" ? "S256" : "plain" } : undefined,
    refreshTokenSeconds: settings.refreshTokenSeconds ?? minutes * 60,
  };
}

function showError(res: Response, message: string): undefined {
  const advice =
    "Compare the app's client ID and redirect URI, character by character, with what is registered here.";
  res.status(400).render("message", { title: "Error 400", message, advice });
}

const notStartedHere = {
  title: "This sign-in was not started here",
  message: "This browser has no sign-in in progress at the organization's identity provider.",
  advice: "Go to the app, and sign in from there.",
};

/** Adds parameters to the redirect URI, which itself stays as it was registered. */
function callbackUrl(redirectUri: string, params: Record<string, string | undefined>): string {
  const pairs = Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`);
  return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}

function isOnSiteOf(url: string, { redirectUris }: SandboxClient): boolean {
  return URL.canParse(url) && redirectUris.some((uri) => new URL(uri).origin === new URL(url).origin);
}
