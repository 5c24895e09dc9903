import type { RequestHandler } from "express";
import type { Endpoint } from "./faults.ts";
import type { Grants, Lifetimes } from "./grants.ts";
import type { OrganisationLogin } from "./organisation-login.ts";
import type { Person } from "./people.ts";

/** An app that is registered at the portal. */
export interface Client {
  clientId: string;
  /** Only an app that has one must send it. */
  clientSecret?: string;
  /** Compared letter by letter. */
  redirectUris: string[];
  /** What the sign-in page calls the app. */
  title?: string;
}

/** What a token for a federated ArcGIS Server stands for. */
export interface ServerToken {
  username: string;
  /** The server's root, `https://host/webadaptor`. */
  serverUrl: string;
  expires: number;
}

/** What tests may change while the portal runs. */
export interface SandboxSettings extends Lifetimes {
  /** The life of refresh tokens; `undefined`: what the app asks for by `expiration`. */
  refreshTokenSeconds: number | undefined;
  /** Refuses a sign-in without `code_challenge`. */
  requirePkce: boolean;
  /** Leaves out `refresh_token_expires_in`, as an Enterprise before 10.9.1 does. */
  omitRefreshTokenExpiry: boolean;
  /** The next sign-in of the same browser is silent, as at ArcGIS; off, so that people can try another person. */
  rememberPerson: boolean;
  /** The organisation's own identity provider; `undefined`: people sign in at the portal itself. */
  organisationLogin: OrganisationLogin | undefined;
}

/** What the routes of one running portal share. */
export interface Context {
  /** `http://127.0.0.1:PORT` */
  origin: string;
  /** `http://127.0.0.1:PORT/portal/sharing/rest` */
  url: string;
  clients: Client[];
  people: Person[];
  /** The roots of the federated servers. */
  servers: string[];
  serverTokens: Map<string, ServerToken>;
  settings: SandboxSettings;
  grants: Grants;
  now: () => number;
  /** Names the endpoint in the log, and lets a fault happen that was switched on for it. */
  at(endpoint: Endpoint): RequestHandler;
}
