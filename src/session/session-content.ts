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

/** What travels beside a session's data until `unfold`; JSON does not see a symbol. */
const beside = Symbol("beside");

interface Beside {
  identities: Content["identities"];
  outlivesCookie: boolean;
}

/** Takes a session apart. Identities that were only looked at are not among the result: they did not change. */
export function takeApart(session: object): Omit<Content, "createdAt"> {
  const entries = Object.entries(session);
  const managers = entries.filter(([, value]) => value instanceof ArcGISIdentityManager);
  const data = entries.filter(([, value]) => !(value instanceof ArcGISIdentityManager));
  return {
    data: Object.fromEntries(data),
    identities: Object.fromEntries(managers.map(([property, manager]) => [property, manager.serialize()])),
  };
}

/** Gives the session's data with its identity managers made. */
export function putTogether({ data, identities }: Content): Partial<SessionData> {
  const managers = Object.entries(identities).map(([property, text]) => [
    property,
    IdentityManager.deserialize(text),
  ]);
  return { ...data, ...Object.fromEntries(managers) };
}

/** Gives the session's data for `Store.get`: `unfold` makes the rest of it. */
export function fold(data: SessionData, rest: Beside): SessionData {
  return Object.assign(data, { [beside]: rest });
}

/**
 * Gives `session` what folded data has beside it. Its identities are made when they are asked for: most requests
 * need none, and express-session, which turns the whole session into JSON twice a request, does not see them.
 */
export function unfold(session: object, folded: object): void {
  const rest = (folded as { [beside]?: Beside })[beside];
  if (!rest) return;
  Object.defineProperty(session, "outlivesCookie", { value: rest.outlivesCookie });
  for (const [property, text] of Object.entries(rest.identities)) {
    let manager: IdentityManager | undefined;
    Object.defineProperty(session, property, {
      configurable: true,
      enumerable: false,
      get: () => {
        manager ??= IdentityManager.deserialize(text);
        return manager;
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
