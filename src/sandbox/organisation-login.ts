import { createHash, createPublicKey, type JsonWebKey, randomBytes, verify } from "node:crypto";
import { parseCookie } from "cookie";
import type { Request, Response } from "express";
import { redirect } from "../redirect.ts";
import { type Params, paramsOf, text } from "./answers.ts";

/** What an administrator enters under "New OpenID Connect login", and the portal then knows of the provider. */
export interface OrganisationLogin {
  /** The provider's own address; the rest is read from what it publishes (OpenID Connect Discovery 1.0, 4). */
  issuer: string;
  /** The portal's registration there. */
  clientId: string;
  clientSecret: string;
  /** Whether the sign-in page shows this login alone: then nobody sees that page, and goes straight to the provider. */
  only: boolean;
}

/** How the person's name at the provider comes back, or why it does not. */
export type OrganisationAnswer =
  /** The parameters of the authorize request, and the name: the claim `preferred_username`. */
  | { params: Params; idpUsername: string }
  /** The person has pressed Cancel there. */
  | { params: Params; idpUsername?: undefined; denied: boolean };

/**
 * Where the provider sends people back to; an administrator registers it there. Below `/sharing/rest`, and shaped
 * like the addresses that ArcGIS shows its administrators, `/oauth2/oidc/{id}/signin`.
 */
export const organisationPath = "/oauth2/oidc/sandboxcity";

const cookieName = "sandbox_login";
const cookieOptions = { httpOnly: true, sameSite: "lax", path: "/portal" } as const;
const lifeMs = 10 * 60_000;

interface Pending {
  /** The authorize request that is to go on afterwards. */
  params: Params;
  /** The browser that was sent there: only that one may come back. */
  browser: string;
  nonce: string;
  codeVerifier: string;
  began: number;
}

/** What of a provider's published description is needed here. */
interface Provider {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  jwks_uri: string;
}

/**
 * The portal as the relying party of an organisation's identity provider: code flow with PKCE, and an ID token whose
 * signature and claims are checked (OpenID Connect Core 1.0, 3.1). The app that wanted the sign-in has no part in it,
 * and the provider's tokens end here.
 *
 * @param redirectUri the portal's callback, as it is registered at the provider
 */
export function organisationSignIn(redirectUri: () => string) {
  const pending = new Map<string, Pending>();

  return {
    /**
     * Sends the browser to the provider.
     * @throws Error when the provider does not answer.
     */
    async begin(login: OrganisationLogin, params: Params, res: Response): Promise<void> {
      const provider = await discover(login);
      const [state, browser, nonce, codeVerifier] = [random(), random(), random(), random()];
      for (const [key, { began }] of pending) if (began + lifeMs < Date.now()) pending.delete(key);
      pending.set(state, { params, browser, nonce, codeVerifier, began: Date.now() });
      res.cookie(cookieName, browser, cookieOptions);

      const url = new URL(provider.authorization_endpoint);
      const query = {
        client_id: login.clientId,
        response_type: "code",
        redirect_uri: redirectUri(),
        scope: "openid profile email",
        state,
        nonce,
        code_challenge: createHash("sha256").update(codeVerifier).digest("base64url"),
        code_challenge_method: "S256",
        // Another account at the portal is another account there, too.
        ...(text(params, "force_login") === "true" && { prompt: "login" }),
      };
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      redirect(res, url.href, 302);
    },

    /** Gives the authorize request that this answer of the provider belongs to; nothing when this browser made none. */
    requestOf(req: Request): Pending | undefined {
      const state = text(paramsOf(req), "state") ?? "";
      const found = pending.get(state);
      if (!found || found.browser !== parseCookie(req.get("Cookie") ?? "")[cookieName]) return undefined;
      pending.delete(state);
      return found;
    },

    /**
     * Gives the person's name at the provider.
     * @throws Error when the provider does not answer, or not as the standard says.
     */
    async finish(login: OrganisationLogin, req: Request, request: Pending): Promise<OrganisationAnswer> {
      const { params, nonce, codeVerifier } = request;
      const code = text(paramsOf(req), "code");
      if (!code) return { params, denied: text(paramsOf(req), "error") === "access_denied" };

      const provider = await discover(login);
      const { id_token } = await askJson(provider.token_endpoint, {
        method: "POST",
        headers: {
          Authorization: `Basic ${Buffer.from(`${login.clientId}:${login.clientSecret}`).toString("base64")}`,
        },
        body: new URLSearchParams({
          grant_type: "authorization_code",
          code,
          redirect_uri: redirectUri(),
          code_verifier: codeVerifier,
        }),
      });
      const claims = await claimsOf(String(id_token), provider, { audience: login.clientId, nonce });
      return { params, idpUsername: String(claims.preferred_username) };
    },
  };
}

async function discover({ issuer }: OrganisationLogin): Promise<Provider> {
  const provider = await askJson(`${issuer}/.well-known/openid-configuration`);
  if (provider.issuer !== issuer) throw new Error("the provider calls itself something else");
  return provider as unknown as Provider;
}

/** The claims of an ID token, after the checks of OpenID Connect Core 1.0, 3.1.3.7. */
async function claimsOf(
  idToken: string,
  { issuer, jwks_uri }: Provider,
  { audience, nonce }: { audience: string; nonce: string },
): Promise<Record<string, unknown>> {
  const [header = "", payload = "", signature = ""] = idToken.split(".");
  const { alg, kid } = decoded(header);
  const { keys } = (await askJson(jwks_uri)) as { keys?: (JsonWebKey & { kid?: string })[] };
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
  const claims = decoded(payload);
  const isForUs = claims.iss === issuer && claims.aud === audience && claims.nonce === nonce;
  if (!isSigned || !isForUs || !(Number(claims.exp) * 1000 > Date.now())) {
    throw new Error("the provider's ID token is not good");
  }
  return claims;
}

function decoded(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
}

async function askJson(url: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  const answer = await fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(5_000) });
  if (!answer.ok) throw new Error(`the provider answers ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}

function random(): string {
  return randomBytes(32).toString("base64url");
}
