import assert from "node:assert/strict";
import { after, describe, type TestContext, test } from "node:test";
import { getLayer, queryFeatures } from "@esri/arcgis-rest-feature-service";
import type { ArcGISRequestError } from "@esri/arcgis-rest-request";
import { parseWhereClause } from "#src/sandbox/where-clause.ts";
import { Browser } from "./support/browser.ts";
import { slowness } from "./support/pace.ts";
import { openSite, type Site, signIn } from "./support/site.ts";
import { identityOf } from "./support/user.ts";

const districts = "/services/Districts/FeatureServer";
const trees = "/services/StreetTrees/FeatureServer";

// biome-ignore lint/suspicious/noExplicitAny: the JSON of a response, which a test looks into
type Json = any;
type Ask = (path: string, params?: Record<string, string>, options?: Asking) => Promise<Json>;

interface Asking {
  /** A user or a token; `null` is neither. */
  as?: string | null;
  method?: "GET" | "POST";
}

/** Starts a site, signs its users in, and gives a function that asks the sandbox's ArcGIS Server in their name. */
async function openServer(
  t: Pick<TestContext, "after">,
): Promise<{ site: Site; ask: Ask; tokenOf: (name: string) => string }> {
  const site = await openSite(t);
  const tokens = new Map<string, string>();
  for (const { username } of site.sandbox.users) {
    const browser = site.browser();
    await signIn(browser, username);
    tokens.set(username, (await identityOf(site, browser)).token);
  }
  const server = new Browser(site.sandbox.origin);
  const ask: Ask = async (path, params = {}, { as = "sandy_admin", method = "GET" } = {}) => {
    const headers: Record<string, string> = as ? { Authorization: `Bearer ${tokens.get(as) ?? as}` } : {};
    const url = `/arcgis/rest${path}`;
    const form = { f: "json", ...params };
    const response =
      method === "POST"
        ? await server.send(url, { method, form, headers })
        : await server.get(`${url}?${new URLSearchParams(form)}`, headers);
    assert.equal(response.status, 200, response.body);
    return response.json();
  };
  return { site, ask, tokenOf: (name) => tokens.get(name) ?? assert.fail(name) };
}

// For the tests that only look.
const { ask, site } = await openServer({ after: (end) => after(end as () => void) });

test("the sandbox's feature services tell what they are: server, services, layers, fields, symbols", async () => {
  const info = await ask("/info", {}, { as: null });
  assert.equal(info.owningSystemUrl, `${site.sandbox.origin}/portal`);
  assert.equal(info.authInfo.tokenServicesUrl, `${site.sandbox.url}/generateToken`);
  assert.deepEqual((await ask("/services")).services, [
    { name: "Districts", type: "FeatureServer" },
    { name: "StreetTrees", type: "FeatureServer" },
  ]);

  const service = await ask(trees);
  assert.deepEqual(
    service.layers.map(({ id, name, geometryType }: Json) => [id, name, geometryType]),
    [[0, "Street trees", "esriGeometryPoint"]],
  );
  const layer = await ask(`${trees}/0/`);
  assert.deepEqual((await ask(`${trees}/layers`)).layers, [layer]);
  assert.deepEqual(
    [layer.objectIdField, layer.displayField, layer.capabilities, layer.supportedQueryFormats],
    ["OBJECTID", "NAME", "Query", "JSON, geoJSON"],
  );
  assert.equal((await ask(`${districts}/0`)).drawingInfo.renderer.type, "classBreaks");

  const { renderer } = layer.drawingInfo;
  assert.equal(renderer.type, "uniqueValue");
  const { features } = await ask(`${trees}/0/query`, { outFields: "*" });
  const drawn = new Set(features.map(({ attributes }: Json) => attributes.CONDITION));
  const shown = renderer.uniqueValueInfos.map(({ value }: Json) => value);
  assert.deepEqual([...drawn].sort(), shown.toSorted(), "every symbol is used, and every feature has one");
});

test("users see what their organization and their groups may see, and errors come with status 200 as ArcGIS has them", async (t) => {
  const { ask, site } = await openServer(t);
  const codes = async (as: string | null) => {
    const responses = await Promise.all([
      ask(`${districts}/0`, {}, { as }),
      ask(`${trees}/0/query`, {}, { as }),
    ]);
    return responses.map(({ error }) => error?.code ?? "seen");
  };
  assert.deepEqual(await codes("sandy_admin"), ["seen", "seen"]);
  assert.deepEqual(await codes("pia_publisher"), ["seen", "seen"]);
  assert.deepEqual(await codes("vik_viewer"), ["seen", 403], "he is in no group");
  assert.deepEqual(await codes("zoe_editor"), ["seen", 403], "she is in another group");
  assert.deepEqual(await codes("ned_county"), [403, 403], "he is in another organization");
  assert.deepEqual(await codes(null), [499, 499]);
  assert.deepEqual(await codes("no-such-token"), [498, 498]);
  assert.equal((await ask("/services", {}, { as: "vik_viewer" })).services.length, 1);
  assert.equal((await ask("/services/Rivers/FeatureServer")).error.code, 404);
  assert.equal((await ask(`${trees}/7`)).error.code, 400);

  site.sandbox.expireAccessTokens();
  assert.deepEqual(await codes("sandy_admin"), [498, 498]);
});

test("it takes the tokens that the portal gives out for it, also when a client names the service, and no other server's", async (t) => {
  const { ask, site, tokenOf } = await openServer(t);
  const { origin, servers } = site.sandbox;
  const root = `${origin}/arcgis`;
  servers.push("http://127.0.0.1:9/arcgis");
  const exchange = async (serverUrl: string): Promise<Json> => {
    const form = { request: "getToken", serverUrl, token: tokenOf("sandy_admin"), f: "json" };
    return (await new Browser(origin).post("/portal/sharing/rest/generateToken", form)).json();
  };
  for (const serverUrl of [root, `${root}/rest/services/StreetTrees/FeatureServer/0`]) {
    const { token } = await exchange(serverUrl);
    assert.equal((await ask(`${trees}/0`, {}, { as: token })).name, "Street trees", serverUrl);
  }
  const { token } = await exchange("http://127.0.0.1:9/arcgis");
  assert.equal((await ask(`${trees}/0`, {}, { as: token })).error.code, 498);
  assert.equal((await exchange(`${root}.evil.example/rest`)).error.code, 400);
});

test("a page of a registered app may read its responses with credentials, and a page of anyone else may not", async () => {
  const headersFor = async (path: string, origin: string, method = "GET") => {
    const { headers } = await new Browser(site.sandbox.origin).send(path, {
      method,
      headers: { Origin: origin },
    });
    return [headers["access-control-allow-origin"], headers["access-control-allow-credentials"]];
  };
  const paths = ["/arcgis/rest/info", `/arcgis/rest${trees}/0/query`, "/portal/sharing/rest/portals/self"];
  for (const path of paths) {
    for (const method of ["GET", "OPTIONS"]) {
      assert.deepEqual(await headersFor(path, site.url, method), [site.url, "true"], path);
      assert.deepEqual(await headersFor(path, "http://evil.example", method), [undefined, undefined], path);
    }
  }
  assert.deepEqual(await headersFor("/portal/sharing/rest/oauth2/authorize", site.url), [
    undefined,
    undefined,
  ]);
});

describe("a query of the sandbox's layers", () => {
  const query = (params: Record<string, string>, layer = trees, method?: "POST") =>
    ask(`${layer}/0/query`, params, { method });

  test("finds by where, ids and place, by GET and by POST", async () => {
    const countOf = async (params: Record<string, string>, layer?: string) => {
      const asked = { ...params, returnCountOnly: "true" };
      const [{ count }, posted] = [await query(asked, layer), await query(asked, layer, "POST")];
      assert.equal(posted.count, count);
      return count;
    };
    const all = await countOf({});
    assert.ok(all > 55 && all < 65, `about 60 trees, not ${all}`);
    assert.ok((await countOf({}, districts)) >= 12);
    assert.equal(await countOf({ where: "1=0" }), 0);
    assert.equal(await countOf({ objectIds: "3, 5,9999" }), 2);
    assert.equal(await countOf({ where: "species = 'Plane' AND STREET LIKE 'Röm%'" }), 6);
    const isThere = { geometry: "7.0885,50.742,7.1010,50.7540", geometryType: "esriGeometryEnvelope" };
    assert.equal(await countOf({ ...isThere, inSR: "4326", where: "STREET='Römerstraße'" }), 6);
    const inMetres = { xmin: 789_000, ymin: 6_570_000, xmax: 791_500, ymax: 6_580_000 };
    const geometry = JSON.stringify({ ...inMetres, spatialReference: { wkid: 102100 } });
    assert.ok((await countOf({ geometry })) > 0);

    const names = async (place: object) => {
      const { features } = await query({ outFields: "NAME", ...place }, districts);
      return features.map(({ attributes }: Json) => attributes.NAME);
    };
    // Wholly within one of them, so that no border runs through it.
    assert.deepEqual(await names({ geometry: "7.1300,50.7390,7.1302,50.7392" }), ["Beuel"]);
    assert.deepEqual(await names({ geometry: "7.13,50.739", geometryType: "esriGeometryPoint" }), ["Beuel"]);
    assert.deepEqual(await names({ geometry: "7.1112,50.7385,7.1114,50.7387" }), [], "in the Rhine");
  });

  test("gives counts, ids and an extent instead of features", async () => {
    const where = "OBJECTID IN (2, 4)";
    assert.deepEqual(await query({ where, returnCountOnly: "true" }), { count: 2 });
    assert.deepEqual(await query({ where, returnIdsOnly: "true" }), {
      objectIdFieldName: "OBJECTID",
      objectIds: [2, 4],
    });
    const { count, extent } = await query({ where, returnExtentOnly: "true", returnCountOnly: "true" });
    const { features } = await query({ where });
    const xs = features.map(({ geometry }: Json) => geometry.x);
    assert.deepEqual([count, extent.xmin, extent.xmax], [2, Math.min(...xs), Math.max(...xs)]);
    assert.deepEqual(extent.spatialReference, { wkid: 4326, latestWkid: 4326 });
    const none = await query({ where: "1=0", returnExtentOnly: "true" });
    assert.equal(none.extent.xmin, "NaN");
  });

  test("orders and pages, and says when there is more", async () => {
    const page = async (resultOffset: string, resultRecordCount: string) => {
      const order = { orderByFields: "SPECIES DESC, OBJECTID", outFields: "SPECIES" };
      return query({ ...order, resultOffset, resultRecordCount });
    };
    const all = await page("0", "1000");
    assert.equal(all.exceededTransferLimit, undefined);
    const species = all.features.map(({ attributes }: Json) => attributes.SPECIES);
    assert.deepEqual(species, species.toSorted().reverse());
    const second = await page("10", "10");
    assert.deepEqual(second.features, all.features.slice(10, 20));
    assert.equal(second.exceededTransferLimit, true);
    assert.deepEqual((await page("-5", "10")).features, all.features.slice(0, 10));
    assert.deepEqual((await page("9999", "10")).features, []);
    assert.deepEqual((await page("0", "-1")).features, []);
  });

  test("gives the fields that are asked for, in either spatial reference, in Esri's JSON and as GeoJSON", async () => {
    const one = { objectIds: "1", outFields: "tree_no,INSPECTED" };
    const { features, fields, geometryType, spatialReference } = await query(one);
    assert.deepEqual(Object.keys(features[0].attributes), ["TREE_NO", "INSPECTED"]);
    assert.deepEqual(
      fields.map(({ name, type }: Json) => [name, type]),
      [
        ["TREE_NO", "esriFieldTypeString"],
        ["INSPECTED", "esriFieldTypeDate"],
      ],
    );
    assert.deepEqual([geometryType, spatialReference.wkid], ["esriGeometryPoint", 4326]);
    const { x, y } = features[0].geometry;

    const metres = await query({ ...one, outSR: '{"wkid":102100}' });
    assert.deepEqual(metres.spatialReference, { wkid: 102100, latestWkid: 3857 });
    const { x: east, y: north } = metres.features[0].geometry;
    assert.ok(Math.abs(east - (x * 20_037_508.342789) / 180) < 0.001, `${east}`);
    assert.ok(Math.abs((Math.atan(Math.sinh(north / 6_378_137)) * 180) / Math.PI - y) < 1e-9, `${north}`);

    const geo = await query({ ...one, f: "geojson" });
    assert.deepEqual(geo.features[0].geometry, { type: "Point", coordinates: [x, y] });
    assert.deepEqual([geo.features[0].id, geo.features[0].properties], [1, features[0].attributes]);
    assert.equal("geometry" in (await query({ ...one, returnGeometry: "false" })).features[0], false);

    const polygon = { objectIds: "1", outFields: "NAME" };
    const [esri, rfc] = [
      await query(polygon, districts),
      await query({ ...polygon, f: "geojson" }, districts),
    ];
    const [ring] = esri.features[0].geometry.rings;
    assert.deepEqual(rfc.features[0].geometry.coordinates[0], ring.toReversed());
    assert.ok(isClockwise(ring), "an outer ring is clockwise in Esri's JSON");
    for (const { geometry } of (await query({}, districts)).features)
      assert.ok(isClockwise(geometry.rings[0]));
  });

  test("responds 400 to what makes no sense, and names the parameter", async () => {
    const bad: [Record<string, string>, RegExp][] = [
      [{ where: "SPECIES = 'Oak' OR" }, /'where'.*ends too early/],
      [{ where: "PASSWORD = 1" }, /'where'.*'PASSWORD' is no field/],
      [{ where: "1=1; DROP TABLE trees" }, /'where'/],
      [{ where: `${"(".repeat(5000)}1=1` }, /'where'.*too many brackets/],
      [{ outFields: "SPECIES,PASSWORD" }, /'outFields'/],
      [{ orderByFields: "SPECIES SIDEWAYS" }, /'orderByFields'/],
      [{ objectIds: "1,two" }, /'objectIds'/],
      [{ geometry: "{" }, /'geometry'/],
      [{ geometry: "1,2,3" }, /'geometry'/],
      [{ geometry: "1,2,3,x" }, /'geometry'/],
      [{ geometry: "{}" }, /'geometry'/],
      [{ geometry: "1,2,3,4", geometryType: "esriGeometryPolygon" }, /'geometryType'/],
      [{ geometry: "1,2,3,4", geometryType: "constructor" }, /'geometryType'/],
      [{ geometry: "1,2,3,4", spatialRel: "esriSpatialRelTouches" }, /'spatialRel'/],
      [{ outSR: "31466" }, /'outSR'/],
      [{ outSR: "{]" }, /'outSR'/],
      [{ resultOffset: "1.5" }, /'resultOffset'/],
      [{ returnCountOnly: "perhaps" }, /'returnCountOnly'/],
      [{ outStatistics: "[{}]" }, /'outStatistics'/],
      [{ f: "pbf" }, /Output format/],
    ];
    for (const [params, detail] of bad) {
      const { error } = await query(params);
      assert.equal(error?.code, 400, JSON.stringify(params));
      assert.match(error.details[0], detail);
    }
  });
});

test("a where is read as SQL has it, NULL included", () => {
  const rows = [
    { ID: 1, NAME: "Oak", SIZE: 3, NOTE: null },
    { ID: 2, NAME: "Lime's", SIZE: -2.5, NOTE: "50%_x" },
    { ID: 3, NAME: "oak", SIZE: null, NOTE: "" },
  ];
  const find = (where: string) => {
    const test = parseWhereClause(where, Object.keys(rows[0] ?? {}));
    return rows.flatMap((row) => (test(row) ? row.ID : [])).join("");
  };
  const expected = {
    "1=1": "123",
    " ( 1 = 1 ) ": "123",
    "name = 'Oak'": "1",
    "NAME = 'Lime''s'": "2",
    "SIZE > -3 AND SIZE < 1": "2",
    "SIZE <> 3": "2",
    "NOT SIZE = 3": "2",
    "SIZE IS NULL": "3",
    "NOTE IS NOT NULL": "23",
    "NOTE LIKE '5_%x'": "2",
    "NAME LIKE '%a%'": "13",
    "NOTE NOT LIKE 'x%'": "23",
    "ID IN (1, 3)": "13",
    "SIZE NOT IN (3, 4)": "2",
    "SIZE NOT IN (4, NULL)": "",
    "ID=1 OR ID=2 AND NAME='x'": "1",
    "(ID=1 OR ID=2) AND NOT (NAME='Oak')": "2",
  };
  for (const [where, ids] of Object.entries(expected)) assert.equal(find(where), ids, where);
});

test("a LIKE that would take a regular expression for ever takes no time", () => {
  const judge = parseWhereClause(`NAME LIKE '${"%a".repeat(400)}%b'`, ["NAME"]);
  const start = performance.now();
  assert.equal(judge({ NAME: "a".repeat(2000) }), false);
  assert.ok(performance.now() - start < 2_000 * slowness(), "within two seconds");
});

test("@esri/arcgis-rest-feature-service works on a layer as the signed-in user", async (t) => {
  const found: Json[] = [];
  const site = await openSite(t, {
    routes: ({ router, auth }) => {
      router.get("/trees", auth.requireSignIn(), async (req, res) => {
        const [, url = ""] = site.sandbox.layers;
        const authentication = await req.arcgis.identity();
        try {
          const { name } = await getLayer({ url, authentication, request: req.arcgis.request });
          const where = "CONDITION = 'danger'";
          const response = await queryFeatures({
            url,
            where,
            outFields: ["TREE_NO"],
            authentication,
            request: req.arcgis.request,
          });
          found.push({ name, response });
          res.json({});
        } catch (error) {
          res.json({ code: (error as ArcGISRequestError).code });
        }
      });
    },
  });
  const sandy = site.browser();
  await signIn(sandy, "sandy_admin");
  assert.deepEqual((await sandy.get("/trees")).json(), {});
  const [{ name, response }] = found;
  assert.equal(name, "Street trees");
  assert.ok(response.features.length > 0, "there are dangerous trees");
  assert.match(response.features[0].attributes.TREE_NO, /^BN-\d+$/);
  assert.equal(
    site.sandbox.log.some(({ query }) => "token" in query),
    false,
    "TK-7: no token in an address",
  );

  const vik = site.browser();
  await signIn(vik, "vik_viewer");
  assert.deepEqual((await vik.get("/trees")).json(), { code: "403" });
});

function isClockwise(ring: number[][]): boolean {
  const doubled = ring.reduce((sum, [x = 0, y = 0], index) => {
    const [nextX = x, nextY = y] = ring[index + 1] ?? [];
    return sum + (nextX - x) * (nextY + y);
  }, 0);
  return doubled > 0;
}
