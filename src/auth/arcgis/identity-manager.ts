import type { ServerResponse } from "node:http";
import {
  ArcGISIdentityManager,
  type IArcGISIdentityManagerOptions,
  revokeToken,
} from "@esri/arcgis-rest-request";
import { AuthError } from "../errors.ts";
import { portalRequest } from "./portal-request.ts";
import { parseTokenResponse, type TokenSet } from "./token-response.ts";
import { federatedToken, mayReceivePortalToken } from "./trusted-urls.ts";

/** What both halves of a sign-in share: the redirect URI must not differ (RFC 6749, 4.1.3). */
export interface OAuthOptions {
  portal: string;
  clientId: string;
  redirectUri: string;
  clientSecret?: string | undefined;
  /** Lifetime of the refresh token (minutes). */
  expiration: number;
}

/** Parameters of the authorize request beside those of every sign-in, by the portal's names. */
export type AuthorizeParams = Record<string, string | undefined>;

const request = portalRequest();
const shortRequest = portalRequest({ timeoutMs: 3_000 });

/**
 * ArcGISIdentityManager as a server needs it: PKCE and 302 (the library has neither), time limits, tokens only for
 * trusted URLs, and one refresh for everybody who shares the session.
 */
export class IdentityManager extends ArcGISIdentityManager {
  /** When the token really ends; `tokenExpires` is earlier, so that it is refreshed in time. */
  tokenEndsAt: Date | undefined;
  refreshTokenExchangeFrom: Date | undefined;
  /** Set for an identity in a session: gets another token than the present one, shared and stored. */
  refresh?: () => Promise<IdentityManager>;
  /** The refresh token that took the place of the one this object was made with. */
  #exchanged?: Pick<IdentityManager, "refreshToken" | "refreshTokenExpires">;

  constructor(options: IArcGISIdentityManagerOptions & Partial<TokenSet>) {
    super(options);
    this.tokenEndsAt = options.tokenEndsAt;
    this.refreshTokenExchangeFrom = options.refreshTokenExchangeFrom;
  }

  /**
   * Sends the browser to the portal: 302, because browsers keep the library's 301 forever.
   * https://developers.arcgis.com/rest/users-groups-and-items/authorize/
   */
  static override authorize(
    {
      portal,
      clientId,
      redirectUri,
      expiration,
      state,
      params = {},
    }: OAuthOptions & {
      state: string;
      params?: AuthorizeParams;
    },
    response: ServerResponse,
  ): void {
    const own = { client_id: clientId, response_type: "code", redirect_uri: redirectUri, state };
    const query = new URLSearchParams({ ...own, expiration: String(expiration) });
    for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, value);
    // A social login has a path of its own.
    const path = params.socialLoginProviderName ? "oauth2/social/authorize" : "oauth2/authorize";
    response.writeHead(302, { Location: `${portal}/${path}?${query}`, "Cache-Control": "no-store" }).end();
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
   * A new access token; near the refresh token's end a new pair, which ends the old pair at once. The refresh token
   * goes to the portal that issued it, whatever is configured now.
   */
  async refreshed(clientSecret: string | undefined): Promise<IdentityManager> {
    const { portal, clientId, redirectUri, refreshToken, refreshTokenExpires, refreshTokenExchangeFrom } =
      this;
    const exchange =
      refreshTokenExchangeFrom !== undefined && refreshTokenExchangeFrom.getTime() <= Date.now();
    const tokens = await requestTokens(
      { portal, clientId, clientSecret },
      {
        grant_type: exchange ? "exchange_refresh_token" : "refresh_token",
        refresh_token: refreshToken,
        redirect_uri: exchange ? redirectUri : undefined,
      },
    );
    const kept = { refreshToken, refreshTokenExpires, refreshTokenExchangeFrom };
    return new IdentityManager({ portal, clientId, redirectUri, ...kept, ...tokens } as TokenSet);
  }

  /** https://developers.arcgis.com/rest/users-groups-and-items/revoke-token/ ends the access tokens, too. */
  static override destroy({ clientId, portal, refreshToken, token }: ArcGISIdentityManager) {
    return revokeToken({ clientId, portal, token: refreshToken ?? token, request: shortRequest });
  }

  /** The token for a request to `url`, for the portal and servers federated with it; `untrusted_url` for others. */
  override async getToken(url: string): Promise<string> {
    return mayReceivePortalToken(this.portal, url) ? this.token : federatedToken(this, url);
  }

  /** ArcGIS REST JS calls this when a token was rejected. In a session, all requests share the refresh. */
  override async refreshCredentials(): Promise<this> {
    if (!this.refreshToken) throw new AuthError("session_ended", { cause: "there is no refresh token" });
    return this.adopt(await (this.refresh?.() ?? this.refreshed(undefined)));
  }

  /** Takes all tokens of a refreshed identity. A copy that kept the old refresh token could store it once more. */
  adopt(other: IdentityManager): this {
    if (other === this) return this;
    const { refreshToken, refreshTokenExpires } = other;
    this.#exchanged = { refreshToken, refreshTokenExpires };
    this.tokenEndsAt = other.tokenEndsAt;
    this.refreshTokenExchangeFrom = other.refreshTokenExchangeFrom;
    this.clearCachedUserInfo();
    return this.updateToken(other.token, other.tokenExpires) as this;
  }

  override get refreshToken(): string {
    return this.#exchanged ? this.#exchanged.refreshToken : super.refreshToken;
  }

  override get refreshTokenExpires(): Date {
    return this.#exchanged ? this.#exchanged.refreshTokenExpires : super.refreshTokenExpires;
  }

  /** What `serialize()` writes. */
  override toJSON() {
    const { tokenEndsAt, refreshTokenExchangeFrom } = this;
    return { ...super.toJSON(), tokenEndsAt, refreshTokenExchangeFrom };
  }

  static override deserialize(text: string): IdentityManager {
    const stored = JSON.parse(text);
    // An earlier version's name.
    stored.tokenEndsAt ??= stored.tokenEnds;
    for (const name of ["tokenExpires", "tokenEndsAt", "refreshTokenExpires", "refreshTokenExchangeFrom"])
      stored[name] = stored[name] === undefined ? undefined : new Date(stored[name]);
    return new IdentityManager(stored);
  }
}

async function requestTokens(
  { portal, clientId, clientSecret }: Pick<OAuthOptions, "portal" | "clientId" | "clientSecret">,
  params: Record<string, string | undefined>,
): Promise<TokenSet> {
  const credentials = { client_id: clientId, client_secret: clientSecret };
  return parseTokenResponse(
    await request(`${portal}/oauth2/token`, { params: { ...credentials, ...params } }),
  );
}
