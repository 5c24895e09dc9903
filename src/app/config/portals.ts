import * as z from "zod";
import { clientId, clientSecret } from "./secrets.ts";
import { entries, entryOf, text, whenValid } from "./setting-types.ts";
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

const portalEntry = entryOf(
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
  '{"id": ..., "title": ..., "url": ..., "clientId": ...}',
);

/** PORTALS. */
export const portalList = entries(portalEntry, "portals").refine(
  (portals) => new Set(portals.map(({ id }) => id)).size === portals.length,
  { when: whenValid, error: "contains the same id twice. Give each portal its own." },
);
