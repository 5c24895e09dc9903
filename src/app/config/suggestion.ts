import { distance } from "fastest-levenshtein";

/** The known name that a misspelled one probably means: `clientId`, `SESION_SECRET` and `PORTAL` find theirs. */
export function suggestionFor(name: string, known: readonly string[]): string | undefined {
  const wanted = comparable(name);
  const edits = (one: string) =>
    comparable(one).startsWith(`${wanted}_`) ? 1 : distance(wanted, comparable(one));
  const [best] = known.map((one) => ({ one, edits: edits(one) })).sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, wanted.length / 4) ? best.one : undefined;
}

function comparable(name: string): string {
  return name
    .replace(/([a-z])(?=[A-Z])/g, "$1_")
    .replace(/[^A-Za-z]+/g, "_")
    .toUpperCase();
}

/** What is wrong with an object that has other keys than the known ones: the first of them, and the known one that it means. */
export function unknownKeyIn(keys: readonly string[], known: readonly string[]): string {
  const [key = ""] = keys;
  const meant = suggestionFor(key, known);
  // A text that is no key may be a secret.
  if (meant && /^[\w-]{1,31}$/.test(key)) return `has an unknown key, ${key}. Did you mean ${meant}?`;
  return `has an unknown key. Use ${known.slice(0, -1).join(", ")} and ${known.at(-1)}.`;
}
