import { generateKeyPairSync, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import express, { type ErrorRequestHandler, type Response } from "express";
import type { Adapter, AdapterPayload } from "oidc-provider";
import { contentSecurityPolicy, createPages, listen, viewsFolder } from "./pages.ts";

/** An OpenID Connect provider with a page to sign in. */
export interface IdentityProvider {
  /** Its URL, such as `http://127.0.0.1:3002`. */
  issuer: string;
  /** The requests in order, `METHOD /path`. */
  log: string[];
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

interface IdentityProviderOptions {
  /** There are no passwords: users type their user name or email address. */
  accounts: readonly { userName: string; email: string; name: string }[];
  /** The portal, as the relying party (OpenID Connect Core 1.0, 2). */
  portal: { clientId: string; clientSecret: string; redirectUri: string };
  /** The name of the organization. */
  organization: string;
  port: number;
}

/** In seconds. */
const ttl = {
  AccessToken: 600,
  AuthorizationCode: 60,
  Grant: 28_800,
  IdToken: 600,
  Interaction: 600,
  Session: 28_800,
};

/**
 * Browsers apply form-action to every redirect after the form. The last one goes to an app that this provider does not
 * know, so there is no form-action.
 */
const pagePolicy = contentSecurityPolicy().replace(/; form-action [^;]*/, "");

/**
 * Starts an identity provider as an organization has one: oidc-provider, which the OpenID Foundation has certified,
 * with a sign-in page of its own. It knows nothing about ArcGIS but the redirect URI of the portal.
 *
 * @throws when the package is not installed, or the port is taken (`code` EADDRINUSE).
 */
export async function startIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { accounts, portal, organization, port } = options;
  const { Provider } = await import("oidc-provider").catch(() => {
    const fix = "run `npm ci` without --omit=dev, and without NODE_ENV=production";
    throw new Error(
      `The package oidc-provider is not installed, the organization's identity provider: ${fix}.`,
    );
  });
  const { server, origin: issuer, close } = await listen(port, "127.0.0.1");
  const log: string[] = [];
  const app = createPages(pagePolicy).use((req, _res, next) => {
    log.push(`${req.method} ${req.path}`);
    next();
  });
  const render = promisify<string, object, string>(app.render.bind(app));

  const provider = new Provider(issuer, {
    adapter: memory,
    clients: [
      {
        client_id: portal.clientId,
        client_secret: portal.clientSecret,
        redirect_uris: [portal.redirectUri],
        id_token_signed_response_alg: "ES256",
      },
    ],
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    pkce: { required: () => true },
    scopes: ["openid", "profile", "email"],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"] },
    // The portal reads the ID token only.
    conformIdTokenClaims: false,
    findAccount: (_ctx, accountId) => {
      const account = accounts.find(({ userName }) => userName === accountId);
      if (!account) return undefined;
      const { name, email } = account;
      return { accountId, claims: () => ({ sub: accountId, name, email, preferred_username: email }) };
    },
    // The portal belongs to the organization: no user is asked for consent.
    loadExistingGrant: async ({ oidc }) => {
      const { accountId } = oidc.session ?? {};
      const grant = new provider.Grant({ clientId: portal.clientId, accountId });
      grant.addOIDCScope("openid profile email");
      await grant.save();
      return grant;
    },
    interactions: { url: (_ctx, { uid }) => `/sign-in/${uid}` },
    features: { devInteractions: { enabled: false } },
    ttl,
    async renderError(ctx, { error, error_description }) {
      ctx.type = "html";
      ctx.body = await render("provider-message", stopped(error_description ?? error));
    },
  });

  // 1. The portal has sent a browser without a session here.
  app.get("/sign-in/:uid", async (req, res) => {
    await provider.interactionDetails(req, res);
    showForm(res);
  });

  // 2. The only place where the user types something.
  app.post("/sign-in/:uid", express.urlencoded({ extended: false }), async (req, res) => {
    const interaction = await provider.interactionDetails(req, res);
    const { user_name, action } = req.body ?? {};
    if (action === "cancel") {
      const refusal = { error: "access_denied", error_description: "The user has canceled the sign-in" };
      return provider.interactionFinished(req, res, refusal);
    }
    const typed = String(user_name).trim().toLowerCase();
    const account = accounts.find(({ userName, email }) => userName === typed || email === typed);
    if (!account) return showForm(res.status(400), String(user_name ?? "").slice(0, 64));
    // Another user in a browser with a session: the package would end that session with a page that needs a script,
    // which the content security policy forbids.
    if (interaction.session && interaction.session.accountId !== account.userName) {
      await (await provider.Session.findByUid(interaction.session.uid))?.destroy();
      delete interaction.session;
      await interaction.save(ttl.Interaction);
    }
    await provider.interactionFinished(req, res, { login: { accountId: account.userName } });
  });

  // The demo prints this address.
  app.get("/", (_req, res) => {
    const message = "The sandbox portal sends you here to sign in.";
    res.render("provider-message", { ...stopped(message), title: "The organization's sign-in" });
  });

  // 3. The package does everything else.
  app.get("/sandbox.css", (_req, res) => res.sendFile("sandbox.css", { root: viewsFolder }));
  app.use(provider.callback());
  app.use(((error, _req, res, _next) => {
    const { status = 500 } = error as { status?: number };
    if (status >= 500) console.error(error);
    const message = "It was started too long ago or in another browser, or it is finished already.";
    res.status(status).render("provider-message", stopped(message));
  }) as ErrorRequestHandler);
  server.on("request", app);
  return { issuer, log, close };

  function showForm(res: Response, typed = ""): void {
    const names = accounts.map(({ userName }) => userName);
    res.render("provider-sign-in", { title: "Sign in", organization, names, typed });
  }

  function stopped(message: string) {
    const advice = "Go to the app that you want to use, and sign in from there.";
    return { title: "This sign-in cannot continue", organization, message, advice };
  }
}

/** Signs ID tokens until the provider closes. */
function signingKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig", kty: "EC" } as const;
}

/** The provider's records of one kind, in memory. It checks their `exp` itself. */
function memory(): Adapter {
  const records = new Map<string, AdapterPayload>();
  return {
    upsert: async (id, payload) => void records.set(id, payload),
    find: async (id) => records.get(id),
    findByUid: async (uid) => [...records.values()].find((payload) => payload.uid === uid),
    // Only for devices without a browser (RFC 8628).
    findByUserCode: async () => undefined,
    consume: async (id) => void Object.assign(records.get(id) ?? {}, { consumed: true }),
    destroy: async (id) => void records.delete(id),
    async revokeByGrantId(grantId) {
      for (const [id, payload] of records) if (payload.grantId === grantId) records.delete(id);
    },
  };
}
