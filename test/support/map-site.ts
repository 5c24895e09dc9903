import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { startSandbox } from "#src/sandbox/index.ts";
import { script } from "./proxy.ts";
import { openSite, type Site, type SiteOptions, signIn } from "./site.ts";

/** A site whose map shows the two layers of the sandbox: districts for the organization, trees for a group. */
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

/** How many features each of the layers has for a user, as the service counts them; 403 for what they may not see. */
export async function countsFor(site: Site, username: string): Promise<number[]> {
  const browser = site.browser();
  await signIn(browser, username);
  const queries = site.sandbox.layers.map(
    (url) => `/proxy?${url}/query?where=1%3D1&returnCountOnly=true&f=json`,
  );
  const responses = await Promise.all(queries.map((query) => browser.get(query, script)));
  return responses.map(({ json }) => {
    const { count, error } = json() as { count?: number; error?: { code: number } };
    return count ?? error?.code ?? assert.fail("no count");
  });
}
