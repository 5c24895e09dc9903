import type { TestContext } from "node:test";
import { arcgisError, invalidToken, tokenRequired } from "#src/sandbox/arcgis-json.ts";
import type { Sandbox } from "#src/sandbox/index.ts";
import { type Behaviour, startUpstream, type Upstream } from "./upstream.ts";

export interface FederatedServer extends Upstream {
  /** Its root, such as http://127.0.0.1:43210/arcgis: what stands in PROXY_ALLOW. */
  root: string;
  /** A layer that only users with a token of this server may see. */
  layer: string;
}

/**
 * Starts a small ArcGIS Server that is federated with the sandbox portal: it takes the tokens that the portal
 * gives out for it, and no others. What it counts as `seen` includes its own `/rest/info`.
 */
export async function startFederatedServer(
  t: Pick<TestContext, "after">,
  sandbox: Sandbox,
): Promise<FederatedServer> {
  const behave: Behaviour = ({ url, headers, body }, res) => {
    const { pathname, searchParams } = new URL(url, server.origin);
    const response = (content: object) =>
      res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(content));
    if (pathname === "/arcgis/rest/info") {
      return response({
        currentVersion: 11.3,
        owningSystemUrl: `${sandbox.origin}/portal`,
        authInfo: { isTokenBasedSecurity: true, tokenServicesUrl: `${sandbox.url}/generateToken` },
      });
    }
    const form = new URLSearchParams(body);
    const [, inHeader] = /^Bearer (.+)$/.exec(String(headers["x-esri-authorization"])) ?? [];
    const token = inHeader ?? form.get("token") ?? searchParams.get("token");
    const known = sandbox.serverTokens.get(token ?? "");
    if (!token) return response(tokenRequired);
    if (known?.serverUrl !== server.root || known.expires < Date.now()) return response(invalidToken);
    const path = pathname.replace(/\/$/, "");
    if (path === `${layerPath}/query`) return response(trees);
    if (path === layerPath)
      return response({ id: 0, name: "Trees", type: "Feature Layer", fields: trees.fields });
    response(arcgisError(404, "Layer not found"));
  };
  const upstream = await startUpstream(t, behave);
  const root = `${upstream.origin}/arcgis`;
  const server: FederatedServer = Object.assign(upstream, { root, layer: upstream.origin + layerPath });
  sandbox.servers.push(root);
  return server;
}

const layerPath = "/arcgis/rest/services/Trees/FeatureServer/0";

const trees = {
  objectIdFieldName: "OBJECTID",
  geometryType: "esriGeometryPoint",
  spatialReference: { wkid: 4326 },
  fields: [
    { name: "OBJECTID", type: "esriFieldTypeOID", alias: "OBJECTID" },
    { name: "NAME", type: "esriFieldTypeString", alias: "Name", length: 64 },
  ],
  features: [
    { attributes: { OBJECTID: 1, NAME: "Lime" }, geometry: { x: 7.1, y: 50.7 } },
    { attributes: { OBJECTID: 2, NAME: "Oak" }, geometry: { x: 7.2, y: 50.8 } },
  ],
};
