import { createHash, createPublicKey, type JsonWebKey, randomBytes, verify } from "node:crypto";
import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { param, paramsOf, type RequestParams } from "./request-params.ts";

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

const cookieName = "sandbox_login";
const cookieOptions = { httpOnly: true, sameSite: "lax", path: "/portal" } as const;
const maxAgeMs = 10 * 60_000;

interface PendingLogin {
  /** The authorize request that continues afterwards. */
  params: RequestParams;
  /** Only the browser that was sent to the provider may come back. */
  browser: string;
  nonce: string;
  codeVerifier: string;
  startedAt: number;
}

/** The part of the provider's metadata that is used here. */
interface ProviderMetadata {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  jwks_uri: string;
}

/**
 * The portal as the relying party of the organization's identity provider: code flow with PKCE, and an ID token whose
 * signature and claims are checked (OpenID Connect Core 1.0, 3.1). The app has no part in it, and never gets the
 * provider's tokens.
 */
export function organizationLogins(redirectUri: string, clock: () => number) {
  const pending = new Map<string, PendingLogin>();

  return {
    /**
     * Sends the browser to the provider.
     * @throws Error when the provider does not respond.
     */
    async begin(login: OrganizationLogin, params: RequestParams, res: Response): Promise<void> {
      const provider = await discover(login);
      const [state, browser, nonce, codeVerifier] = [random(), random(), random(), random()];
      for (const [key, { startedAt }] of pending) if (startedAt + maxAgeMs < clock()) pending.delete(key);
      pending.set(state, { params, browser, nonce, codeVerifier, startedAt: clock() });
      res.cookie(cookieName, browser, cookieOptions);

      const url = new URL(provider.authorization_endpoint);
      const query = {
        client_id: login.clientId,
        response_type: "code",
        redirect_uri: redirectUri,
        scope: "openid profile email",
        state,
        nonce,
        code_challenge: createHash("sha256").update(codeVerifier).digest("base64url"),
        code_challenge_method: "S256",
        // Another account at the portal is another account at the provider, too.
        ...(param(params, "force_login") === "true" && { prompt: "login" }),
      };
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      res.redirect(url.href);
    },

    /** Removes and returns the login that this browser started. */
    take(req: Request): PendingLogin | undefined {
      const state = param(paramsOf(req), "state") ?? "";
      const found = pending.get(state);
      if (!found || found.browser !== parseCookie(req.get("Cookie") ?? "")[cookieName]) return undefined;
      pending.delete(state);
      return found;
    },

    /**
     * The user's name at the provider (the claim `preferred_username`), or why there is none.
     * @throws Error when the provider does not respond, or not as the standard says.
     */
    async finish(
      login: OrganizationLogin,
      req: Request,
      { nonce, codeVerifier }: PendingLogin,
    ): Promise<"denied" | "failed" | { idpUsername: string }> {
      const code = param(paramsOf(req), "code");
      if (!code) return param(paramsOf(req), "error") === "access_denied" ? "denied" : "failed";

      const provider = await discover(login);
      const credentials = Buffer.from(`${login.clientId}:${login.clientSecret}`).toString("base64");
      const { id_token } = await fetchJson(provider.token_endpoint, {
        method: "POST",
        headers: { Authorization: `Basic ${credentials}` },
        body: new URLSearchParams({
          grant_type: "authorization_code",
          code,
          redirect_uri: redirectUri,
          code_verifier: codeVerifier,
        }),
      });
      const claims = await verifyIdToken(String(id_token), provider, login.clientId, nonce);
      return { idpUsername: String(claims.preferred_username) };
    },
  };
}

async function discover({ issuer }: OrganizationLogin): Promise<ProviderMetadata> {
  const provider = await fetchJson(`${issuer}/.well-known/openid-configuration`);
  if (provider.issuer !== issuer) throw new Error("the provider has another issuer");
  return provider as unknown as ProviderMetadata;
}

/** The claims of an ID token, after the checks of OpenID Connect Core 1.0, 3.1.3.7. */
async function verifyIdToken(
  idToken: string,
  { issuer, jwks_uri }: ProviderMetadata,
  audience: string,
  nonce: string,
): Promise<Record<string, unknown>> {
  const [header = "", payload = "", signature = ""] = idToken.split(".");
  const { alg, kid } = decode(header);
  const { keys } = (await fetchJson(jwks_uri)) as { keys?: (JsonWebKey & { kid?: string })[] };
  const key = keys?.find((each) => each.kid === kid);
  const isSigned =
    alg === "ES256" &&
    key !== undefined &&
    verify(
      "sha256",
      Buffer.from(`${header}.${payload}`),
      { key: createPublicKey({ key, format: "jwk" }), dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    );
  const claims = decode(payload);
  const isForPortal = claims.iss === issuer && claims.aud === audience && claims.nonce === nonce;
  // The provider is another server: it does not know the sandbox's clock.
  if (!isSigned || !isForPortal || !(Number(claims.exp) * 1000 > Date.now())) {
    throw new Error("the provider's ID token is not valid");
  }
  return claims;
}

function decode(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
}

async function fetchJson(url: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const response = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`the provider responds with ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}

function random(): string {
  return randomBytes(32).toString("base64url");
}
