import { accessOf } from "../../app/access.ts";
import type { AccessRule } from "../../app/config/access.ts";
import type { Config } from "../../app/config/config.ts";
import { AppError } from "../../app/errors.ts";
import type { SignInRecord, UserProfile } from "../../index.ts";
import { openExisting, readSessions } from "../sessions-read.ts";
import { type Finding, ok, problem, skipped } from "./finding.ts";

/** Each rule of ACCESS in words, with the name of its check. */
export function describeAccess({ access }: Config): [check: string, Finding][] {
  const isComplete = access.length === 0 || access.some(({ path }) => path === "/");
  const rules = isComplete ? access : [...access, { path: "the rest" }];
  return rules.map((rule) => [`access to ${rule.path}`, ok(inWords(rule))]);
}

function inWords({ allow, path: _, ...kinds }: Partial<AccessRule>): string {
  if (allow) return "everyone";
  const needed = Object.entries(kinds).map(([kind, names]) => `one of the ${kind} ${names?.join(", ")}`);
  return needed.length > 0 ? `signed-in users with ${needed.join(", and ")}` : "signed-in users";
}

/** Says which rule decides about a path, and how. A user's rights are those in their session. */
export async function checkAccess(config: Config, path: string, as: string | undefined): Promise<Finding> {
  const user = as === undefined ? undefined : await profileOf(config, as).catch(() => null);
  if (user === null) return skipped("needs the session store");
  if (as !== undefined && !user)
    return problem(
      `${as} has no session, so the rights of this user are unknown`,
      "Let the user sign in, then try again.",
    );
  const { rule, refusal } = accessOf(config.access).judge(path, user);
  const by = rule ? `by the rule for ${rule.path}` : "because no rule names it";
  if (!refusal) return ok(`allowed, ${rule ? by : "because no rule names it and the user is signed in"}`);
  if (refusal instanceof AppError)
    return ok("refused for everyone: servers may read this path in different ways");
  const { status, code, needed } = refusal;
  if (status === 401) return ok(`needs a sign-in, ${by}`);
  return ok(`refused (${code}) ${by}. Required: ${needed.join(" or ")}`);
}

/** The newest profile in the sessions of a user. */
async function profileOf(config: Config, name: string): Promise<UserProfile | undefined> {
  const { store, close } = await openExisting(config);
  let newest: UserProfile | undefined;
  try {
    for await (const { data, identities, isExpired } of readSessions({ store, portal: config.portal })) {
      const isUser = identities.some(({ username }) => username.toLowerCase() === name.toLowerCase());
      const { user } = ((data as Record<string, unknown>).arcgisSignIn ?? {}) as Partial<SignInRecord>;
      if (isUser && !isExpired && user && user.fetchedAt >= (newest?.fetchedAt ?? 0)) newest = user;
    }
  } finally {
    await close();
  }
  return newest;
}
