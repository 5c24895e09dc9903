import { randomBytes } from "node:crypto";
import { type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";
import { organisationPath } from "./organisation-login.ts";
import { home, type Person } from "./people.ts";
import type { Sandbox } from "./portal.ts";

/**
 * Gives the people of Sandbox City an identity provider of their own, and the portal its organisation-specific login:
 * what an administrator does in the organisation's settings. From then on they sign in there and nowhere else.
 *
 * @throws when `oidc-provider` is not installed, or the port is taken.
 */
export async function connectOrganisation(
  sandbox: Sandbox,
  { port, only = false }: { port?: number; only?: boolean } = {},
): Promise<IdentityProvider> {
  const members = sandbox.people.filter(({ orgId }) => orgId === home.id);
  const accounts = members.map((person) => ({
    userName: userNameOf(person),
    email: person.idpUsername ?? `${userNameOf(person)}@city.example`,
    name: person.fullName,
  }));
  const registration = { clientId: "sandbox-portal", clientSecret: randomBytes(32).toString("base64url") };
  const provider = await startIdentityProvider({
    accounts,
    relyingParty: { ...registration, redirectUri: `${sandbox.url}${organisationPath}/signin` },
    organisation: home.name,
    port,
  });

  members.forEach((person, index) => {
    person.provider = "enterprise";
    person.idpUsername = accounts[index]?.email ?? null;
  });
  sandbox.settings.organisationLogin = { ...registration, issuer: provider.issuer, only };
  // As ArcGIS does: whoever signs in a second time does not see its page again.
  sandbox.settings.rememberPerson = true;
  return provider;
}

function userNameOf({ username }: Person): string {
  return username.split("_", 1).join();
}
