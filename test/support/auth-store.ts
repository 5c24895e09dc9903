import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";

export const day = 86_400_000;
export const portal = "https://gis.example.com/portal/sharing/rest";

export function identity(options: Partial<ConstructorParameters<typeof ArcGISIdentityManager>[0]> = {}) {
  return new ArcGISIdentityManager({
    portal,
    clientId: "test-app",
    redirectUri: "http://localhost:9/authenticate",
    username: "sandy_admin",
    token: "access",
    tokenExpires: new Date(Date.now() + 1_800_000),
    refreshToken: "refresh",
    refreshTokenExpires: new Date(Date.now() + 14 * day),
    ...options,
  });
}
