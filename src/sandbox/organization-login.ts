import type { Request, Response } from "express";
import type { SandboxContext } from "./context.ts";
import { type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";
import { param, type RequestParams } from "./request-params.ts";
import { randomToken } from "./token-store.ts";
import { homeOrganization } from "./users.ts";

/** What an administrator enters under "New OpenID Connect login". */
export interface OrganizationLogin {
  /** The provider's URL; the rest is read from its metadata (OpenID Connect Discovery 1.0, 4). */
  issuer: string;
  /** The portal's registration there. */
  clientId: string;
  clientSecret: string;
  /** The only login: the browser skips the sign-in page and goes straight to the provider. */
  only: boolean;
}

/**
 * The portal's redirect URI, below `/sharing/rest`; an administrator registers it at the provider. It has the shape
 * of the URLs that ArcGIS shows its administrators, `/oauth2/oidc/{id}/signin`.
 */
export const organizationPath = "/oauth2/oidc/sandboxcity";

/** A browser at the portal, until the sandbox closes. */
export interface PortalSession {
  /** `undefined` while no user has signed in. */
  username?: string;
  /** It has begun a sign-in at the organization's identity provider. */
  hasLogins?: boolean;
}

/** A sign-in at the organization's identity provider that is in progress. */
interface PendingLogin {
  /** Of the browser that has begun it. */
  sessionId: string;
  /** The authorize request that continues afterwards. */
  params: RequestParams;
  /** What the response of the provider is checked against. */
  checks: { expectedState: string; expectedNonce: string; pkceCodeVerifier: string };
}

export interface OrganizationOptions {
  /** The port of the identity provider. Default 0: any free port. */
  port?: number;
  /** The organization's login is the only one. */
  only?: boolean;
}

/** Starts the identity provider, and does what an administrator does in the organization's settings. */
export async function connectOrganization(
  { url, users, settings }: SandboxContext,
  { port = 0, only = false }: OrganizationOptions,
): Promise<IdentityProvider> {
  const members = users
    .filter(({ orgId }) => orgId === homeOrganization.id)
    .map((user) => {
      const [userName = ""] = user.username.split("_", 1);
      return { user, userName, email: user.idpUsername ?? `${userName}@city.example`, name: user.fullName };
    });
  const registration = { clientId: "sandbox-portal", clientSecret: randomToken(32) };
  const provider = await startIdentityProvider({
    accounts: members,
    portal: { ...registration, redirectUri: `${url}${organizationPath}/signin` },
    organization: homeOrganization.name,
    port,
  });

  for (const { user, email } of members) Object.assign(user, { provider: "enterprise", idpUsername: email });
  settings.organizationLogin = { ...registration, issuer: provider.issuer, only };
  settings.rememberUser = true;
  return provider;
}

/**
 * The portal as the relying party of the organization's identity provider: openid-client does the code flow with PKCE,
 * and checks the ID token (OpenID Connect Core 1.0, 3.1). The app has no part in it, and never gets the provider's
 * tokens.
 */
export function organizationLogins(redirectUri: string) {
  /** By state. Not in the sessions: of two requests at once, each would save only its own. */
  const logins = new Map<string, PendingLogin>();
  return {
    /** Returns a login of this browser, once. */
    take({ sessionID }: Request, state: string): PendingLogin | undefined {
      const found = logins.get(state);
      if (found?.sessionId !== sessionID) return undefined;
      logins.delete(state);
      return found;
    },

    /**
     * Sends the browser to the provider. Only the session of this browser can finish the login.
     * @throws Error when the provider does not respond.
     */
    async begin(login: OrganizationLogin, params: RequestParams, res: Response): Promise<void> {
      const { client, provider } = await discover(login);
      const [state, nonce] = [client.randomState(), client.randomNonce()];
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier };
      logins.set(state, { sessionId: res.req.sessionID, params, checks });
      const url = client.buildAuthorizationUrl(provider, {
        redirect_uri: redirectUri,
        scope: "openid profile email",
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
        // Another account at the portal is another account at the provider, too.
        ...(param(params, "force_login") === "true" && { prompt: "login" }),
      });
      res.redirect(url.href);
    },

    /**
     * The user's name at the provider (the claim `preferred_username`); `undefined` when the user has canceled.
     * @throws Error when the provider does not respond, or not as the standard says.
     */
    async finish(login: OrganizationLogin, req: Request, { checks }: PendingLogin) {
      const { client, provider } = await discover(login);
      const url = new URL(req.originalUrl, redirectUri);
      const idTokenExpected = true;
      try {
        const tokens = await client.authorizationCodeGrant(provider, url, { ...checks, idTokenExpected });
        return String(tokens.claims()?.preferred_username);
      } catch (error) {
        if (error instanceof client.AuthorizationResponseError && error.error === "access_denied")
          return undefined;
        throw error;
      }
    },
  };
}

async function discover({ issuer, clientId, clientSecret }: OrganizationLogin) {
  const client = await import("openid-client");
  const provider = await client.discovery(
    new URL(issuer),
    clientId,
    { client_secret: clientSecret, id_token_signed_response_alg: "ES256" },
    client.ClientSecretBasic(),
    // The provider is on loopback.
    { execute: [client.allowInsecureRequests], timeout: 5 },
  );
  return { client, provider };
}
