import * as z from "zod";
import { clientId, clientSecret } from "./secrets.ts";
import { jsonText, text, whenValid } from "./setting-types.ts";
import { unknownKeyIn } from "./suggestion.ts";
import { portalUrl, proxyTarget } from "./urls.ts";

/** The ID of the portal of PORTAL_URL. */
export const firstPortal: string = "main";

/** The ID of an organization, for ALLOWED_ORGS and `allowedOrgs`. */
export const organizationId = text("Copy it from {PORTAL_URL}/portals/self.", [
  /^\w{1,64}$/,
  "is not the ID of an organization.",
]);

const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z.array(entry, { error: "must be an array. Write it in [ and ]." }).default([]);

const portalEntry = z.strictObject(
  {
    id: text(
      'Use small letters, digits and "-", such as county.',
      [/^[a-z][a-z0-9-]{0,30}$/, "is not valid."],
      [(id) => id !== firstPortal, "is the ID of the portal of PORTAL_URL."],
    ),
    title: text("Enter the name that users see, such as County GIS.", [
      /^\P{Cc}{1,100}$/u,
      "is not a title.",
    ]),
    url: portalUrl,
    clientId,
    clientSecret: clientSecret.optional(),
    allowedOrgs: listOf(organizationId),
    proxyAllow: listOf(proxyTarget),
  },
  {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? unknownKeyIn(issue.keys, [
            "id",
            "title",
            "url",
            "clientId",
            "clientSecret",
            "allowedOrgs",
            "proxyAllow",
          ])
        : 'must be an object. Write {"id": ..., "title": ..., "url": ..., "clientId": ...}.',
  },
);

export type PortalEntry = z.infer<typeof portalEntry>;

/** PORTALS: an array in config.json, and the same as JSON text in the environment. */
export const portalList = z
  .preprocess(
    jsonText,
    z.array(portalEntry, {
      error: "must be an array of portals. Write it in config.json, or as JSON text in the environment.",
    }),
  )
  .refine((portals) => new Set(portals.map(({ id }) => id)).size === portals.length, {
    when: whenValid,
    error: "contains the same id twice. Give each portal its own.",
  });
