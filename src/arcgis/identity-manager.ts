import type { ServerResponse } from "node:http";
import { ArcGISIdentityManager, type IOAuth2Options, revokeToken } from "@esri/arcgis-rest-request";
import type { Config } from "../config.ts";
import { portalRequest } from "./request.ts";
import { readTokenAnswer } from "./token-answer.ts";

/** Both halves of a sign-in get the same options: the redirect URI must not differ (RFC 6749, 4.1.3). */
export interface OAuthOptions extends IOAuth2Options {
  portal: string;
  redirectUri: string;
  /** Sent with the token calls when the credentials item is confidential. */
  clientSecret?: string;
}

export interface AuthorizeOptions extends OAuthOptions {
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

const ask = portalRequest();
const askBriefly = portalRequest({ timeoutMs: 3_000 });

/**
 * `ArcGISIdentityManager` with what a server needs of it. On the server the library's `authorize` answers 301,
 * which browsers keep for ever, and neither half of the flow knows PKCE; its `destroy` has no time limit.
 * Once the library has these, this file can go: its callers need not change.
 */
export class IdentityManager extends ArcGISIdentityManager {
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
    super.authorize(options, answer as unknown as ServerResponse);

    const url = new URL(location);
    if (options.codeChallenge) {
      url.searchParams.set("code_challenge", options.codeChallenge);
      url.searchParams.set("code_challenge_method", "S256");
    }
    response.writeHead(302, { Location: url.href, "Cache-Control": "no-store" });
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
  ): Promise<ArcGISIdentityManager> {
    const { portal, clientId, clientSecret, redirectUri, codeVerifier } = options;
    const answer = await ask(`${portal}/oauth2/token`, {
      params: {
        grant_type: "authorization_code",
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uri: redirectUri,
        code: authorizationCode,
        code_verifier: codeVerifier,
      },
    });
    return new ArcGISIdentityManager({ ...readTokenAnswer(answer), portal, clientId, redirectUri });
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
}
