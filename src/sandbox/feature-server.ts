import { type Request, type RequestHandler, Router } from "express";
import { answer, arcgisError, invalidToken, paramsOf, text, tokenRequired } from "./answers.ts";
import type { Context } from "./context.ts";
import { queryFeatures } from "./feature-query.ts";
import { layerInfo, serviceInfo } from "./layer-info.ts";
import { type Service, services } from "./layers.ts";
import { home, type Person } from "./people.ts";
import { QueryError } from "./query-parameters.ts";
import { tokenOf } from "./rest.ts";

/** Below the portal's origin, as the web adaptor of an ArcGIS Server is called. */
export const serverPath = "/arcgis";

const currentVersion = 11.3;

/**
 * An ArcGIS Server that is federated with the portal, with one feature service for everybody in the organisation
 * and one for a group. It takes the tokens that the portal gives out for it, and the portal's own.
 *
 * Errors travel with HTTP status 200: 499 without a token, 498 with a bad one, 403 for a person without the
 * right, 400 for a question that makes no sense.
 */
export function featureServerRoutes(portal: Context): Router {
  const router = Router();

  router.all("/rest/info", portal.at("serverInfo"), (req, res) => {
    answer(req, res, {
      currentVersion,
      fullVersion: "11.3.0",
      owningSystemUrl: `${portal.origin}/portal`,
      owningTenant: "",
      authInfo: {
        isTokenBasedSecurity: true,
        tokenServicesUrl: `${portal.url}/generateToken`,
        shortLivedTokenValidity: 60,
      },
    });
  });

  router.all("/rest/services", portal.at("services"), (req, res) => {
    const person = personOf(req);
    if (tokenOf(req) && !person) return answer(req, res, invalidToken);
    const visible = services.filter((service) => person && maySee(person, service));
    answer(req, res, {
      currentVersion,
      folders: [],
      services: visible.map(({ name }) => ({ name, type: "FeatureServer" })),
    });
  });

  /** 1. Is there such a service, and may this person see it? */
  const protect: RequestHandler = (req, res, next) => {
    const person = personOf(req);
    const service = services.find(({ name }) => name.toLowerCase() === String(req.params.name).toLowerCase());
    if (!tokenOf(req)) answer(req, res, tokenRequired);
    else if (!person) answer(req, res, invalidToken);
    else if (!service) answer(req, res, arcgisError(404, "Service not found"));
    else if (!maySee(person, service)) answer(req, res, notPermitted);
    else {
      res.locals.service = service;
      next();
    }
  };
  const service = "/rest/services/:name/FeatureServer";
  const layer = `${service}/:layer`;

  /** 2. What there is: the service, its layers, their features. */
  router.all(service, portal.at("service"), protect, (req, res) => {
    answer(req, res, serviceInfo(res.locals.service));
  });
  router.all(`${service}/layers`, portal.at("layer"), protect, (req, res) => {
    answer(req, res, { layers: [layerInfo(res.locals.service)], tables: [] });
  });
  router.all(layer, portal.at("layer"), protect, (req, res) => {
    answer(req, res, req.params.layer === "0" ? layerInfo(res.locals.service) : noSuchLayer);
  });
  router.all(`${layer}/query`, portal.at("query"), protect, (req, res) => {
    if (req.params.layer !== "0") return answer(req, res, noSuchLayer);
    const params = paramsOf(req);
    const format = text(params, "f") ?? "html";
    if (!["html", "json", "pjson", "geojson"].includes(format)) {
      return void res.json(badQuery("Output format not supported."));
    }
    try {
      const found = queryFeatures(res.locals.service, params);
      if (format === "geojson") res.type("application/geo+json").send(JSON.stringify(found));
      else answer(req, res, found);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      if (format === "geojson") res.json(badQuery(error.message));
      else answer(req, res, badQuery(error.message));
    }
  });

  return router;

  function personOf(req: Request): Person | undefined {
    const token = tokenOf(req) ?? "";
    const ours = portal.serverTokens.get(token);
    const isGood = ours?.serverUrl === `${portal.origin}${serverPath}` && ours.expires > portal.now();
    const username = isGood ? ours.username : portal.grants.findAccessToken(token)?.username;
    return portal.people.find((person) => person.username === username);
  }
}

function maySee({ orgId, groups }: Person, { group }: Service): boolean {
  return orgId === home.id && (group === undefined || groups.some(({ id }) => id === group));
}

const notPermitted = arcgisError(
  403,
  "You do not have permissions to access this resource or perform this operation.",
);

const noSuchLayer = arcgisError(400, "Invalid URL");

function badQuery(detail: string) {
  const { error } = arcgisError(400, "Cannot perform query. Invalid query parameters.");
  return { error: { ...error, details: [detail] } };
}
