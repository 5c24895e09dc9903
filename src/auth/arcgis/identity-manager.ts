import type { ServerResponse } from "node:http";
import {
  ArcGISIdentityManager,
  type IArcGISIdentityManagerOptions,
  revokeToken,
} from "@esri/arcgis-rest-request";
import { AuthError } from "../errors.ts";
import { federatedToken } from "./federated-servers.ts";
import { portalRequest } from "./portal-request.ts";
import { parseTokenResponse, type TokenSet } from "./token-response.ts";
import { mayReceivePortalToken } from "./trusted-urls.ts";

/** For both requests of a sign-in, so that both have the same redirect URI (RFC 6749, 4.1.3). */
export interface OAuthOptions {
  portal: string;
  clientId: string;
  redirectUri: string;
  clientSecret?: string | undefined;
  /** Lifetime of the refresh token (minutes). */
  expiration: number;
}

const request = portalRequest();
const shortRequest = portalRequest({ timeoutMs: 3_000 });

/**
 * ArcGISIdentityManager as a server needs it: with PKCE and 302 (the library's server methods have neither), time limits,
 * tokens for trusted URLs only, and one refresh for all requests of a session.
 */
export class IdentityManager extends ArcGISIdentityManager {
  /** When the access token expires. `tokenExpires` is earlier by the refresh margin (token-response.ts). */
  tokenEndsAt: Date | undefined;
  /** From then on, a refresh is an exchange: it also gets a new refresh token, and ends the old tokens at once. */
  refreshTokenExchangeFrom: Date | undefined;
  /** Set for the identity of a session: the refresh that its requests share (token-refresh.ts). */
  sharedRefresh?: () => Promise<IdentityManager>;

  constructor(options: IArcGISIdentityManagerOptions & Partial<TokenSet>) {
    super(options);
    this.tokenEndsAt = options.tokenEndsAt;
    this.refreshTokenExchangeFrom = options.refreshTokenExchangeFrom;
    const from = options.refreshTokenExchangeFrom;
    // Due then at the latest, because the next refresh has to be the exchange.
    if (from && new Date() < from && from < this.tokenExpires) this.updateToken(this.token, from);
  }

  /**
   * Sends the browser to the portal: 302, because browsers keep the library's 301 forever.
   * https://developers.arcgis.com/rest/users-groups-and-items/authorize/
   */
  static override authorize(
    options: OAuthOptions & { state: string; params?: Record<string, string | undefined> },
    response: ServerResponse,
  ): void {
    const { portal, clientId: client_id, redirectUri: redirect_uri, expiration, state, params } = options;
    const own = { client_id, response_type: "code", redirect_uri, expiration: String(expiration), state };
    const query = new URLSearchParams(own);
    for (const [name, value] of Object.entries(params ?? {})) if (value) query.set(name, value);
    const path = params?.socialLoginProviderName ? "social/authorize" : "authorize";
    response.writeHead(302, { Location: `${portal}/oauth2/${path}?${query}`, "Cache-Control": "no-store" });
    response.end();
  }

  /** https://developers.arcgis.com/rest/users-groups-and-items/token/ */
  static override async exchangeAuthorizationCode(
    options: OAuthOptions & { codeVerifier?: string },
    code: string,
  ): Promise<IdentityManager> {
    const { portal, clientId, redirectUri, codeVerifier: code_verifier } = options;
    const params = { grant_type: "authorization_code", redirect_uri: redirectUri, code, code_verifier };
    return new IdentityManager({ ...(await requestTokens(options, params)), portal, clientId, redirectUri });
  }

  /**
   * Requests a new access token; near the refresh token's end an exchange for two new tokens, which ends the old ones at
   * once. The refresh token goes to the portal that issued it, even if another is configured now.
   */
  async requestRefresh(clientSecret?: string): Promise<IdentityManager> {
    const { portal, clientId, redirectUri, refreshToken, refreshTokenExchangeFrom } = this;
    const isExchange = refreshTokenExchangeFrom !== undefined && refreshTokenExchangeFrom <= new Date();
    const params = isExchange
      ? { grant_type: "exchange_refresh_token", redirect_uri: redirectUri, refresh_token: refreshToken }
      : { grant_type: "refresh_token", refresh_token: refreshToken };
    const tokens = await requestTokens({ portal, clientId, clientSecret }, params);
    return new IdentityManager({ ...this.toJSON(), ...tokens });
  }

  /**
   * Revokes the refresh token, and with it its access tokens.
   * https://developers.arcgis.com/rest/users-groups-and-items/revoke-token/
   */
  static override destroy({ clientId, portal, refreshToken, token }: ArcGISIdentityManager) {
    return revokeToken({ clientId, portal, token: refreshToken ?? token, request: shortRequest });
  }

  /** The token for the portal, or for a server that is federated with it. Throws `untrusted_url` for other URLs. */
  override async getToken(url: string): Promise<string> {
    return this.tokenFor(url);
  }

  /** Like getToken, but not the token that the server has rejected. */
  async tokenFor(url: string, rejected?: string): Promise<string> {
    if (!mayReceivePortalToken(this.portal, url)) return federatedToken(this, url, rejected);
    if (rejected === this.token) await this.refreshCredentials();
    return this.token;
  }

  /** ArcGIS REST JS calls this when a token was rejected. */
  override async refreshCredentials(): Promise<this> {
    if (!this.refreshToken) throw new AuthError("session_ended", { cause: "there is no refresh token" });
    const { sharedRefresh } = this;
    const refreshed = await (sharedRefresh?.() ?? this.requestRefresh());
    // All of it: this request may store its session, and would write the old refresh token back.
    return Object.assign(this, refreshed, { sharedRefresh });
  }

  override toJSON() {
    const { tokenEndsAt, refreshTokenExchangeFrom } = this;
    return { ...super.toJSON(), tokenEndsAt, refreshTokenExchangeFrom };
  }

  static override deserialize(text: string): IdentityManager {
    const stored = JSON.parse(text);
    for (const name of ["tokenExpires", "tokenEndsAt", "refreshTokenExpires", "refreshTokenExchangeFrom"])
      if (stored[name] !== undefined) stored[name] = new Date(stored[name]);
    return new IdentityManager(stored);
  }
}

async function requestTokens(
  { portal, clientId, clientSecret }: Pick<OAuthOptions, "portal" | "clientId" | "clientSecret">,
  params: Record<string, string | undefined>,
): Promise<TokenSet> {
  const form = { client_id: clientId, client_secret: clientSecret, ...params };
  return parseTokenResponse(await request(`${portal}/oauth2/token`, { params: form }));
}
