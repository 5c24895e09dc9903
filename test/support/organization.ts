import type { TestContext } from "node:test";
import type { IdentityProvider } from "#src/sandbox/identity-provider.ts";
import { startSandbox } from "#src/sandbox/index.ts";
import { openSite, type Site } from "./site.ts";

export interface Organization extends Site {
  provider: IdentityProvider;
}

export async function openOrganization(
  t: TestContext,
  { only = false, settings = {} }: { only?: boolean; settings?: Record<string, unknown> } = {},
): Promise<Organization> {
  // It warns of a Node that is older than its author likes.
  t.mock.method(console, "warn", () => {});
  const sandbox = await startSandbox({ clients: [{ clientId: "test-app", redirectUris: [] }] });
  t.after(() => sandbox.close());
  const map = { MAP_LAYERS: sandbox.layers, PROXY_ALLOW: `${sandbox.origin}/arcgis/rest/` };
  const site = await openSite(t, { sandbox, settings: { AUTO_SIGN_IN: true, ...map, ...settings } });
  const provider = await site.sandbox.connectOrganization({ only });
  t.after(() => provider.close());
  return { ...site, provider };
}
