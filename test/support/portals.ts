import type { Sandbox } from "#src/sandbox/index.ts";
import type { Site } from "./site.ts";

export interface TwoPortals extends Site {
  /** The portal of PORTALS; `sandbox` is that of PORTAL_URL. */
  county: Sandbox;
}
