import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { click } from "./support/browser.ts";
import { openMapSite } from "./support/map-site.ts";
import { openSite, signIn } from "./support/site.ts";

describe("the map page", () => {
  test("asks a visitor to sign in first, and lets them come back", async (t) => {
    const site = await openMapSite(t);
    const browser = site.browser();
    const { status, headers } = await browser.get("/map");
    assert.deepEqual([status, headers.location], [302, "/sign-in?returnTo=%2Fmap"]);
    assert.equal((await signIn(browser, "vik_viewer", headers.location)).headers.location, "/map");
    assert.match((await browser.get("/")).body, /<a class="button[^"]*" href="\/map">Open the map<\/a>/);
    assert.equal((await browser.send("/map", { method: "POST" })).status, 405);
  });

  test("takes less than 150 kB of scripts and styles, compressed, and all of it may be kept for ever", async (t) => {
    const site = await openMapSite(t);
    const browser = site.browser();
    await signIn(browser);
    const { body } = await browser.get("/map");
    const waiting = [...body.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(
      ([, url = ""]) => url,
    );
    const sizes = new Map<string, number>();
    for (const url of waiting) {
      if (sizes.has(url)) continue;
      const asset = await browser.get(url);
      assert.equal(asset.status, 200, url);
      assert.match(String(asset.headers["cache-control"]), /immutable/, url);
      sizes.set(url, gzipSync(asset.body).length);
      const imported = [...asset.body.matchAll(/ from "\.\/([\w-]+\.js)"/g)];
      waiting.push(...imported.map(([, name]) => url.replace(/[^/]+$/, name ?? "")));
    }
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    t.diagnostic(`${sizes.size} files, ${(total / 1024).toFixed(1)} kB`);
    assert.ok(sizes.size > 10, "the modules were followed");
    assert.ok(total < 150 * 1024, [...sizes].join("\n"));
  });

  test("HT-2 lets pictures come from the origin of MAP_TILES, on this page alone, and names its openers as pop-ups", async (t) => {
    const site = await openMapSite(t, {
      settings: { MAP_TILES: "https://tiles.example.com/{z}/{x}/{y}.png?key=1 © Example" },
    });
    const browser = site.browser();
    await signIn(browser);
    const policyOf = async (path: string) => {
      const { headers } = await browser.get(path);
      return [headers["content-security-policy"], headers["cross-origin-opener-policy"]];
    };
    const [usual, apart] = await policyOf("/");
    const [policy, opener] = await policyOf("/map");
    assert.equal(
      policy,
      String(usual).replace("img-src 'self' data:", "img-src 'self' https://tiles.example.com data:"),
    );
    assert.deepEqual([apart, opener], ["same-origin", "same-origin-allow-popups"]);
    assert.doesNotMatch(String(usual), /tiles/);
  });

  test("says what to configure when there are no layers, and nothing links to it", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    await signIn(browser);
    assert.doesNotMatch((await browser.get("/")).body, /href="\/map"/);
    const { status, body } = await browser.get("/map");
    assert.equal(status, 200);
    assert.match(body, /<h1>There is no map yet<\/h1>/);
    assert.match(body, /MAP_LAYERS/);
    assert.doesNotMatch(body, /leaflet/);
  });

  test("works under the path of another app", async (t) => {
    const site = await openMapSite(t, { mount: "/gis" });
    const browser = site.browser();
    await signIn(browser, "sandy_admin", "/gis/sign-in");
    const { body } = await browser.get("/gis/map");
    assert.match(body, /src="\/gis\/assets\/\w+\/map\.js"/);
    assert.match(body, /data-settings="\{&#34;base&#34;:&#34;\/gis&#34;/);
  });
});

describe("a layer on the map", async () => {
  // The browser's own modules, as they are.
  const load = (name: string) => import(new URL(`../views/assets/${name}`, import.meta.url).href);
  const { pathStyle, rendererOf } = await load("map-symbols.js");
  const { fieldsOf } = await load("map-fields.js");
  const { page } = await load("map-words.js");
  const english = Object.entries(JSON.parse(readFileSync("views/locales/en.json", "utf8")));
  page.words = Object.fromEntries(english.map(([key, text]) => [key.replace(/^map\./, ""), text]));
  const fill = (red: number) => ({ type: "esriSFS", style: "esriSFSSolid", color: [red, 0, 0, 255] });
  const labelsOf = (renderer: object, rows: object[]) => {
    const { entries, entryOf } = rendererOf({
      drawingInfo: { renderer },
      geometryType: "esriGeometryPolygon",
      name: "L",
    });
    return [entries.map(({ label }: { label: string }) => label), rows.map((row) => entryOf(row).label)];
  };

  test("is drawn by its renderer: simple, unique values, class breaks", () => {
    assert.deepEqual(labelsOf({ type: "simple", label: "", symbol: fill(1) }, [{}]), [["L"], ["L"]]);
    assert.deepEqual(labelsOf({ type: "heatmap" }, [{}]), [["L"], ["L"]]);

    const uniqueValueInfos = [
      { value: "1,a", label: "first", symbol: fill(1) },
      { value: "2,<Null>", symbol: fill(2) },
    ];
    const unique = { type: "uniqueValue", field1: "A", field2: "B", fieldDelimiter: ",", uniqueValueInfos };
    const rows = [{ A: 1, B: "a" }, { A: 2, B: null }, { A: 3 }];
    assert.deepEqual(labelsOf(unique, rows), [
      ["first", "2,<Null>"],
      ["first", "2,<Null>", "Other"],
    ]);
    const others = { defaultSymbol: fill(3), defaultLabel: "the rest" };
    assert.deepEqual(labelsOf({ ...unique, ...others }, rows), [
      ["first", "2,<Null>", "the rest"],
      ["first", "2,<Null>", "the rest"],
    ]);
    const classes = [{ label: "both", symbol: fill(1), values: [["x"], ["y"]] }];
    const grouped = { type: "uniqueValue", field1: "A", uniqueValueGroups: [{ classes }] };
    assert.deepEqual(labelsOf(grouped, [{ A: "y" }, { A: "z" }])[1], ["both", "Other"]);

    const classBreakInfos = [
      { classMaxValue: 10, label: "few", symbol: fill(1) },
      { classMaxValue: 20, symbol: fill(2) },
    ];
    const breaks = { type: "classBreaks", field: "N", minValue: 0, classBreakInfos };
    const numbers = [{ N: 0 }, { N: 10 }, { N: 10.1 }, { N: 21 }, { N: -1 }, { N: null }];
    assert.deepEqual(labelsOf(breaks, numbers)[1], ["few", "few", "up to 20", "Other", "Other", "Other"]);
    const each = { ...breaks, normalizationField: "AREA" };
    assert.deepEqual(labelsOf(each, [{ N: 60, AREA: 4 }])[1], ["up to 20"]);
  });

  test("has its own lines and areas, and a plain symbol where the service has one of another kind", () => {
    const outline = { type: "esriSLS", style: "esriSLSDash", color: [0, 0, 255, 255], width: 3 };
    assert.deepEqual(pathStyle({ ...fill(9), color: [9, 0, 0, 51], outline }, 0.5), {
      stroke: true,
      color: "rgb(0,0,255)",
      opacity: 0.5,
      weight: 4,
      dashArray: "6 4",
      fill: true,
      fillColor: "rgb(9,0,0)",
      fillOpacity: 0.1,
    });
    assert.equal(pathStyle({ ...fill(9), color: null }, 1).fill, false);
    assert.equal(pathStyle({ ...fill(9), outline: { ...outline, style: "esriSLSNull" } }, 1).stroke, false);
    assert.equal(pathStyle(outline, 1).fill, false);
    for (const symbol of [null, { type: "CIMSymbolReference" }, { type: "esriPFS" }]) {
      const drawingInfo = { renderer: { type: "simple", symbol } };
      const { entryOf } = rendererOf({ drawingInfo, geometryType: "esriGeometryPolygon", name: "L" });
      assert.equal(entryOf({}).symbol.type, "esriSFS");
    }
  });

  test("tells of a feature in words: aliases, domains, subtypes, dates, and nothing that is empty or technical", () => {
    const domain = { type: "codedValue", codedValues: [{ code: 1, name: "one" }] };
    const { titleOf, rowsOf } = fieldsOf({
      displayField: "NAME",
      objectIdField: "FID",
      typeIdField: "KIND",
      types: [{ id: 7, name: "seventh", domains: { SIZE: domain, CODE: { type: "inherited" } } }],
      fields: [
        { name: "FID", type: "esriFieldTypeOID" },
        { name: "NAME", alias: "Name", type: "esriFieldTypeString" },
        { name: "KIND", alias: "Kind", type: "esriFieldTypeInteger" },
        { name: "SIZE", alias: "Size", type: "esriFieldTypeInteger" },
        { name: "CODE", alias: "Code", type: "esriFieldTypeInteger", domain },
        { name: "DAY", alias: "Day", type: "esriFieldTypeDate" },
        { name: "COUNT", alias: "", type: "esriFieldTypeInteger" },
        { name: "NOTE", alias: "Note", type: "esriFieldTypeString" },
        { name: "Shape__Area", alias: "Area", type: "esriFieldTypeDouble" },
        { name: "GUID", alias: "Guid", type: "esriFieldTypeGlobalID" },
      ],
    });
    const feature = {
      FID: 3,
      NAME: "A",
      KIND: 7,
      SIZE: 1,
      CODE: 1,
      DAY: 0,
      COUNT: 12345,
      NOTE: null,
      Shape__Area: 1,
    };
    assert.equal(titleOf(feature), "A");
    assert.equal(titleOf({ FID: 3, NAME: null }), "Feature 3");
    assert.deepEqual(rowsOf(feature), [
      ["Kind", "seventh"],
      ["Size", "one"],
      ["Code", "one"],
      ["Day", "1 January 1970"],
      ["COUNT", "12,345"],
    ]);
  });
});

describe("a sign-in in a small window", () => {
  test("RD-1 ends on a page that tells its opener and closes, wherever returnTo leads, and keeps the opener on the way", async (t) => {
    const site = await openSite(t);
    const browser = site.browser();
    const start = await browser.get("/sign-in?popup=1&returnTo=/content", click);
    assert.equal(start.headers["cross-origin-opener-policy"], "unsafe-none");
    const back = await signIn(browser, "sandy_admin", "/sign-in?popup=1&returnTo=/content");
    assert.deepEqual(
      [back.status, back.headers.location, back.headers["cross-origin-opener-policy"]],
      [303, "/signed-in", "unsafe-none"],
    );
    const done = await browser.get("/signed-in");
    assert.match(done.body, /<h1>You are signed in<\/h1>/);
    assert.match(done.body, /\/assets\/\w+\/signed-in\.js/);
    assert.equal(done.headers["cross-origin-opener-policy"], "unsafe-none");

    const usual = await signIn(browser, "sandy_admin", "/sign-in?returnTo=/signed-in");
    assert.deepEqual(
      [usual.headers.location, usual.headers["cross-origin-opener-policy"]],
      ["/", "same-origin"],
    );
  });
});
