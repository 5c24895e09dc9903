import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import type { SessionData } from "express-session";
import { IdentityManager } from "../arcgis/identity-manager.ts";

/** What is inside the seal of a session. */
export interface Content {
  /** When the person signed in (ms since 1970). */
  createdAt: number;
  /** The session's own data, cookie settings included, as JSON. */
  data: Record<string, unknown>;
  /** Its identity managers by the name of their property, each as `serialize()` wrote it. */
  identities: Record<string, string>;
}

/** What travels beside a session's data until somebody asks for it: a function each that makes it. */
const beside = Symbol("beside");

type Makers = Record<string, () => unknown>;

/** Takes a session apart. Identities that were only looked at are not among the result: they did not change. */
export function takeApart(session: object): Omit<Content, "createdAt"> {
  const entries = Object.entries(session);
  const data = entries.filter(([, value]) => !isManager(value));
  const identities = entries.flatMap(([property, value]) =>
    isManager(value) ? [[property, value.serialize()]] : [],
  );
  return { data: Object.fromEntries(data), identities: Object.fromEntries(identities) };
}

/** Whether this is an identity manager, if only one of another copy of the library. */
export function isManager(value: unknown): value is ArcGISIdentityManager {
  if (value instanceof ArcGISIdentityManager) return true;
  const { getToken, serialize } = Object(value) as Partial<ArcGISIdentityManager>;
  return typeof getToken === "function" && typeof serialize === "function";
}

/** Gives the session's data with its identity managers made. */
export function putTogether({
  data,
  identities,
}: Pick<Content, "data" | "identities">): Partial<SessionData> {
  const managers = Object.entries(identities).map(([property, text]) => [
    property,
    IdentityManager.deserialize(text),
  ]);
  return { ...data, ...Object.fromEntries(managers) };
}

/**
 * Gives the session's data for `Store.get`, of JSON. What express-session, which turns the whole session into JSON
 * two or three times a request, is not to come across is left to `unfold`: the identities, and `wholes` by name.
 */
export function fold(
  data: string,
  identities: Content["identities"],
  wholes: readonly string[],
): SessionData {
  const own = JSON.parse(data);
  const makers: Makers = {};
  for (const [property, text] of Object.entries(identities)) {
    makers[property] = () => IdentityManager.deserialize(text);
  }
  for (const property of wholes) {
    const value = own[property];
    if (value !== undefined) makers[property] = () => value;
    delete own[property];
  }
  return Object.assign(own, { [beside]: makers });
}

/** Gives `session` the rest of folded data; an identity is made when it is asked for, as most requests need none. */
export function unfold(session: object, folded: object): void {
  const makers = (folded as { [beside]?: Makers })[beside] ?? {};
  for (const [property, make] of Object.entries(makers)) {
    let made: unknown;
    Object.defineProperty(session, property, {
      configurable: true,
      enumerable: false,
      get: () => {
        made ??= make();
        return made;
      },
      set: (value) =>
        Object.defineProperty(session, property, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        }),
    });
  }
}

/**
 * What is to be stored after a request has changed its session. What it has only looked at, or not even that, may
 * have been renewed by another request meanwhile: that stays as it is stored.
 */
export function merge(stored: Content, session: object): Omit<Content, "createdAt"> {
  const changed = takeApart(session);
  const isThere = ([property]: [string, unknown]) => property in session;
  return {
    data: { ...Object.fromEntries(Object.entries(stored.data).filter(isThere)), ...changed.data },
    identities: {
      ...Object.fromEntries(Object.entries(stored.identities).filter(isThere)),
      ...changed.identities,
    },
  };
}

/** What a date holds is none of its properties: to freeze it, its setters have to go. All frozen ones share this. */
const withoutSetters: object = Object.create(
  Date.prototype,
  Object.fromEntries(
    Object.getOwnPropertyNames(Date.prototype)
      .filter((name) => name.startsWith("set"))
      .map((name) => [name, { value: undefined }]),
  ),
);

/** Makes it impossible to change a value, or anything in it: whoever tries gets a TypeError. */
export function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) Object.setPrototypeOf(value, withoutSetters);
  Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

/** Shows a renewed identity to the rest of a request; it is stored already, and is not to be saved again. */
export function replaceIdentity(session: object, identity: IdentityManager): void {
  Object.defineProperty(session, "identity", { value: identity, configurable: true, enumerable: false });
}

/** Reads what was inside a seal; `undefined` when it is not what this server writes. */
export function parseContent(text: string): Content | undefined {
  const { createdAt, data, identities } = Object(parse(text)) as Content;
  const sound =
    Number.isFinite(createdAt) &&
    isPlain(data) &&
    isPlain(data.cookie) &&
    isPlain(identities) &&
    Object.values(identities).every((identity) => typeof identity === "string" && isPlain(parse(identity)));
  return sound ? { createdAt, data, identities } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object whose keys are all harmless to copy. */
function isPlain(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !["__proto__", "constructor", "prototype"].some((key) => Object.hasOwn(value, key))
  );
}
