import type { TestContext } from "node:test";
import { myContent } from "#src/cli/demo-content.ts";
import { type Sandbox, startSandbox } from "#src/sandbox/index.ts";
import type { Site } from "./site.ts";
import { openSite } from "./site.ts";

export interface TwoPortals extends Site {
  /** The portal of PORTALS; `sandbox` is that of PORTAL_URL. */
  county: Sandbox;
}

/** A server with two portals, each a sandbox of its own. */
export async function openTwo(
  t: TestContext,
  { mount = "", settings = {}, entry = {} } = {} as {
    mount?: string;
    settings?: Record<string, unknown>;
    entry?: Record<string, unknown>;
  },
): Promise<TwoPortals> {
  const county = await startSandbox({ clients: [] });
  t.after(() => county.close());
  const portals = [{ id: "county", title: "County GIS", url: county.url, clientId: "county-app", ...entry }];
  const site = await openSite(t, {
    mount,
    routes: myContent,
    settings: { PORTALS: portals, ...settings },
  });
  const redirectUris = [`${site.url}${mount}/portals/county/authenticate`];
  county.clients.push({ clientId: String(entry.clientId ?? "county-app"), redirectUris, title: "App" });
  return { ...site, county };
}

export const inCounty = "/portals/county/sign-in";
