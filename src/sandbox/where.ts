/** What a feature has in its fields. Dates are ms since 1970. */
export type Attributes = Record<string, string | number | null>;
type Value = string | number | null;

/** Reads a value of one feature. */
type Read = (attributes: Attributes) => Value;
/** Decides something about one feature; `null` is SQL's "unknown", which comes of comparing with NULL. */
type Judge = (attributes: Attributes) => boolean | null;

/** A `where` that is not in the part of SQL that is known here; the message says what was not understood. */
export class WhereError extends Error {}

/** Strings with '' for a quote, numbers, names, comparison signs, brackets and commas. */
const token = /\s*('(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_]\w*|<>|!=|<=|>=|[=<>(),-])/y;

/** Deeper brackets are nobody's question. */
const deepest = 50;

/**
 * Reads a `where` of the REST API (SQL-92) once, for any number of features: comparisons, `AND`, `OR`, `NOT`,
 * brackets, `IN`, `BETWEEN`, `LIKE`, `IS NULL`, `DATE '2024-06-01'`, `TIMESTAMP '2024-06-01 09:30:00'`, `UPPER`
 * and `LOWER`. Names of fields may be written in capitals or not.
 *
 * @throws WhereError
 */
export function parseWhere(text: string, fields: readonly string[]): (attributes: Attributes) => boolean {
  const tokens = tokensOf(text);
  let next = 0;
  let depth = 0;

  const judge = either();
  if (next < tokens.length) throw new WhereError(`'${tokens[next]}' was not expected`);
  return (row) => judge(row) === true;

  function either(): Judge {
    const judges = [both()];
    while (takes("OR")) judges.push(both());
    return (row) => any(judges.map((each) => each(row)));
  }

  function both(): Judge {
    const judges = [not()];
    while (takes("AND")) judges.push(not());
    return negated((row) => any(judges.map((each) => negated(each)(row))));
  }

  function not(): Judge {
    if (++depth > deepest) throw new WhereError("it is nested too deeply");
    try {
      if (takes("NOT")) return negated(not());
      if (!takes("(")) return comparison();
      const inner = either();
      must(")");
      return inner;
    } finally {
      depth -= 1;
    }
  }

  function comparison(): Judge {
    const left = value();
    if (takes("IS")) {
      const wanted = !takes("NOT");
      must("NULL");
      return (row) => (left(row) === null) === wanted;
    }
    const wanted = !takes("NOT");
    const judge = membership(left);
    if (judge) return wanted ? judge : negated(judge);
    const compare = wanted ? comparisons.get(tokens[next] ?? "") : undefined;
    if (!compare) throw new WhereError(`a comparison was expected, not '${tokens[next] ?? "the end"}'`);
    next += 1;
    const right = value();
    return (row) => compare(order(left(row), right(row)));
  }

  function membership(left: Read): Judge | undefined {
    if (takes("IN")) {
      must("(");
      const choices = [value()];
      while (takes(",")) choices.push(value());
      must(")");
      return (row) => any(choices.map((each) => isEqual(order(left(row), each(row)))));
    }
    if (takes("BETWEEN")) {
      const from = value();
      must("AND");
      const to = value();
      const isOutside: Judge = (row) =>
        any([isLess(order(left(row), from(row))), isLess(order(to(row), left(row)))]);
      return negated(isOutside);
    }
    if (takes("LIKE")) {
      const pattern = value();
      return (row) => isLike(left(row), pattern(row));
    }
    return undefined;
  }

  function value(): Read {
    const found = tokens[next++];
    if (found === undefined) throw new WhereError("it ends too early");
    if (found.startsWith("'")) return constant(textOf(found));
    if (/^\d/.test(found)) return constant(Number(found));
    if (found === "-") return constant(-Number(number()));
    const word = found.toUpperCase();
    if (word === "NULL") return constant(null);
    if ((word === "DATE" || word === "TIMESTAMP") && tokens[next]?.startsWith("'")) return constant(date());
    if ((word === "UPPER" || word === "LOWER") && takes("(")) return inCase(word);
    const field = fields.find((each) => each.toUpperCase() === word);
    if (!field) throw new WhereError(`'${found}' is no field`);
    return (row) => row[field] ?? null;
  }

  function inCase(word: "UPPER" | "LOWER"): Read {
    const inner = value();
    must(")");
    return (row) => {
      const text = inner(row);
      if (typeof text !== "string") return text;
      return word === "UPPER" ? text.toUpperCase() : text.toLowerCase();
    };
  }

  function number(): string {
    const found = tokens[next++] ?? "";
    if (!/^\d/.test(found)) throw new WhereError("a number was expected after '-'");
    return found;
  }

  function date(): number {
    const text = textOf(tokens[next++] ?? "");
    const time = /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
    if (Number.isNaN(time)) throw new WhereError("a date is written '2024-06-01' or '2024-06-01 09:30:00'");
    return time;
  }

  function takes(word: string): boolean {
    const isNext = tokens[next]?.toUpperCase() === word;
    if (isNext) next += 1;
    return isNext;
  }

  function must(word: string): void {
    if (!takes(word)) throw new WhereError(`'${word}' was expected, not '${tokens[next] ?? "the end"}'`);
  }
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  token.lastIndex = 0;
  while (token.lastIndex < end) {
    const { lastIndex } = token;
    const found = token.exec(text)?.[1];
    if (found === undefined)
      throw new WhereError(`'${text.slice(lastIndex, lastIndex + 10)}' was not understood`);
    tokens.push(found);
  }
  return tokens;
}

/** True when any is true; unknown when one might be. */
function any(truths: (boolean | null)[]): boolean | null {
  return truths.includes(true) || (truths.includes(null) ? null : false);
}

function negated(judge: Judge): Judge {
  return (row) => {
    const truth = judge(row);
    return truth === null ? null : !truth;
  };
}

/** How two values stand: negative, 0 or positive; `null` when one of them is NULL. */
function order(left: Value, right: Value): number | null {
  if (left === null || right === null) return null;
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [one, other] = [String(left), String(right)];
  return one < other ? -1 : one > other ? 1 : 0;
}

type Comparison = (order: number | null) => boolean | null;
const unlessNull = (holds: (order: number) => boolean): Comparison => {
  return (order) => (order === null ? null : holds(order));
};
const isEqual = unlessNull((order) => order === 0);
const isOther = unlessNull((order) => order !== 0);
const isLess = unlessNull((order) => order < 0);

const comparisons = new Map([
  ["=", isEqual],
  ["<>", isOther],
  ["!=", isOther],
  ["<", isLess],
  [">", unlessNull((order) => order > 0)],
  ["<=", unlessNull((order) => order <= 0)],
  [">=", unlessNull((order) => order >= 0)],
]);

/** `%` stands for any text, `_` for one character. Without regular expressions, so that no pattern takes long. */
function isLike(value: Value, pattern: Value): boolean | null {
  if (value === null || pattern === null) return null;
  const [text, wanted] = [[...String(value)], [...String(pattern)]];
  let ends = new Set([0]);
  for (const character of wanted) {
    const furthest = Math.min(...ends);
    ends = new Set(
      character === "%"
        ? Array.from({ length: text.length - furthest + 1 }, (_, index) => furthest + index)
        : [...ends]
            .filter((at) => at < text.length && (character === "_" || text[at] === character))
            .map((at) => at + 1),
    );
    if (ends.size === 0) return false;
  }
  return ends.has(text.length);
}

function constant(value: Value): Read {
  return () => value;
}

function textOf(quoted: string): string {
  return quoted.slice(1, -1).replaceAll("''", "'");
}
