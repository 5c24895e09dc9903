/** The known name that a misspelt one was probably meant to be: `clientId`, `SESION_SECRET` and `PORTAL` find theirs. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name
    .replace(/([a-z])(?=[A-Z])/g, "$1_")
    .replace(/[^A-Za-z]+/g, "_")
    .toUpperCase();
  const ranked = known
    .map((key) => ({ key, edits: key.startsWith(`${wanted}_`) ? 1 : editsBetween(wanted, key) }))
    .sort((one, other) => one.edits - other.edits);
  return ranked.find(({ edits }) => edits <= Math.max(1, wanted.length / 4))?.key;
}

/** The Levenshtein distance: how many characters must be added, removed or changed. */
function editsBetween(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, character] of [...one].entries()) {
    const current = [row + 1];
    for (let column = 0; column < other.length; column++) {
      const swap = (previous[column] ?? 0) + (character === other[column] ? 0 : 1);
      current.push(Math.min(swap, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[other.length] ?? 0;
}
