import type { IdentityProvider } from "#src/sandbox/identity-provider.ts";
import type { Site } from "./site.ts";

export interface Organization extends Site {
  provider: IdentityProvider;
}
