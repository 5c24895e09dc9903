import * as z from "zod";
import { isBelow } from "./allowed-urls.ts";
import { missingOr } from "./rule.ts";
import { credential } from "./secrets.ts";
import { portalUrl, proxyTarget } from "./urls.ts";

/** The id of the portal of PORTAL_URL. */
export const firstPortal = "main";

const idCure = 'Use small letters, digits and "-", such as county.';
const titleCure = "Give what people are to read, such as County GIS.";

const text = (pattern: RegExp, missing: string, error: string) =>
  z
    .string(missingOr(`is missing. ${missing}`, `must be text. ${missing}`))
    .refine((value) => pattern.test(value), {
      error,
    });

const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z.array(entry, { error: "must be an array. Write it in [ and ]." }).default([]);

/** One entry of PORTALS. */
export const portalEntry = z.strictObject(
  {
    id: text(/^[a-z][a-z0-9-]{0,30}$/, idCure, `is not an id. ${idCure}`).refine((id) => id !== firstPortal, {
      error: `is the id of the portal of PORTAL_URL. ${idCure}`,
    }),
    title: text(/^\P{Cc}{1,100}$/u, titleCure, `is not a title. ${titleCure}`),
    url: portalUrl,
    clientId: credential(/^[\w.-]{1,128}$/, "client id"),
    clientSecret: credential(/^[\x21-\x7e]{1,256}$/, "client secret").optional(),
    allowedOrgs: listOf(text(/^\w{1,64}$/, "Copy the id.", "is not an organisation's id.")),
    proxyAllow: listOf(proxyTarget),
  },
  {
    error: ({ code }) =>
      code === "unrecognized_keys"
        ? "has a key that no portal has. They are id, title, url, clientId, clientSecret, allowedOrgs and proxyAllow."
        : 'must be an object. Write {"id": ..., "title": ..., "url": ..., "clientId": ...}.',
  },
);

export type PortalEntry = z.output<typeof portalEntry>;

/** PORTALS: an array in config.json, and the same as JSON text in the environment. */
export const portalList = z.preprocess(
  (value) => {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  },
  z.array(portalEntry, {
    error: "must be an array of portals. Write it in config.json, or as JSON text in the environment.",
  }),
);

/** Where the tokens of one portal may go. */
interface Reach {
  portal: string;
  proxyAllow: string[];
}

/** Whether two portals would get tokens of each other: by the same address, or one that lies below the other's. */
export function haveCommonReach(all: readonly Reach[]): boolean {
  const prefixes = all.map(({ portal, proxyAllow }) =>
    [portal, ...proxyAllow].map((prefix) => new URL(prefix)),
  );
  return prefixes.some((mine, index) =>
    prefixes
      .slice(index + 1)
      .some((theirs) => mine.some((one) => theirs.some((other) => overlap(one, other)))),
  );
}

function overlap(one: URL, other: URL): boolean {
  const [a, b] = [one, other].map(({ pathname }) => pathname.replace(/(?<!\/)\/+$/, "").toLowerCase()) as [
    string,
    string,
  ];
  return one.origin === other.origin && (isBelow(a, b) || isBelow(b, a));
}
