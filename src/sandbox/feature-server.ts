import { type Request, Router } from "express";
import { arcgisError, invalidQuery, notPermitted, sendJson, tokenRequired } from "./arcgis-json.ts";
import { signedIn } from "./authentication.ts";
import type { SandboxContext } from "./context.ts";
import { queryFeatures } from "./feature-query.ts";
import { type FeatureLayer, layerInfo, serverVersion, serviceInfo } from "./layers.ts";
import { accessTokenOf, param, paramsOf } from "./request-params.ts";
import { homeOrganization, type SandboxUser } from "./users.ts";

/** The web adaptor of the ArcGIS Server, on the portal's origin. */
export const serverPath = "/arcgis";

/**
 * An ArcGIS Server that is federated with the portal. It accepts the tokens that the portal issues for it, and the
 * portal's own.
 *
 * Errors have HTTP status 200: 499 without a token, 498 with a bad one, 403 without permission, 400 for an invalid query.
 */
export function featureServerRoutes(context: SandboxContext): Router {
  const { at, origin, url, users, layers, serverTokens, clock } = context;
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
    const visible = layers.filter((layer) => user && mayRead(user, layer));
    const services = visible.map(({ serviceName: name }) => ({ name, type: "FeatureServer" }));
    sendJson(req, res, { currentVersion: serverVersion, folders: [], services });
  });

  const service = "/rest/services/:name/FeatureServer";
  router.all(service, at("service"), (req, res) => sendJson(req, res, serviceInfo(layerOf(req))));
  router.all(`${service}/layers`, at("layer"), (req, res) => {
    sendJson(req, res, { layers: [layerInfo(layerOf(req))], tables: [] });
  });
  router.all(`${service}/:layer`, at("layer"), (req, res) => sendJson(req, res, layerInfo(layerOf(req))));
  router.all(`${service}/:layer/query`, at("query"), (req, res) => {
    const layer = layerOf(req);
    const format = param(paramsOf(req), "f") ?? "html";
    if (!["html", "json", "pjson", "geojson"].includes(format))
      throw invalidQuery("Output format not supported.");
    if (format === "geojson") res.type("application/geo+json");
    sendJson(req, res, queryFeatures(layer, paramsOf(req)));
  });

  return router;

  /** The layer of a URL that exists, and that the user may read. */
  function layerOf(req: Request): FeatureLayer {
    const user = userOf(req);
    if (!user) throw tokenRequired;
    const name = String(req.params.name).toLowerCase();
    const layer = layers.find(({ serviceName }) => serviceName.toLowerCase() === name);
    if (!layer) throw arcgisError(404, "Service not found");
    if (!mayRead(user, layer)) throw notPermitted;
    if ((req.params.layer ?? "0") !== "0") throw arcgisError(400, "Invalid URL");
    return layer;
  }

  /** By a token that the portal issued for this server, or by its own; `undefined` without a token. */
  function userOf(req: Request): SandboxUser | undefined {
    const issued = serverTokens.get(accessTokenOf(req) ?? "");
    const isGood = issued?.serverUrl === `${origin}${serverPath}` && issued.expires > clock();
    const user = isGood && users.find(({ username }) => username === issued.username);
    return user || signedIn(req, context)?.user;
  }
}

function mayRead({ orgId, groups }: SandboxUser, { group }: FeatureLayer): boolean {
  return orgId === homeOrganization.id && (group === undefined || groups.some(({ id }) => id === group));
}
