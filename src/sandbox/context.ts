import type { RequestHandler } from "express";
import type { FaultEndpoint } from "./faults.ts";
import type { FeatureLayer } from "./layers.ts";
import type { OrganizationLogin } from "./organization-login.ts";
import type { TokenStore } from "./token-store.ts";
import type { SandboxUser } from "./users.ts";

/** An app that is registered at the portal. */
export interface SandboxClient {
  clientId: string;
  /** Only an app that has one must send it. */
  clientSecret?: string;
  /** Compared character by character. */
  redirectUris: string[];
  /** The app's name on the sign-in page. */
  title?: string;
}

/** A token for a federated ArcGIS Server. */
export interface ServerToken {
  username: string;
  /** The root of the server, `https://host/webadaptor`. */
  serverUrl: string;
  /** Milliseconds since 1970. */
  expires: number;
}

/** The settings, and their defaults. */
export const defaultSettings = {
  /** The lifetime of authorization codes. */
  codeSeconds: 600,
  accessTokenSeconds: 1800,
  /** `undefined`: what the app asks for with `expiration`. */
  refreshTokenSeconds: undefined as number | undefined,
  /** Rejects an authorize request without `code_challenge`. */
  requirePkce: false,
  /** Leaves out `refresh_token_expires_in`, as an Enterprise before 10.9.1 does. */
  omitRefreshTokenExpiry: false,
  /**
   * The next sign-in of the same browser is silent, as in ArcGIS, until the app sends `force_login=true`. Off, so that a
   * test can sign in as several users.
   */
  rememberUser: false,
  /** The organization's own identity provider. `undefined`: users sign in at the portal. */
  organizationLogin: undefined as OrganizationLogin | undefined,
};

/** Read at each request: a test may change them at any time. @useDeclaredType */
export type SandboxSettings = typeof defaultSettings;

/** What a running portal has, for the test that started it. */
export interface SandboxState {
  /** The portal's URL for an app: `http://127.0.0.1:PORT/portal/sharing/rest`. */
  url: string;
  origin: string;
  /** Read at each request: change them at any time. */
  settings: SandboxSettings;
  /** Add clients, or change their redirect URIs, at any time. */
  clients: SandboxClient[];
  /** Change users at any time. */
  users: SandboxUser[];
  /** The roots of the ArcGIS Servers that are federated with the portal, its own first. Add others at any time. */
  servers: string[];
  /** The tokens that the portal issued for those servers. */
  serverTokens: Map<string, ServerToken>;
}

/** What the routes of one running portal share. */
export interface SandboxContext extends SandboxState {
  layers: readonly FeatureLayer[];
  tokens: TokenStore;
  clock: () => number;
  /** Names the endpoint in the log, and applies the fault that is set for it. */
  at(endpoint: FaultEndpoint): RequestHandler;
}
