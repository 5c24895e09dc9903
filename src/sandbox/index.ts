/**
 * A pretend ArcGIS Enterprise on this machine, for tests: sign-in, tokens, users, groups and feature services.
 *
 * @module arcgis-sign-in/sandbox
 */
import type { IncomingHttpHeaders } from "node:http";
import express, { type NextFunction, type Request, type Response } from "express";
import { ArcGISError, arcgisError, sendJson } from "./arcgis-json.ts";
import { authorizeRoutes } from "./authorize.ts";
import {
  defaultSettings,
  type SandboxClient,
  type SandboxContext,
  type SandboxSettings,
  type SandboxState,
} from "./context.ts";
import { allowApps } from "./cors.ts";
import messages from "./data/messages.json" with { type: "json" };
import {
  type Fault,
  type FaultEndpoint,
  type FaultTarget,
  openFaults,
  type SandboxFaults,
} from "./faults.ts";
import { featureServerRoutes, serverPath } from "./feature-server.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { itemRoutes } from "./items.ts";
import { createLayer, type SandboxLayer, sampleLayers } from "./layers.ts";
import { connectOrganization, type OrganizationOptions } from "./organization-login.ts";
import { contentSecurityPolicy, createPages, listen, viewsFolder } from "./pages.ts";
import { portalSelfRoutes } from "./portal-self.ts";
import type { RequestParams } from "./request-params.ts";
import { generateTokenRoutes, tokenRoutes } from "./token-endpoint.ts";
import { openTokenStore } from "./token-store.ts";
import { createSampleUsers, createUser, type SandboxUserOptions } from "./users.ts";

export type { SandboxClient, SandboxSettings, ServerToken } from "./context.ts";
export type { Fault, FaultEndpoint, FaultTarget, SandboxFaults } from "./faults.ts";
export type { LayerGeometry } from "./geometry.ts";
export type { IdentityProvider } from "./identity-provider.ts";
export type { LayerFeature, LayerField, SandboxLayer } from "./layers.ts";
export type { OrganizationLogin, OrganizationOptions } from "./organization-login.ts";
export type { RequestParams } from "./request-params.ts";
export type { BaseRole, SandboxGroup, SandboxUser, SandboxUserOptions } from "./users.ts";
export type { FeatureAttributes } from "./where-clause.ts";

export interface SandboxOptions {
  /** The registered apps. */
  clients: readonly SandboxClient[];
  /** Default: five sample users of two organizations. */
  users?: readonly SandboxUserOptions[];
  /** Default: two sample layers, one for the organization and one for a group. */
  layers?: readonly SandboxLayer[];
  /** Returns the time in milliseconds; a test travels in time with it. Default `Date.now`. */
  clock?: () => number;
  /** Faults from the start. Change them later with `sandbox.faults`. */
  faults?: Partial<Record<FaultTarget, Fault>>;
  /** Settings from the start. Change them later with `sandbox.settings`. */
  settings?: Partial<SandboxSettings>;
  /** Loopback only. Default 127.0.0.1. */
  host?: "127.0.0.1" | "::1" | "localhost";
  /** Default 0: any free port. */
  port?: number;
  /** The file that keeps tokens between runs (mode 0600). Default: tokens are kept in memory. */
  stateFile?: string;
}

/** A request that the sandbox received. */
export interface SandboxRequest {
  /** In milliseconds, by the sandbox's clock. */
  time: number;
  method: string;
  path: string;
  /** `undefined` for other paths. */
  endpoint: FaultEndpoint | undefined;
  query: RequestParams;
  /** The form in the body. */
  params: RequestParams;
  headers: IncomingHttpHeaders;
}

/** A running sandbox portal. */
export interface Sandbox extends SandboxState {
  /** The URLs of the feature layers. */
  layers: string[];
  faults: SandboxFaults;
  /** The latest ten thousand requests, oldest first. */
  log: SandboxRequest[];
  /** The refresh tokens that were revoked, in order. */
  revoked: readonly string[];
  /** All access tokens that were issued so far are invalid (498). */
  expireAccessTokens(): void;
  /** All refresh tokens that were issued so far are rejected. */
  expireRefreshTokens(): void;
  /**
   * Gives the organization an identity provider of its own. From now on its members sign in there.
   * @throws when `oidc-provider` is not installed, or the port is taken.
   */
  connectOrganization(options?: OrganizationOptions): Promise<IdentityProvider>;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

const loopback: readonly string[] = ["127.0.0.1", "::1", "localhost"];
const maxLogLength = 10_000;

/**
 * Starts a pretend ArcGIS Enterprise on this machine: a portal and a federated ArcGIS Server with the paths, responses
 * and errors of ArcGIS. There are no passwords: the sign-in page lists the users.
 *
 * @throws with `NODE_ENV=production`, for a host that is not loopback, and when the port is taken.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host = "127.0.0.1", port = 0, clock = Date.now } = options;
  if (process.env.NODE_ENV === "production") {
    throw new Error("The sandbox portal has no passwords: it does not start with NODE_ENV=production.");
  }
  if (!loopback.includes(host)) {
    throw new Error(
      `The sandbox portal listens on loopback only (${loopback.join(", ")}), not on "${host}".`,
    );
  }
  const settings: SandboxSettings = { ...defaultSettings, ...options.settings };
  const layers = (options.layers ?? sampleLayers).map(createLayer);
  const tokens = openTokenStore(settings, clock, options.stateFile);
  const faults = openFaults(options.faults);
  const log: SandboxRequest[] = [];
  const { server, origin, close } = await listen(port, host);

  const state: SandboxState = {
    url: `${origin}/portal/sharing/rest`,
    origin,
    settings,
    clients: [...options.clients],
    users: options.users?.map(createUser) ?? createSampleUsers(),
    servers: [`${origin}${serverPath}`],
    serverTokens: new Map(),
  };
  const context: SandboxContext = { ...state, layers, tokens, clock, at: faults.at };

  const app = createPages(contentSecurityPolicy())
    .use(express.urlencoded({ extended: false }))
    .use(({ method, path, query, body, headers }, res, next) => {
      const given = { query: query as RequestParams, params: body ?? {}, headers };
      const request: SandboxRequest = { time: clock(), method, path, endpoint: undefined, ...given };
      res.locals.request = request;
      if (log.push(request) > maxLogLength) log.shift();
      next();
    })
    .get("/portal/sandbox.css", (_req, res) => res.sendFile("sandbox.css", { root: viewsFolder }))
    .get(["/", "/portal", "/portal/home"], (_req, res) => res.render("message", messages.welcome))
    // The Maps SDK signs in at /sharing/oauth2/authorize, other clients below /sharing/rest.
    .use(["/portal/sharing/rest", "/portal/sharing"], authorizeRoutes(context), tokenRoutes(context))
    .use(["/portal/sharing/rest", "/portal/sharing", serverPath], allowApps(context))
    .use(["/portal/sharing/rest", "/portal/sharing"], generateTokenRoutes(context))
    .use("/portal/sharing/rest", portalSelfRoutes(context), itemRoutes(context))
    .use(serverPath, featureServerRoutes(context))
    .use((req, res) => sendJson(req, res.status(404), arcgisError(404, "There is nothing at this address.")))
    .use(sendError);
  server.on("request", app);

  return {
    ...state,
    layers: layers.map(
      ({ serviceName }) => `${origin}${serverPath}/rest/services/${serviceName}/FeatureServer/0`,
    ),
    faults: faults.controls,
    log,
    revoked: tokens.revoked,
    expireAccessTokens: tokens.expireAccessTokens,
    expireRefreshTokens: tokens.expireRefreshTokens,
    connectOrganization: (organization = {}) => connectOrganization(context, organization),
    close,
  };
}

/** A request that cannot be read has a status; any other error is a bug of the sandbox. */
function sendError(error: unknown, req: Request, res: Response, next: NextFunction): void {
  if (error instanceof ArcGISError) return void sendJson(req, res, error);
  const { status = 500, message } = error as Error & { status?: number };
  if (status >= 500) console.error(error);
  if (res.headersSent) next(error);
  else sendJson(req, res.status(status), arcgisError(status, status < 500 ? message : "The sandbox failed."));
}
