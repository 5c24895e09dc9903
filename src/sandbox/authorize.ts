import { type Response, Router } from "express";
import { redirect } from "../redirect.ts";
import { type Params, paramsOf, text } from "./answers.ts";
import type { Client, Context } from "./context.ts";
import type { Challenge, Grant } from "./grants.ts";
import { organisationPath, organisationSignIn } from "./organisation-login.ts";
import { choiceOf, contentSecurityPolicy } from "./pages.ts";
import { home, type Person } from "./people.ts";
import { rememberedPeople } from "./remembered.ts";

/** Minutes: two weeks, and ninety days. */
const expirations = { byDefault: 20160, most: 129600 };

const problems = {
  unreachable:
    "The organisation's identity provider does not answer, or not as it should. Try again, or sign in another way.",
  noMember: "You have signed in there, but no member of this organisation has that login.",
};

/** A request to sign in that may be shown to a person. */
interface SignInRequest extends Omit<Grant, "username"> {
  client: Client;
  state: string | undefined;
  challenge: Challenge | undefined;
}

/**
 * `oauth2/authorize` and `oauth2/signout`: where a browser comes to sign in.
 *
 * A program goes on as the page does: POST every parameter of the authorize URL to the same address as a
 * form, with `username` added (the person allows it) or `action=cancel`. The answer is the 302 back.
 *
 * `locale` is accepted and ignored: these pages speak English only.
 */
export function authorizeRoutes(portal: Context): Router {
  const { people, settings, grants } = portal;
  const remembered = rememberedPeople();
  const organisation = organisationSignIn(() => `${portal.url}${organisationPath}/signin`);
  const router = Router();

  // 1. The page, or the way straight back for a person whom the portal remembers.
  router.get("/oauth2/authorize", portal.at("authorize"), async (req, res) => {
    const params = paramsOf(req);
    const request = readRequest(portal, params, res);
    if (!request) return;
    if (res.locals.deny) return deny(res, request);

    const username = remembered.usernameOf(req);
    const person = people.find((each) => each.username === username);
    if (person && settings.rememberPerson && text(params, "force_login") !== "true") {
      return allow(res, request, person);
    }
    if (settings.organisationLogin?.only) await toOrganisation(res, request, params);
    else showChoice(res, request, params);
  });

  // 2. The choice that the person made there.
  router.post("/oauth2/authorize", portal.at("authorize"), (req, res) => {
    const params = paramsOf(req);
    const request = readRequest(portal, params, res);
    if (!request) return;
    if (res.locals.deny || text(params, "action") === "cancel") return deny(res, request);

    const person = withLoginHere().find((each) => each.username === text(params, "username"));
    if (!person) return showChoice(res.status(400), request, params);
    if (settings.rememberPerson) remembered.remember(res, person.username);
    allow(res, request, person);
  });

  // 3. Or the organisation's own login: there, and back with a name that a member of the organisation has. The
  //    address of the way there is the sandbox's own.
  router.get(`${organisationPath}/authorize`, async (req, res) => {
    const params = paramsOf(req);
    const request = readRequest(portal, params, res);
    if (request) await toOrganisation(res, request, params);
  });

  router.get(`${organisationPath}/signin`, async (req, res) => {
    const { organisationLogin } = settings;
    const pending = organisation.requestOf(req);
    if (!organisationLogin || !pending) return showForeign(res.status(400));
    const request = readRequest(portal, pending.params, res);
    if (!request) return;

    const answer = await organisation.finish(organisationLogin, req, pending).catch(() => undefined);
    if (!answer) return showChoice(res.status(502), request, pending.params, problems.unreachable);
    if (answer.idpUsername === undefined) {
      if (answer.denied) return deny(res, request);
      return showChoice(res.status(502), request, pending.params, problems.unreachable);
    }
    const { idpUsername } = answer;
    const person = people.find((each) => each.provider === "enterprise" && each.idpUsername === idpUsername);
    if (!person) return showChoice(res.status(403), request, pending.params, problems.noMember);
    if (settings.rememberPerson) remembered.remember(res, person.username);
    allow(res, request, person);
  });

  // 4. The end of what the portal remembers. Not in Esri's documentation; Experience Builder uses it.
  router.get("/oauth2/signout", (req, res) => {
    remembered.forget(req, res);

    const params = paramsOf(req);
    const client = portal.clients.find(({ clientId }) => clientId === text(params, "client_id"));
    const redirectUri = text(params, "redirect_uri");
    if (client && redirectUri && isOfApp(redirectUri, client)) return redirect(res, redirectUri, 302);
    res.render("message", {
      title: "Signed out",
      message: "You are signed out of the sandbox portal.",
      advice: "The app you came from keeps its own sign-in. You may close this page.",
    });
  });

  async function toOrganisation(res: Response, request: SignInRequest, params: Params): Promise<void> {
    const { organisationLogin: login } = settings;
    if (!login) return showChoice(res.status(400), request, params);
    await organisation.begin(login, params, res).catch(() => {
      showChoice(res.status(502), request, params, problems.unreachable);
    });
  }

  /** Whoever has a login of the organisation has none of the portal's own, as in ArcGIS. */
  function withLoginHere(): Person[] {
    return settings.organisationLogin ? people.filter(({ provider }) => provider === "arcgis") : people;
  }

  function showChoice(res: Response, request: SignInRequest, params: Params, problem?: string): void {
    const { username: _, action: __, ...fields } = params;
    const preferred = text(params, "prepopulatedusername");
    const byPreference = (a: Person, b: Person) =>
      Number(b.username === preferred) - Number(a.username === preferred);

    // A browser applies form-action to the redirect that answers the form, too: the app must be named.
    const { origin } = new URL(request.redirectUri);
    res.set("Content-Security-Policy", contentSecurityPolicy(origin)).render("sign-in", {
      app: request.client.title ?? request.clientId,
      origin,
      fields,
      style: text(params, "style"),
      choices: settings.organisationLogin?.only ? [] : withLoginHere().toSorted(byPreference).map(choiceOf),
      organisation: settings.organisationLogin && {
        name: home.name,
        href: `/portal/sharing/rest${organisationPath}/authorize?${new URLSearchParams(fields as Record<string, string>)}`,
      },
      problem,
    });
  }

  function allow(
    res: Response,
    { client: _, state, challenge, ...grant }: SignInRequest,
    person: Person,
  ): void {
    const code = grants.issueCode({ ...grant, username: person.username }, challenge);
    redirect(res, callback(grant.redirectUri, { code, state }), 302);
  }

  return router;
}

function deny(res: Response, request: SignInRequest): void {
  fail(res, request, "access_denied", "The user denied your request");
}

/** Tells the app what went wrong (RFC 6749, 4.1.2.1). */
function fail(
  res: Response,
  { redirectUri, state }: { redirectUri: string; state: string | undefined },
  error: string,
  description: string,
): void {
  redirect(res, callback(redirectUri, { error, error_description: description, state }), 302);
}

/** Gives the request, or answers it itself when nobody should see it. */
function readRequest(portal: Context, params: Params, res: Response): SignInRequest | undefined {
  // Until app and address are known to belong together, nothing may go to that address: ArcGIS shows a page
  // ("Error 400 Invalid redirect_uri", support.esri.com 000015445).
  const clientId = text(params, "client_id");
  const redirectUri = text(params, "redirect_uri");
  const client = portal.clients.find((each) => each.clientId === clientId);

  if (!clientId) return void showError(res, "client_id not specified");
  if (!client) return void showError(res, "Invalid client_id");
  if (!redirectUri) return void showError(res, "redirect_uri not specified");
  if (!client.redirectUris.includes(redirectUri)) return void showError(res, "Invalid redirect_uri");

  const state = text(params, "state");
  const app = { redirectUri, state };
  if (text(params, "response_type") !== "code") {
    return void fail(res, app, "unsupported_response_type", "Invalid response_type");
  }

  const value = text(params, "code_challenge");
  const method = text(params, "code_challenge_method") ?? "plain"; // RFC 7636, 4.3
  if (!value && portal.settings.requirePkce) {
    return void fail(res, app, "invalid_request", "code_challenge not specified");
  }
  if (value && method !== "S256" && method !== "plain") {
    return void fail(res, app, "invalid_request", "Invalid code_challenge_method");
  }
  if (value && !/^[\w.~-]{43,128}$/.test(value)) {
    return void fail(res, app, "invalid_request", "Invalid code_challenge");
  }

  return {
    client,
    clientId,
    redirectUri,
    state,
    challenge: value ? { value, method: method === "S256" ? "S256" : "plain" } : undefined,
    refreshTokenSeconds:
      portal.settings.refreshTokenSeconds ?? expirationMinutes(text(params, "expiration")) * 60,
  };
}

function showError(res: Response, message: string): void {
  const advice =
    "Compare the app's CLIENT_ID and REDIRECT_URI, letter by letter, with what is registered here.";
  res.status(400).render("message", { title: "Error 400", message, advice });
}

function showForeign(res: Response): void {
  res.render("message", {
    title: "This sign-in was not started here",
    message: "This browser has no sign-in under way at the organisation's identity provider.",
    advice: "Go to the app, and sign in from there.",
  });
}

function expirationMinutes(expiration: string | undefined): number {
  const minutes = Number(expiration);
  return minutes > 0 ? Math.min(minutes, expirations.most) : expirations.byDefault;
}

/** The redirect URI with the answer in its query; the URI itself stays as it was registered. */
function callback(redirectUri: string, answer: Record<string, string | undefined>): string {
  const pairs = Object.entries(answer)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value ?? "")}`);
  return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}

function isOfApp(address: string, { redirectUris }: Client): boolean {
  return URL.canParse(address) && redirectUris.some((uri) => new URL(uri).origin === new URL(address).origin);
}
