import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type NextFunction, type Request, type Response } from "express";
import { answer, arcgisError, type Params } from "./answers.ts";
import { authorizeRoutes } from "./authorize.ts";
import { contentRoutes } from "./content.ts";
import type { Client, Context, SandboxSettings, ServerToken } from "./context.ts";
import { allowApps } from "./cors.ts";
import { type Endpoint, type Faults, faultSwitches, strike } from "./faults.ts";
import { featureServerRoutes, serverPath } from "./feature-server.ts";
import { openGrants } from "./grants.ts";
import { services } from "./layers.ts";
import { contentSecurityPolicy, viewsFolder } from "./pages.ts";
import { type Person, samplePeople } from "./people.ts";
import { restRoutes } from "./rest.ts";
import { serverTokenRoutes } from "./server-token.ts";
import { tokenRoutes } from "./token.ts";

export interface SandboxOptions {
  /** The apps that are registered. */
  clients: Client[];
  /** Loopback only. Default 127.0.0.1. */
  host?: "127.0.0.1" | "::1" | "localhost";
  /** Default 0: any free port. */
  port?: number;
  /** Where tokens are kept between runs (mode 0600); without it they live in memory. */
  stateFile?: string;
  /** The clock, in milliseconds. Default `Date.now`. */
  now?: () => number;
}

/** One request as it arrived, for tests to look at. */
export interface SandboxRequest {
  /** In milliseconds, by the sandbox's clock. */
  time: number;
  method: string;
  path: string;
  /** `undefined` for a path without one. */
  endpoint: Endpoint | undefined;
  query: Params;
  /** The parsed form body. */
  params: Params;
  headers: IncomingHttpHeaders;
}

export interface Sandbox {
  /** What goes into `PORTAL_URL`. */
  url: string;
  origin: string;
  /** Read at each request: change them at any time. */
  settings: SandboxSettings;
  /** The registered apps; more can be added. */
  clients: Client[];
  people: Person[];
  /** The roots of the ArcGIS Servers that are federated with the portal, its own first; more can be added. */
  servers: string[];
  /** The tokens that the portal gave out for them; a server finds its own here. */
  serverTokens: Map<string, ServerToken>;
  /** The addresses of its own feature layers: one for everybody in the organisation, and one for a group. */
  layers: string[];
  faults: Faults;
  /** The latest ten thousand requests, oldest first. */
  log: SandboxRequest[];
  /** The refresh tokens that were revoked, in order. */
  revoked: readonly string[];
  expireAccessTokens(): void;
  expireRefreshTokens(): void;
  /** Stops listening and ends every connection, also those that hang. */
  close(): Promise<void>;
}

const loopback: readonly string[] = ["127.0.0.1", "::1", "localhost"];
const logLength = 10_000;

/**
 * Starts a pretend ArcGIS Enterprise portal for the demo and the tests: ArcGIS's paths, answers and error
 * shapes, invented people, no passwords.
 *
 * @throws under `NODE_ENV=production`, for an address that is not loopback, and when the port is taken.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host = "127.0.0.1", port = 0, stateFile, now = Date.now } = options;
  if (process.env.NODE_ENV === "production") {
    throw new Error("The sandbox portal signs anybody in: it does not start with NODE_ENV=production.");
  }
  if (!loopback.includes(host)) {
    throw new Error(
      `The sandbox portal listens on loopback only (${loopback.join(", ")}), not on "${host}".`,
    );
  }

  const settings: SandboxSettings = {
    codeSeconds: 10 * 60,
    accessTokenSeconds: 30 * 60,
    refreshTokenSeconds: undefined,
    requirePkce: false,
    omitRefreshTokenExpiry: false,
    rememberPerson: false,
    organisationLogin: undefined,
  };
  const clients = [...options.clients];
  const people = samplePeople();
  const servers: string[] = [];
  const serverTokens = new Map<string, ServerToken>();
  const grants = openGrants(settings, now, stateFile);
  const faults = faultSwitches();
  const log: SandboxRequest[] = [];

  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const origin = `http://${host.includes(":") ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`;
  const url = `${origin}/portal/sharing/rest`;
  servers.push(`${origin}${serverPath}`);

  const context: Context = {
    origin,
    url,
    clients,
    people,
    servers,
    serverTokens,
    settings,
    grants,
    now,
    at: (endpoint) => (_req, res, next) => {
      res.locals.request.endpoint = endpoint;
      const fault = faults.take(endpoint);
      if (!fault) return next();
      res.locals.deny = endpoint === "authorize" && fault.kind === "deny";
      if (res.locals.deny) next();
      else strike(fault, res, next);
    },
  };

  const app = express()
    .disable("x-powered-by")
    .disable("etag")
    .set("view engine", "ejs")
    .set("views", viewsFolder)
    .use(express.urlencoded({ extended: false }))
    .use((req, res, next) => {
      res.locals.request = requestOf(req, now());
      if (log.push(res.locals.request) > logLength) log.shift();
      res.set(pageHeaders);
      next();
    })
    .get("/portal/sandbox.css", (_req, res) => res.sendFile("sandbox.css", { root: viewsFolder }))
    .get(["/", "/portal", "/portal/home"], (_req, res) => res.render("message", welcome))
    // The Maps SDK signs in at /sharing/oauth2/authorize, everybody else below /sharing/rest.
    .use(["/portal/sharing/rest", "/portal/sharing"], authorizeRoutes(context), tokenRoutes(context))
    .use(["/portal/sharing/rest", "/portal/sharing", serverPath], allowApps(context))
    .use(["/portal/sharing/rest", "/portal/sharing"], serverTokenRoutes(context))
    .use("/portal/sharing/rest", restRoutes(context), contentRoutes(context))
    .use(serverPath, featureServerRoutes(context))
    .use((req, res) => answer(req, res.status(404), arcgisError(404, "There is nothing at this address.")))
    .use(answerError);
  server.on("request", app);

  return {
    url,
    origin,
    settings,
    clients,
    people,
    servers,
    serverTokens,
    layers: services.map(({ name }) => `${origin}${serverPath}/rest/services/${name}/FeatureServer/0`),
    faults,
    log,
    revoked: grants.revoked,
    expireAccessTokens: grants.expireAccessTokens,
    expireRefreshTokens: grants.expireRefreshTokens,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const pageHeaders = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": contentSecurityPolicy(),
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

const welcome = {
  title: "The sandbox portal",
  message: "This pretend portal signs sample people in to the app.",
  advice: "There is nothing to do here: go to the app, and sign in from there.",
};

function requestOf({ method, path, query, body, headers }: Request, time: number): SandboxRequest {
  return { time, method, path, endpoint: undefined, query: query as Params, params: body ?? {}, headers };
}

/** A request that cannot be read is the client's fault and has a status; anything else is a bug of ours. */
function answerError(
  error: Error & { status?: number },
  req: Request,
  res: Response,
  next: NextFunction,
): void {
  const { status = 500, message } = error;
  if (status >= 500) console.error(error);
  if (res.headersSent) next(error);
  else answer(req, res.status(status), arcgisError(status, status < 500 ? message : "The sandbox failed."));
}
