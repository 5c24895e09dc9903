import type { AppOptions } from "#src/app/create-app.ts";
import type { Browser } from "./browser.ts";

/** What the portal does with a request that holds one of these tokens. */
export interface Trouble {
  sick: Set<string>;
  kind: "500" | "reset" | "json";
  /** The requests that met it, and those that did not. */
  met: string[];
  passed: string[];
}

/** Who is signed in, and what the portal knows them by. */
export interface User {
  browser: Browser;
  refreshToken: string;
  accessToken: string;
}

export const routes: AppOptions["routes"] = ({ router, auth }) => {
  router.get("/rights", auth.requireRole("org_admin", "org_publisher", "org_user"), (req, res) => {
    res.json(req.arcgis.user?.fetchedAt);
  });
};
