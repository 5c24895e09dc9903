import { type ArcGISContext, AuthError, isBelow, type UserProfile, userHas } from "../index.ts";
import type { AccessRule } from "./config/access.ts";
import { AppError } from "./errors.ts";
import { plainPath, requestPath } from "./request-path.ts";

/** What the rules say of a user and a path. */
export interface Verdict {
  decision: "allow" | "sign_in" | "forbidden";
  /** The rule that decides; `undefined` where none names the path, so that a sign-in is needed, and for an ambiguous path. */
  rule?: AccessRule | undefined;
  /** Why not, as the code of the error that `refusalOf` makes. */
  code?: "signed_out" | "ambiguous_path" | (typeof refusals)[keyof typeof refusals];
  /** One of these is missing. */
  needed?: readonly string[];
}

export type Access = ReturnType<typeof accessOf>;

const refusals = {
  organizations: "organization_not_allowed",
  roles: "role_missing",
  privileges: "privilege_missing",
  groups: "group_missing",
} as const satisfies Record<keyof typeof userHas, string>;
const kinds = Object.keys(refusals) as (keyof typeof refusals)[];

/** Judges requests by the rules of ACCESS. */
export function accessOf(rules: readonly AccessRule[]) {
  const entries = rules.map((rule) => ({ rule, path: plainPath(rule.path) }));

  /**
   * Whether a user, or a visitor who is not signed in, may request `target`: the path as it was sent, with or without a
   * query. The first rule for it, or for a path above it, decides. The target may ignore case, or not: where another rule
   * would decide then, both must allow it. So a rule protects every spelling of its path, and opens one.
   */
  function judge(target: string, user: UserProfile | undefined): Verdict {
    const path = requestPath(target);
    if (!path) return { decision: "forbidden", code: "ambiguous_path" };
    const ruleBy = (form: "exact" | "folded") =>
      entries.find((entry) => entry.path && isBelow(path[form], entry.path[form]))?.rule;
    const [folded, exact] = [ruleBy("folded"), ruleBy("exact")];
    const verdict = judgeBy(folded, user);
    return verdict.decision !== "allow" || exact === folded ? verdict : judgeBy(exact, user);
  }

  return {
    rules,
    judge,
    /**
     * The user of a request for `target`; `undefined` where everyone may see it: then the session is not read. Throws
     * what refuses: 401 or 403, and 502 to 504 while the portal or the store is down.
     */
    async admit(target: string, contextOf: () => Promise<ArcGISContext>): Promise<UserProfile | undefined> {
      const verdict = judge(target, undefined);
      if (verdict.decision === "allow") return undefined;
      if (verdict.decision === "forbidden") throw refusalOf(verdict);
      const user = await (await contextOf()).authorize(true);
      const verdictOfUser = judge(target, user);
      if (verdictOfUser.decision !== "allow") throw refusalOf(verdictOfUser);
      return user;
    },
  };
}

/** Of each kind that a rule names, the user must have one. */
function judgeBy(rule: AccessRule | undefined, user: UserProfile | undefined): Verdict {
  if (rule?.allow) return { decision: "allow", rule };
  if (!user) return { decision: "sign_in", rule, code: "signed_out" };
  const missing = kinds.find((kind) => rule?.[kind]?.some((name) => userHas[kind](user, name)) === false);
  if (!missing) return { decision: "allow", rule };
  return { decision: "forbidden", rule, code: refusals[missing], needed: rule?.[missing] ?? [] };
}

/** The error to throw for a verdict other than "allow". The log gets the rule's path. */
function refusalOf({ code = "signed_out", needed = [], rule }: Verdict): AuthError | AppError {
  if (code === "ambiguous_path") return new AppError(code);
  const cause = rule && code !== "signed_out" ? `by the rule for ${rule.path}` : undefined;
  return new AuthError(code, { needed, cause });
}
