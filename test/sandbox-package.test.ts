import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  type Fault,
  type FaultTarget,
  type Sandbox,
  type SandboxLayer,
  type SandboxOptions,
  startSandbox,
} from "arcgis-sign-in/sandbox";

const redirectUri = "http://localhost:3000/authenticate";
const clients = [{ clientId: "app", redirectUris: [redirectUri] }];

async function start(t: TestContext, options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ clients, ...options });
  t.after(() => sandbox.close());
  return sandbox;
}

// biome-ignore lint/suspicious/noExplicitAny: the JSON of a response, which a test looks into
type Json = any;

async function post(url: string, params: Record<string, string>): Promise<Response> {
  return fetch(url, { method: "POST", body: new URLSearchParams(params), redirect: "manual" });
}

async function authorize({ url }: Sandbox, username: string): Promise<URLSearchParams> {
  const params = { client_id: "app", response_type: "code", redirect_uri: redirectUri, username };
  const { headers } = await post(`${url}/oauth2/authorize`, params);
  return new URL(headers.get("location") ?? "").searchParams;
}

async function token({ url }: Sandbox, params: Record<string, string>): Promise<Json> {
  return (await post(`${url}/oauth2/token`, { client_id: "app", f: "json", ...params })).json();
}

async function signIn(sandbox: Sandbox, username: string): Promise<Json> {
  const code = (await authorize(sandbox, username)).get("code") ?? "";
  return token(sandbox, { grant_type: "authorization_code", code, redirect_uri: redirectUri });
}

async function get(url: string, accessToken = ""): Promise<Json> {
  const headers = { "X-Esri-Authorization": `Bearer ${accessToken}` };
  return (await fetch(`${url}?f=json`, { headers, redirect: "manual" })).json();
}

describe("the sandbox as a package entry point", () => {
  test("has the users that it is given, and completes what is left out", async (t) => {
    const users = [
      { username: "jo" },
      { username: "kim", fullName: "Kim Lee", role: "org_admin", groups: [] },
      { username: "max", firstName: "Max", lastName: "Roe", privileges: ["portal:user:viewOrgItems"] },
    ] as const;
    const sandbox = await start(t, { users: structuredClone(users) as unknown as SandboxOptions["users"] });
    const profiles = [];
    for (const { username } of users) {
      const { access_token } = await signIn(sandbox, username);
      const { fullName, role, privileges, orgId } = await get(`${sandbox.url}/community/self`, access_token);
      profiles.push([username, fullName, role, privileges.length, orgId]);
    }
    assert.deepEqual(profiles, [
      ["jo", "jo", "org_user", 8, "0123456789ABCDEF"],
      ["kim", "Kim Lee", "org_admin", 16, "0123456789ABCDEF"],
      ["max", "Max Roe", "org_user", 1, "0123456789ABCDEF"],
    ]);
  });

  test("has the layers that it is given, whatever their object ID field is called", async (t) => {
    const layer: SandboxLayer = {
      serviceName: "Wells",
      layerDefinition: {
        name: "Wells",
        geometryType: "esriGeometryPoint",
        fields: [
          { name: "FID", type: "esriFieldTypeOID" },
          { name: "DEPTH", type: "esriFieldTypeDouble" },
        ],
      },
      featureSet: {
        features: [7, 8].map((FID) => ({
          attributes: { FID, DEPTH: FID * 10 },
          geometry: { x: FID, y: 50 },
        })),
      },
    };
    const sandbox = await start(t, { layers: [layer] });
    const [url = ""] = sandbox.layers;
    assert.equal(url, `${sandbox.origin}/arcgis/rest/services/Wells/FeatureServer/0`);
    const { access_token } = await signIn(sandbox, "pia_publisher");
    assert.equal((await get(url, access_token)).objectIdField, "FID");
    const query = { token: access_token, f: "json", where: "DEPTH > 70", outFields: "*" };
    const { features, objectIdFieldName } = await (await post(`${url}/query`, query)).json();
    assert.equal(objectIdFieldName, "FID");
    assert.deepEqual(features, [{ attributes: { FID: 8, DEPTH: 80 }, geometry: { x: 8, y: 50 } }]);

    const withoutIds = {
      ...layer,
      featureSet: { features: [{ attributes: {}, geometry: { x: 0, y: 0 } }] },
    };
    await assert.rejects(startSandbox({ clients, layers: [withoutIds] }), {
      message:
        "The layer Wells needs a field of the type esriFieldTypeOID, and every feature a whole number in it.",
    });
  });

  test("tells the time by the clock that it is given", async (t) => {
    let now = Date.UTC(2030, 0, 1);
    const sandbox = await start(t, { clock: () => now, settings: { accessTokenSeconds: 60 } });
    const { access_token, refresh_token } = await signIn(sandbox, "pia_publisher");
    const self = () => get(`${sandbox.url}/community/self`, access_token);
    now += 59_999;
    assert.equal((await self()).lastLogin, now);
    now += 1;
    assert.equal((await self()).error.code, 498);
    const refresh = { grant_type: "refresh_token", refresh_token };
    assert.equal((await token(sandbox, refresh)).username, "pia_publisher");
    now += 20160 * 60_000;
    assert.equal((await token(sandbox, refresh)).error.message, "refresh_token expired");
    assert.equal(sandbox.log.at(-1)?.time, now);
  });
});

describe("faults", () => {
  const self = ({ url }: Sandbox) => fetch(`${url}/community/self?f=json`, { redirect: "manual" });
  const failed = { name: "TypeError", message: "fetch failed" };

  const kinds: [Fault, (sandbox: Sandbox) => Promise<void>][] = [
    [{ kind: "status", status: 503 }, async (sandbox) => assert.equal((await self(sandbox)).status, 503)],
    [
      { kind: "html" },
      async (sandbox) => {
        const response = await self(sandbox);
        assert.equal(response.status, 200);
        assert.match(await response.text(), /^<!doctype html>/);
      },
    ],
    [
      { kind: "body", body: "null", status: 418 },
      async (sandbox) => {
        const response = await self(sandbox);
        assert.deepEqual([response.status, await response.text()], [418, "null"]);
      },
    ],
    [
      { kind: "redirect", location: "https://elsewhere.example/", status: 302 },
      async (sandbox) => {
        const { status, headers } = await self(sandbox);
        assert.deepEqual([status, headers.get("location")], [302, "https://elsewhere.example/"]);
      },
    ],
    [
      { kind: "delay", ms: 50 },
      async (sandbox) => {
        const started = performance.now();
        assert.equal((await (await self(sandbox)).json()).error.code, 499);
        assert.ok(performance.now() - started >= 45);
      },
    ],
    [
      { kind: "hang" },
      async (sandbox) => {
        const hanging = assert.rejects(self(sandbox), failed);
        while (sandbox.log.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        await sandbox.close();
        await hanging;
      },
    ],
    [
      { kind: "drip" },
      async (sandbox) => {
        const response = await self(sandbox);
        const reader = response.body?.getReader() ?? assert.fail("no body");
        for (let count = 0; count < 2; count++)
          assert.match(String(await reader.read().then(textOf)), /^ +$/);
        await reader.cancel();
      },
    ],
    [{ kind: "reset" }, async (sandbox) => assert.rejects(self(sandbox), failed)],
    [{ kind: "deny" }, async (sandbox) => assert.equal((await (await self(sandbox)).json()).error.code, 403)],
  ];
  for (const [fault, check] of kinds) {
    test(`${fault.kind} is met from the start`, async (t) => {
      await check(await start(t, { faults: { self: fault } }));
    });
  }

  test("deny is Cancel at authorize, and ArcGIS's own error at a refresh", async (t) => {
    const sandbox = await start(t);
    const { refresh_token } = await signIn(sandbox, "pia_publisher");
    sandbox.faults.set("refresh", { kind: "deny" });
    for (const grant_type of ["refresh_token", "exchange_refresh_token"]) {
      const { error } = await token(sandbox, { grant_type, refresh_token, redirect_uri: redirectUri });
      assert.deepEqual([error.code, error.message], [498, "Invalid refresh_token"]);
    }
    assert.ok((await signIn(sandbox, "pia_publisher")).access_token, "a sign-in still works");
    sandbox.faults.set("authorize", { kind: "deny" });
    assert.equal((await authorize(sandbox, "pia_publisher")).get("error"), "access_denied");
  });

  test("the most specific one wins, each counts its own requests, and none changes the caller's object", async (t) => {
    const sandbox = await start(t);
    const once = { kind: "status", status: 501, times: 1 } as const;
    const faults: [FaultTarget, Fault][] = [
      ["all", { kind: "status", status: 503 }],
      ["token", once],
      ["refresh", { kind: "status", status: 502, times: 1 }],
    ];
    for (const [target, fault] of faults) sandbox.faults.set(target, fault);
    const refresh = async () => {
      const params = { grant_type: "refresh_token", refresh_token: "x", client_id: "app" };
      return (await post(`${sandbox.url}/oauth2/token`, params)).status;
    };
    assert.deepEqual([await refresh(), await refresh(), await refresh()], [502, 501, 503]);
    assert.equal((await self(sandbox)).status, 503);
    sandbox.faults.clear("all");
    assert.deepEqual([await refresh(), (await self(sandbox)).status], [200, 200]);
    assert.equal(once.times, 1);
  });
});

function textOf({ value }: { value?: Uint8Array | undefined }): string {
  return Buffer.from(value ?? []).toString();
}
