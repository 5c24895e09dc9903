import * as z from "zod";
import { isBelow } from "../../index.ts";
import { plainPath } from "../request-path.ts";
import { organizationId } from "./portals.ts";
import { entries, entryOf, text } from "./setting-types.ts";

const names = <Entry extends z.ZodType>(entry: Entry) =>
  z
    .array(entry, { error: "must be an array. Write it in [ and ]." })
    .min(1, { error: "is an empty list. Give it a value, or remove it." })
    .optional();

const rule = entryOf(
  {
    path: text(
      "Write it as browsers show it, such as /reports.",
      [/^\//, 'does not begin with "/".'],
      [(path) => !/[%?#*]/.test(path), "contains one of % ? # *, which a plain path cannot have."],
      [(path) => plainPath(path) !== undefined, 'contains ";", "\\", "//" or a segment of dots.'],
    ).transform((path) => path.replace(/(?<=.)\/$/, "")),
    allow: z.literal("everyone", { error: 'must be "everyone". Leave it out to name users.' }).optional(),
    organizations: names(organizationId),
    roles: names(
      text("Use org_admin, org_publisher, org_user or the ID of a custom role.", [
        /^(?:org_(?:admin|publisher|user)|\w{16})$/,
        "is not a role.",
      ]),
    ),
    privileges: names(
      text("Write it as the REST API does, such as portal:user:createItem.", [
        /^[a-z]+(?::\w+){2,3}$/i,
        "is not a privilege.",
      ]),
    ),
    groups: names(
      text("Copy the 32 digits and letters from the URL of the group's page.", [
        /^[\da-f]{32}$/,
        "is not the ID of a group.",
      ]),
    ),
  },
  '{"path": "/reports", "groups": [...]}',
).refine(({ allow, path: _, ...kinds }) => allow === undefined || Object.keys(kinds).length === 0, {
  ...{ path: ["allow"], when: ({ value }) => typeof value === "object" && value !== null },
  error: "lets everyone in, so the rule cannot name users as well. Remove one of them.",
});

/** Who may see a path and what is below it: every signed-in user, unless it says `allow` or names a kind. */
export type AccessRule = z.infer<typeof rule>;

/** ACCESS. */
export const accessRules = entries(rule, "rules").superRefine(
  (rules, { addIssue }) => {
    const paths = rules.map((rule) => plainPath(String(Object(rule).path))?.exact);
    for (const [index, path] of paths.entries()) {
      const covers = paths.findIndex((one) => path && one && isBelow(path, one));
      if (covers < 0 || covers >= index) continue;
      const message = `is never used, because value ${covers + 1} covers its path. Put it before that one, or remove it.`;
      addIssue({ code: "custom", message, path: [index, "path"] });
    }
  },
  { when: ({ value }) => Array.isArray(value) },
);
