import { utimesSync } from "node:fs";
import type { TestContext } from "node:test";
import type { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { day, identityFor, openTestStore, type StoreOptions } from "./store.ts";

export function open(t: TestContext, options: StoreOptions = {}) {
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  const revoked: (string | undefined)[] = [];
  const site = openTestStore(t, {
    idleSeconds: 3_600,
    maxSeconds: 30 * 86_400,
    onExpired: (identities: ArcGISIdentityManager[]) =>
      void revoked.push(...identities.map(({ refreshToken }) => refreshToken)),
    ...options,
  });
  return {
    ...site,
    revoked,
    keepFor: (refreshToken: string, refreshTokenExpires = new Date(Date.now() + 14 * day)) =>
      site.keep({ arcgis: identityFor("sandy_admin", { refreshToken, refreshTokenExpires }) }),
    /** Lets the time pass, and the files get older with it. */
    wait(seconds: number) {
      t.mock.timers.tick(seconds * 1000);
    },
    age: (id: string, seconds: number) =>
      utimesSync(site.file(id), Date.now() / 1000 - seconds, Date.now() / 1000 - seconds),
  };
}
