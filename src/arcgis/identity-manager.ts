import type { ServerResponse } from "node:http";
import {
  ArcGISIdentityManager,
  type IArcGISIdentityManagerOptions,
  type IOAuth2Options,
  revokeToken,
} from "@esri/arcgis-rest-request";
import type { Config } from "../app/config/config.ts";
import { AppError } from "../errors.ts";
import { serverToken } from "./federation.ts";
import { portalRequest } from "./request.ts";
import { type Grant, readTokenAnswer } from "./token-answer.ts";
import { takesPortalToken } from "./token-targets.ts";

/** Both halves of a sign-in get the same options: the redirect URI must not differ (RFC 6749, 4.1.3). */
export interface OAuthOptions extends IOAuth2Options {
  portal: string;
  redirectUri: string;
  /** Sent with the token calls when the credentials item is confidential. */
  clientSecret?: string;
}

/**
 * What a visitor may wish of the portal's sign-in page: `locale` (such as `fr-FR`), `style`, and `provider`, a
 * social login, for which the library's browser half has the same two parameters.
 */
export interface Wishes extends Pick<IOAuth2Options, "locale" | "style" | "provider"> {
  /** Asks for an account though the browser is signed in. Not documented; the Maps SDK sends it. */
  forceLogin?: boolean;
  /** Is filled in. Not documented; the Maps SDK sends it (`forceUserId`). */
  username?: string;
}

export interface AuthorizeOptions extends OAuthOptions, Wishes {
  state: string;
  /** S256 challenge (RFC 7636, 4.2); left out for a portal that does not know PKCE. */
  codeChallenge?: string;
}

export interface ExchangeOptions extends OAuthOptions {
  codeVerifier?: string;
}

/** The options that both halves of the sign-in share. */
export function oauthOptions(config: Config): OAuthOptions {
  const { portal, clientId, clientSecret, redirectUri, tokenExpirationMinutes: expiration } = config;
  return { portal, clientId, clientSecret, redirectUri, expiration };
}

/**
 * Where the portal ends its own sign-in of this browser, and sends it back to us. Not documented by Esri;
 * ArcGIS Experience Builder uses it.
 * @param home the path on this site to come back to
 */
export function portalSignOut({ portal, clientId, origin }: Config, home: string): string {
  const query = new URLSearchParams({ client_id: clientId, redirect_uri: origin + home });
  return `${portal}/oauth2/signout?${query}`;
}

const ask = portalRequest();
const askBriefly = portalRequest({ timeoutMs: 3_000 });
const lastDayMs = 24 * 60 * 60_000;

/**
 * `ArcGISIdentityManager` with what a server needs of it. On the server the library's `authorize` answers 301,
 * which browsers keep for ever, and neither half of the flow knows PKCE; its `destroy` has no time limit; its
 * `getToken` gives the token to any address in which the portal's name occurs; and each of its instances
 * renews tokens for itself.
 *
 * Once the library has these, this file can go: its callers need not change.
 */
export class IdentityManager extends ArcGISIdentityManager {
  /** When the token really ends; `tokenExpires` is some minutes earlier, so that it is renewed in time. */
  readonly tokenEnds: Date | undefined;
  /** Renews the token for everybody who shares this session; tokens.ts sets it for the request at hand. */
  renew?: () => Promise<IdentityManager>;

  constructor({ tokenEnds, ...options }: IArcGISIdentityManagerOptions & { tokenEnds?: Date }) {
    super(options);
    this.tokenEnds = tokenEnds;
  }

  /**
   * Sends the browser to the portal's sign-in page: 302, not to be stored.
   * https://developers.arcgis.com/rest/users-groups-and-items/authorize/
   */
  static override authorize(options: AuthorizeOptions, response: ServerResponse): void {
    let location = "";
    const answer = {
      writeHead: (_status: number, headers: { Location: string }) => {
        location = headers.Location;
      },
      end: () => {},
    };
    ArcGISIdentityManager.authorize(options, answer as unknown as ServerResponse);

    const { codeChallenge, locale, style, forceLogin, username, provider } = options;
    if (provider) location = location.replace("/oauth2/authorize?", "/oauth2/social/authorize?");
    const more = new URLSearchParams({
      ...(codeChallenge && { code_challenge: codeChallenge, code_challenge_method: "S256" }),
      ...(locale && { locale }),
      ...(style && { style }),
      ...(forceLogin && { force_login: "true" }),
      ...(username && { prepopulatedusername: username }),
      ...(provider && { socialLoginProviderName: provider, autoAccountCreateForSocial: "true" }),
    });
    if (more.size > 0) location += `&${more}`;
    response.writeHead(302, { Location: location, "Cache-Control": "no-store" });
    response.end();
  }

  /**
   * Gives the identity that a one-time code stands for.
   * https://developers.arcgis.com/rest/users-groups-and-items/token/
   *
   * @throws AppError portal_unreachable, portal_timeout, portal_answer_invalid; `ArcGISRequestError` when the
   *   portal refuses the code.
   */
  static override async exchangeAuthorizationCode(
    options: ExchangeOptions,
    authorizationCode: string,
  ): Promise<IdentityManager> {
    const { portal, clientId, redirectUri, codeVerifier } = options;
    const grant = await askForTokens(options, {
      grant_type: "authorization_code",
      redirect_uri: redirectUri,
      code: authorizationCode,
      code_verifier: codeVerifier,
    });
    return new IdentityManager({ ...grant, portal, clientId, redirectUri });
  }

  /** Makes the identity again that `serialize()` wrote. */
  static override deserialize(text: string): IdentityManager {
    const { tokenExpires, tokenEnds, refreshTokenExpires, ...options } = JSON.parse(text);
    return new IdentityManager({
      ...options,
      tokenExpires: dateOf(tokenExpires),
      tokenEnds: dateOf(tokenEnds),
      refreshTokenExpires: dateOf(refreshTokenExpires),
    });
  }

  /** What `serialize()` writes. */
  override toJSON() {
    return { ...super.toJSON(), tokenEnds: this.tokenEnds };
  }

  /**
   * Revokes an identity's refresh token, and with it every access token it gave; waits 3 s at most.
   * https://developers.arcgis.com/rest/users-groups-and-items/revoke-token/
   *
   * @throws AppError or `ArcGISRequestError` when that was not to be had.
   */
  static override destroy(identity: ArcGISIdentityManager) {
    const { clientId, portal, refreshToken, token } = identity;
    return revokeToken({ clientId, portal, token: refreshToken ?? token, request: askBriefly });
  }

  /**
   * Gives the token for a request to `url`: the portal's to the portal and its hosted services, a federated
   * server's own to that server, and none to anybody else.
   *
   * @throws AppError token_target when the address may have no token of this person.
   */
  override async getToken(url: string): Promise<string> {
    if (takesPortalToken(this.portal, url)) return this.token;
    return serverToken(this, url);
  }

  /** What the library calls when a service has answered 498: one renewal for all, kept in the session. */
  override async refreshCredentials(): Promise<this> {
    if (!this.renew) throw new AppError("session_ended", { cause: "this identity is in no session" });
    const { token, tokenExpires } = await this.renew();
    this.clearCachedUserInfo();
    return this.updateToken(token, tokenExpires) as this;
  }

  /**
   * Asks the portal for a new access token, and in the refresh token's last day for a new pair, which ends the
   * old pair at once: so the result must be kept before anybody uses it.
   *
   * @throws AppError as `exchangeAuthorizationCode`; `ArcGISRequestError` when the portal takes the refresh
   *   token no more.
   */
  async renewed({ clientSecret, tokenExpirationMinutes }: Config): Promise<IdentityManager> {
    const { portal, clientId, redirectUri, refreshToken, refreshTokenExpires } = this;
    // With refresh tokens of a day or less, every renewal would be in the last day.
    const lastMs = Math.min(lastDayMs, (tokenExpirationMinutes * 60_000) / 5);
    const lastDay = refreshTokenExpires !== undefined && refreshTokenExpires.getTime() - lastMs < Date.now();
    const grant = await askForTokens(
      { portal, clientId, clientSecret },
      lastDay
        ? { grant_type: "exchange_refresh_token", refresh_token: refreshToken, redirect_uri: redirectUri }
        : { grant_type: "refresh_token", refresh_token: refreshToken },
    );
    return new IdentityManager({
      portal,
      clientId,
      redirectUri,
      refreshToken,
      refreshTokenExpires,
      ...grant,
    });
  }
}

function dateOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

async function askForTokens(
  { portal, clientId, clientSecret }: Pick<OAuthOptions, "portal" | "clientId" | "clientSecret">,
  params: Record<string, string | undefined>,
): Promise<Grant> {
  const answer = await ask(`${portal}/oauth2/token`, {
    params: { client_id: clientId, client_secret: clientSecret, ...params },
  });
  return readTokenAnswer(answer);
}
