import { type ArcGISContext, AuthError, isBelow, type UserProfile, userHas } from "../index.ts";
import type { AccessRule } from "./config/access.ts";
import { AppError } from "./errors.ts";
import { plainPath, requestPath } from "./request-path.ts";

/** The rule that decides, if there is one for the path, and why not: an error with 401 or 403. */
interface Verdict {
  rule?: AccessRule | undefined;
  refusal?: AuthError | AppError;
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
   * The rules that decide about `target`, the path as it was sent, with or without a query: the first rule for it or for
   * a path above it, or `undefined` for a path without a rule. A server may or may not ignore case; if that leads to two
   * different rules, both must allow the request. So a rule protects every spelling of its path, and opens only one. An
   * ambiguous path has none.
   */
  function rulesFor(target: string): (AccessRule | undefined)[] {
    const path = requestPath(target);
    if (!path) return [];
    const ruleBy = (form: "exact" | "folded") =>
      entries.find((entry) => entry.path && isBelow(path[form], entry.path[form]))?.rule;
    const [folded, exact] = [ruleBy("folded"), ruleBy("exact")];
    return folded === exact ? [folded] : [folded, exact];
  }

  /** Whether a user, or a visitor who is not signed in, may request what these rules are for. */
  function judgeBy(deciding: (AccessRule | undefined)[], user: UserProfile | undefined): Verdict {
    let verdict: Verdict | undefined;
    for (const rule of deciding) {
      verdict = verdictOf(rule, user);
      if (verdict.refusal) break;
    }
    return verdict ?? { refusal: new AppError("ambiguous_path") };
  }

  return {
    rules,
    /** Whether a user, or a visitor who is not signed in, may request `target`, a path as it was sent. */
    judge: (target: string, user: UserProfile | undefined): Verdict => judgeBy(rulesFor(target), user),
    /**
     * The user of a request for `target`; `undefined` if everyone may see it, in which case the session is not read.
     * @throws AuthError or AppError with 401 or 403, or with 502 to 504 while the portal or the store is down
     */
    async admit(target: string, contextOf: () => Promise<ArcGISContext>): Promise<UserProfile | undefined> {
      const deciding = rulesFor(target);
      if (deciding.length > 0 && deciding.every((rule) => rule?.allow)) return undefined;
      const user = deciding.length > 0 ? await (await contextOf()).authorize(true) : undefined;
      const { refusal } = judgeBy(deciding, user);
      if (refusal) throw refusal;
      return user;
    },
  };
}

/** The user must have one value of each kind that the rule names. The log gets the rule's path. */
function verdictOf(rule: AccessRule | undefined, user: UserProfile | undefined): Verdict {
  if (rule?.allow) return { rule };
  if (!user) return { rule, refusal: new AuthError("signed_out") };
  const missing = kinds.find((kind) => rule?.[kind]?.some((name) => userHas[kind](user, name)) === false);
  if (!missing) return { rule };
  const details = { needed: rule?.[missing] ?? [], cause: `by the rule for ${rule?.path}` };
  return { rule, refusal: new AuthError(refusals[missing], details) };
}
