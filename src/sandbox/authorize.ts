import { type Request, type Response, Router } from "express";
import session from "express-session";
import type { SandboxClient, SandboxContext } from "./context.ts";
import messages from "./data/messages.json" with { type: "json" };
import { organizationLogins, organizationPath, type PortalSession } from "./organization-login.ts";
import { contentSecurityPolicy, userChoice } from "./pages.ts";
import { param, paramsOf, type RequestParams } from "./request-params.ts";
import { type CodeChallenge, randomToken } from "./token-store.ts";
import { homeOrganization, type SandboxUser } from "./users.ts";

/** Two weeks, and ninety days. */
const expirationMinutes = { default: 20160, max: 129600 };

/** An authorize request whose client and redirect URI belong together. */
type AuthorizeRequest = NonNullable<ReturnType<typeof readRequest>>;

/**
 * `oauth2/authorize` and `oauth2/signout`: the pages for a browser.
 *
 * A program does what the page does: it POSTs every parameter of the authorize URL to the same URL as a form, with
 * `username` (the user allows the app) or `action=cancel`. The response is the redirect to the app.
 *
 * `locale` is accepted and ignored: the pages are in English only.
 */
export function authorizeRoutes(context: SandboxContext): Router {
  const { at, url, clients, users, settings, tokens } = context;
  const logins = organizationLogins(`${url}${organizationPath}/signin`);
  const router = Router().use(
    session({
      // ArcGIS's own cookie of this name holds a token.
      name: "esri_auth",
      secret: randomToken(32),
      cookie: { sameSite: "lax", path: "/portal" },
      resave: false,
      saveUninitialized: false,
    }),
  );

  // 1. The sign-in page, or the redirect back for a user with a session at the portal.
  router.get("/oauth2/authorize", at("authorize"), async (req, res) => {
    const request = readRequest(context, paramsOf(req), res);
    if (!request) return;
    if (res.locals.deny) return deny(res, request);

    const { username } = sessionOf(req);
    const user = users.find((each) => each.username === username);
    const isSilent = settings.rememberUser && param(request.params, "force_login") !== "true";
    if (user && isSilent) return allow(res, request, user);
    if (settings.organizationLogin?.only) await redirectToProvider(req, res, request);
    else showSignIn(res, request);
  });

  // 2. The user's choice on that page.
  router.post("/oauth2/authorize", at("authorize"), (req, res) => {
    const request = readRequest(context, paramsOf(req), res);
    if (!request) return;
    if (res.locals.deny || param(request.params, "action") === "cancel") return deny(res, request);

    const username = param(request.params, "username");
    const user = portalUsers().find((each) => each.username === username);
    if (user) allow(res, request, user);
    else showSignIn(res.status(400), request);
  });

  // 3. The organization's login: the redirect to the provider, and the way back. ArcGIS's URL of the former is unknown.
  router.get(`${organizationPath}/authorize`, async (req, res) => {
    const request = readRequest(context, paramsOf(req), res);
    if (request) await redirectToProvider(req, res, request);
  });

  router.get(`${organizationPath}/signin`, async (req, res) => {
    const { organizationLogin } = settings;
    const state = param(paramsOf(req), "state") ?? "";
    const pending = logins.take(req, state);
    if (!organizationLogin || !pending) return res.status(400).render("message", messages.notStartedHere);
    const request = readRequest(context, pending.params, res);
    if (!request) return;

    try {
      const idpUsername = await logins.finish(organizationLogin, req, pending);
      if (idpUsername === undefined) return deny(res, request);
      const user = users.find((each) => each.provider === "enterprise" && each.idpUsername === idpUsername);
      if (user) allow(res, request, user);
      else showSignIn(res.status(403), request, messages.noMember);
    } catch {
      showSignIn(res.status(502), request, messages.unreachable);
    }
  });

  // 4. The end of the portal's session. Esri doesn't document it; Experience Builder uses it.
  router.get("/oauth2/signout", (req, res) => {
    req.session?.destroy(() => {});
    const params = paramsOf(req);
    const client = clients.find(({ clientId }) => clientId === param(params, "client_id"));
    const redirectUri = param(params, "redirect_uri");
    if (client && redirectUri && isOnSiteOf(redirectUri, client)) return res.redirect(redirectUri);
    res.render("message", messages.signedOut);
  });

  async function redirectToProvider(req: Request, res: Response, request: AuthorizeRequest): Promise<void> {
    const { organizationLogin } = settings;
    if (!organizationLogin) return showSignIn(res.status(400), request);
    sessionOf(req).hasLogins = true;
    await logins.begin(organizationLogin, request.params, res).catch(() => {
      showSignIn(res.status(502), request, messages.unreachable);
    });
  }

  /** As in ArcGIS, a user with a login of the organization has none of the portal. */
  function portalUsers(): SandboxUser[] {
    return settings.organizationLogin ? users.filter(({ provider }) => provider === "arcgis") : users;
  }

  function showSignIn(res: Response, { params, client, redirectUri }: AuthorizeRequest, problem?: string) {
    const { username: _, action: __, ...fields } = params;
    const { organizationLogin } = settings;
    const isPreferred = ({ username }: SandboxUser) => username === param(params, "prepopulatedusername");

    // Browsers apply form-action to the redirect after the form, too: it must name the app.
    const { origin } = new URL(redirectUri);
    res.set("Content-Security-Policy", contentSecurityPolicy(origin)).render("sign-in", {
      app: client.title ?? client.clientId,
      origin,
      fields,
      style: param(params, "style"),
      users: organizationLogin?.only
        ? []
        : portalUsers()
            .toSorted((one, other) => Number(isPreferred(other)) - Number(isPreferred(one)))
            .map(userChoice),
      organization: organizationLogin && {
        name: homeOrganization.name,
        href: `/portal/sharing/rest${organizationPath}/authorize?${new URLSearchParams(fields as Record<string, string>)}`,
      },
      problem,
    });
  }

  function allow(res: Response, request: AuthorizeRequest, { username }: SandboxUser): void {
    const { clientId, redirectUri, refreshTokenSeconds, challenge, params } = request;
    if (settings.rememberUser) sessionOf(res.req).username = username;
    const code = tokens.issueCode({ clientId, redirectUri, refreshTokenSeconds, username }, challenge);
    redirectToApp(res, redirectUri, params, { code });
  }

  function deny(res: Response, { redirectUri, params }: AuthorizeRequest): void {
    const error_description = "The user denied your request";
    redirectToApp(res, redirectUri, params, { error: "access_denied", error_description });
  }

  return router;
}

/** Paths are not case-sensitive, but cookies are: below another spelling of `/portal` there is no session. */
function sessionOf(req: Request): PortalSession {
  return (req.session as PortalSession | undefined) ?? {};
}

/** Returns the request, or sends the response to an invalid one. */
function readRequest({ clients, settings }: SandboxContext, params: RequestParams, res: Response) {
  // Nothing is sent to a redirect URI before it is known to belong to the app: ArcGIS shows a page
  // ("Error 400 Invalid redirect_uri", support.esri.com 000015445).
  const clientId = param(params, "client_id");
  const redirectUri = param(params, "redirect_uri");
  const client = clients.find((each) => each.clientId === clientId);
  if (!clientId) return showError(res, "client_id not specified");
  if (!client) return showError(res, "Invalid client_id");
  if (!redirectUri) return showError(res, "redirect_uri not specified");
  if (!client.redirectUris.includes(redirectUri)) return showError(res, "Invalid redirect_uri");

  /** Sends an error to the app (RFC 6749, 4.1.2.1). */
  const fail = (error_description: string, error = "invalid_request") =>
    redirectToApp(res, redirectUri, params, { error, error_description });
  if (param(params, "response_type") !== "code")
    return fail("Invalid response_type", "unsupported_response_type");
  const value = param(params, "code_challenge");
  const method = param(params, "code_challenge_method") ?? "plain"; // RFC 7636, 4.3
  if (!value && settings.requirePkce) return fail("code_challenge not specified");
  if (method !== "S256" && method !== "plain") return fail("Invalid code_challenge_method");
  if (value && !/^[\w.~-]{43,128}$/.test(value)) return fail("Invalid code_challenge");

  const asked = Number(param(params, "expiration"));
  const minutes = asked > 0 ? Math.min(asked, expirationMinutes.max) : expirationMinutes.default;
  const challenge: CodeChallenge | undefined = value ? { value, method } : undefined;
  const refreshTokenSeconds = settings.refreshTokenSeconds ?? minutes * 60;
  return { params, client, clientId, redirectUri, challenge, refreshTokenSeconds };
}

function showError(res: Response, message: string): undefined {
  const advice =
    "Compare the app's client ID and redirect URI, character by character, with what is registered here.";
  res.status(400).render("message", { title: "Error 400", message, advice });
}

/** Adds the result and the state to the redirect URI, which itself stays as it was registered. */
function redirectToApp(
  res: Response,
  redirectUri: string,
  params: RequestParams,
  result: Record<string, string>,
): undefined {
  const state = param(params, "state");
  const pairs = Object.entries({ ...result, ...(state !== undefined && { state }) });
  const query = pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  res.redirect(`${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${query}`);
}

function isOnSiteOf(url: string, { redirectUris }: SandboxClient): boolean {
  return URL.canParse(url) && redirectUris.some((uri) => new URL(uri).origin === new URL(url).origin);
}
