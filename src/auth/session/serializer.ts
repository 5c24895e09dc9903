import { ArcGISIdentityManager } from "@esri/arcgis-rest-request";
import { IdentityManager } from "../arcgis/identity-manager.ts";

/** A session's properties as texts: JSON, or an identity manager's own format behind a mark that JSON cannot have. */
export type Parts = Record<string, string>;

export const identityMark = "identity:";

/** ArcGISIdentityManager -> text, everything else -> JSON. */
export function serialize(session: object): Parts {
  const texts = propertiesOf(session).map(([name, value]) => [name, textOf(value)]);
  return Object.fromEntries(texts.filter(([, text]) => text !== undefined));
}

function textOf(value: unknown): string | undefined {
  return isIdentity(value) ? identityMark + value.serialize() : JSON.stringify(value);
}

/** A session's properties, hidden identities included. */
export function propertiesOf(session: object): [name: string, value: unknown][] {
  const all = Object.entries(Object.getOwnPropertyDescriptors(session));
  return all.flatMap(([name, { value, enumerable }]) =>
    enumerable || isIdentity(value) ? [[name, value]] : [],
  );
}

/**
 * Keeps identities out of the enumerable properties. express-session would go through their tokens twice per request to
 * find changes, which the store finds itself; and `res.json(req.session)` sends no token.
 */
export function hideIdentities(from: object, session = from): void {
  const hidden = { enumerable: false, writable: true, configurable: true };
  for (const [name, value] of propertiesOf(from))
    if (isIdentity(value)) Object.defineProperty(session, name, { ...hidden, value });
}

/** The session's properties again, with real identity managers. */
export function deserialize(parts: Parts): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, parse(text)]));
}

export function parse(text: string): unknown {
  return text.startsWith(identityMark)
    ? IdentityManager.deserialize(text.slice(identityMark.length))
    : JSON.parse(text);
}

/** The identity managers among the parts, by name. */
export function identitiesIn(parts: Parts): [string, IdentityManager][] {
  const marked = Object.entries(parts).filter(([, text]) => text.startsWith(identityMark));
  return marked.map(([name, text]) => [name, parse(text) as IdentityManager]);
}

/** Also one of another copy of the library, such as its CommonJS half. */
function isIdentity(value: unknown): value is ArcGISIdentityManager {
  if (value instanceof ArcGISIdentityManager) return true;
  const { getToken, serialize } = Object(value) as Partial<ArcGISIdentityManager>;
  return typeof getToken === "function" && typeof serialize === "function";
}

/** Whether these are parts that can be parsed. Names that would be harmful to copy are not ours. */
export function isParts(parts: unknown): parts is Parts {
  const isPart = ([name, text]: [string, unknown]) => {
    if (["__proto__", "constructor", "prototype"].includes(name) || typeof text !== "string") return false;
    if (!text.startsWith(identityMark)) return parseJson(text) !== undefined;
    const identity = parseJson(text.slice(identityMark.length));
    return Object(identity) === identity;
  };
  return Object(parts) === parts && !Array.isArray(parts) && Object.entries(Object(parts)).every(isPart);
}

/** `undefined` for what is no JSON. */
export function parseJson(text = ""): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The cookie's dates move with every request and are not worth a write. */
export function hasChanges(base: Parts, mine: Parts): boolean {
  const names = Object.keys({ ...base, ...mine });
  return names.some((name) => name !== "cookie" && base[name] !== mine[name]);
}

/** Whether a session has other identities than these parts, or the same with other tokens. */
export function hasChangedIdentity(base: Parts, session: object): boolean {
  const marked = Object.entries(base).filter(([, text]) => text.startsWith(identityMark));
  return marked.some(([name, text]) => text !== textOf((session as Record<string, unknown>)[name]));
}

/**
 * Three-way merge: what this request changed since `base` wins, everything else is as it is stored now. Of an identity
 * that was refreshed on both sides, the newer tokens win: the others may have ended with an exchange.
 */
export function threeWayMerge(base: Parts, mine: Parts, stored: Parts): Parts {
  const merged = { ...stored };
  for (const name of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    const text = mine[name];
    if (text === base[name]) continue;
    if (text === undefined) delete merged[name];
    else if (!isOlder(text, stored[name])) merged[name] = text;
  }
  return merged;
}

function isOlder(mine: string, stored = ""): boolean {
  if (mine === stored || ![mine, stored].every((text) => text.startsWith(identityMark))) return false;
  const [a, b] = [parse(mine), parse(stored)] as [IdentityManager, IdentityManager];
  const isSame = a.username === b.username && a.portal === b.portal && a.clientId === b.clientId;
  return isSame && Number(a.tokenExpires) < Number(b.tokenExpires);
}
