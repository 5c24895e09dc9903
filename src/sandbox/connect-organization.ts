import { randomBytes } from "node:crypto";
import type { SandboxContext } from "./context.ts";
import { type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";
import { organizationPath } from "./organization-login.ts";
import { homeOrganization } from "./users.ts";

export interface OrganizationOptions {
  /** The port of the identity provider. Default 0: any free port. */
  port?: number;
  /** The organization's login is the only one. */
  only?: boolean;
}

/** Starts the identity provider, and does what an administrator does in the organization's settings. */
export async function connectOrganization(
  { url, users, settings }: SandboxContext,
  { port, only = false }: OrganizationOptions,
): Promise<IdentityProvider> {
  const members = users
    .filter(({ orgId }) => orgId === homeOrganization.id)
    .map((user) => {
      const [userName = ""] = user.username.split("_", 1);
      return { user, userName, email: user.idpUsername ?? `${userName}@city.example`, name: user.fullName };
    });
  const registration = { clientId: "sandbox-portal", clientSecret: randomBytes(32).toString("base64url") };
  const provider = await startIdentityProvider({
    accounts: members,
    portal: { ...registration, redirectUri: `${url}${organizationPath}/signin` },
    organization: homeOrganization.name,
    port,
  });

  for (const { user, email } of members) Object.assign(user, { provider: "enterprise", idpUsername: email });
  settings.organizationLogin = { ...registration, issuer: provider.issuer, only };
  settings.rememberUser = true;
  return provider;
}
