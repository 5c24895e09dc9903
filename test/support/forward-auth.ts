import type { TestResponse } from "./browser.ts";

export const streets = "5a6e64c1b2d94f0f9c1d3a7be80d5c11";
export const rules = [
  { path: "/about", allow: "everyone" },
  { path: "/streets", groups: [streets] },
  { path: "/admin", roles: ["org_admin"] },
];

export function identityIn({ headers }: TestResponse): Record<string, unknown> {
  const prefix = "x-auth-request-";
  const entries = Object.entries(headers).filter(([name, value]) => name.startsWith(prefix) && value !== "");
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(prefix.length), value]));
}

export const forged = [
  ...["X-Auth-Request-User", "x-auth-request-user", "X_Auth_Request_User", "X-Auth_Request-User"],
  ...[
    "X-Auth-Request-Role",
    "X_AUTH_REQUEST_ROLE",
    "X-Auth-Request-Groups",
    "X-Auth-Request-Name",
    "X_Auth-Request-Groups",
    "X.Auth.Request.User",
    "X-Auth-Request-Email",
    "X-Auth-Request-Preferred-Username",
    "X-Auth-Request-Access-Token",
    "X-Original-URL",
    "X-Rewrite-Url",
    "X_Original_Url",
    "Forwarded",
  ],
];
