import { type Request, type RequestHandler, Router } from "express";
import { arcgisError, invalidToken, notPermitted, sendJson, tokenRequired } from "./arcgis-json.ts";
import type { SandboxContext } from "./context.ts";
import { queryFeatures } from "./feature-query.ts";
import { layerInfo, serverVersion, serviceInfo } from "./layer-info.ts";
import type { FeatureLayer } from "./layers.ts";
import { accessTokenOf, param, paramsOf } from "./request-params.ts";
import { homeOrganization, type SandboxUser } from "./users.ts";
import { QueryError } from "./where-clause.ts";

/** The web adaptor of the ArcGIS Server, on the portal's origin. */
export const serverPath = "/arcgis";

/**
 * An ArcGIS Server that is federated with the portal. It accepts the tokens that the portal issues for it, and the
 * portal's own.
 *
 * Errors have HTTP status 200: 499 without a token, 498 with a bad one, 403 without permission, 400 for an invalid query.
 */
export function featureServerRoutes(context: SandboxContext): Router {
  const { at, origin, url, users, layers, serverTokens, tokens, clock } = context;
  const router = Router();

  router.all("/rest/info", at("serverInfo"), (req, res) => {
    sendJson(req, res, {
      currentVersion: serverVersion,
      fullVersion: "11.3.0",
      owningSystemUrl: `${origin}/portal`,
      owningTenant: "",
      authInfo: {
        isTokenBasedSecurity: true,
        tokenServicesUrl: `${url}/generateToken`,
        shortLivedTokenValidity: 60,
      },
    });
  });

  router.all("/rest/services", at("services"), (req, res) => {
    const user = userOf(req);
    if (accessTokenOf(req) && !user) return sendJson(req, res, invalidToken);
    const visible = layers.filter((layer) => user && mayRead(user, layer));
    sendJson(req, res, {
      currentVersion: serverVersion,
      folders: [],
      services: visible.map(({ serviceName }) => ({ name: serviceName, type: "FeatureServer" })),
    });
  });

  /** 1. Does the service exist, and may this user read it? */
  const protect: RequestHandler = (req, res, next) => {
    const user = userOf(req);
    const name = String(req.params.name).toLowerCase();
    const layer = layers.find(({ serviceName }) => serviceName.toLowerCase() === name);
    if (!accessTokenOf(req)) sendJson(req, res, tokenRequired);
    else if (!user) sendJson(req, res, invalidToken);
    else if (!layer) sendJson(req, res, arcgisError(404, "Service not found"));
    else if (!mayRead(user, layer)) sendJson(req, res, notPermitted);
    else if ((req.params.layer ?? "0") !== "0") sendJson(req, res, arcgisError(400, "Invalid URL"));
    else {
      res.locals.layer = layer;
      next();
    }
  };
  const service = "/rest/services/:name/FeatureServer";

  /** 2. The service, its layer, and the features. */
  router.all(service, at("service"), protect, (req, res) => {
    sendJson(req, res, serviceInfo(res.locals.layer));
  });
  router.all(`${service}/layers`, at("layer"), protect, (req, res) => {
    sendJson(req, res, { layers: [layerInfo(res.locals.layer)], tables: [] });
  });
  router.all(`${service}/:layer`, at("layer"), protect, (req, res) => {
    sendJson(req, res, layerInfo(res.locals.layer));
  });
  router.all(`${service}/:layer/query`, at("query"), protect, (req, res) => {
    const params = paramsOf(req);
    const format = param(params, "f") ?? "html";
    if (!["html", "json", "pjson", "geojson"].includes(format)) {
      return void res.json(invalidQuery("Output format not supported."));
    }
    try {
      const found = queryFeatures(res.locals.layer, params);
      if (format === "geojson") res.type("application/geo+json").send(JSON.stringify(found));
      else sendJson(req, res, found);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      if (format === "geojson") res.json(invalidQuery(error.message));
      else sendJson(req, res, invalidQuery(error.message));
    }
  });

  return router;

  function userOf(req: Request): SandboxUser | undefined {
    const token = accessTokenOf(req) ?? "";
    const issued = serverTokens.get(token);
    const isGood = issued?.serverUrl === `${origin}${serverPath}` && issued.expires > clock();
    const username = isGood ? issued.username : tokens.findAccessToken(token)?.username;
    return users.find((user) => user.username === username);
  }
}

function mayRead({ orgId, groups }: SandboxUser, { group }: FeatureLayer): boolean {
  return orgId === homeOrganization.id && (group === undefined || groups.some(({ id }) => id === group));
}

function invalidQuery(detail: string) {
  return arcgisError(400, "Cannot perform query. Invalid query parameters.", [detail]);
}
