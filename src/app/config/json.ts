const text = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"/y;
const scalar = new RegExp(`${text.source}|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[Ee][+-]?\\d+)?|true|false|null`);

/**
 * Where `source` stops being JSON (RFC 8259), such as "line 3, column 5", counted from 1. JSON.parse gives a position
 * for some mistakes only, and its message quotes the source, which may be a secret.
 */
export function whereJsonBreaks(source: string): string {
  let position = 0;

  const accept = (pattern: RegExp): boolean => {
    const here = new RegExp(`[ \\t\\r\\n]*(?:${pattern.source})`, "y");
    here.lastIndex = position;
    const found = here.test(source);
    if (found) position = here.lastIndex;
    return found;
  };
  const list = (item: () => boolean, end: RegExp): boolean => {
    if (accept(end)) return true;
    do if (!item()) return false;
    while (accept(/,/));
    return accept(end);
  };
  const member = () => accept(text) && accept(/:/) && value();
  const value = (): boolean => {
    if (accept(/\{/)) return list(member, /\}/);
    if (accept(/\[/)) return list(value, /\]/);
    return accept(scalar);
  };

  value();
  accept(/(?=[^ \t\r\n]|$)/);
  const lines = source.slice(0, position).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}
