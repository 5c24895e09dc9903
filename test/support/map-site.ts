import type { TestContext } from "node:test";
import { startSandbox } from "#src/sandbox/portal.ts";
import { openSite, type Site, type SiteOptions } from "./site.ts";

/** A site whose map shows the two layers of the sandbox: districts for the organisation, trees for a group. */
export async function openMapSite(t: Pick<TestContext, "after">, options: SiteOptions = {}): Promise<Site> {
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [] }] });
  t.after(() => sandbox.close());
  const settings = {
    MAP_LAYERS: sandbox.layers,
    PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/`,
    ...options.settings,
  };
  return openSite(t, { ...options, sandbox, settings });
}
