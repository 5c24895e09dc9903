type Value = string | number | null;

/** The values in the fields of a feature. Dates are milliseconds since 1970. */
export type FeatureAttributes = Record<string, Value>;

type Expression = (attributes: FeatureAttributes) => Value;
/** `null` is SQL's UNKNOWN, the result of a comparison with NULL. */
type Condition = (attributes: FeatureAttributes) => boolean | null;

/** The message says what is not valid or not supported. */
export class WhereClauseError extends Error {}

/** Strings with '' for a quote, numbers, names, comparison operators, brackets and commas. */
const tokenPattern = /\s*('(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_]\w*|<>|!=|<=|>=|[=<>(),-])/y;

const maxDepth = 50;

/**
 * Parses a `where` of the REST API (SQL-92): comparisons, `AND`, `OR`, `NOT`, brackets, `IN`, `BETWEEN`, `LIKE`,
 * `IS NULL`, `DATE '2024-06-01'`, `TIMESTAMP '2024-06-01 09:30:00'`, `UPPER` and `LOWER`. Field names are not
 * case-sensitive.
 *
 * @throws WhereClauseError
 */
export function parseWhereClause(
  clause: string,
  fields: readonly string[],
): (attributes: FeatureAttributes) => boolean {
  const tokens = tokenize(clause);
  let next = 0;
  let depth = 0;

  const condition = parseOr();
  if (next < tokens.length) throw new WhereClauseError(`'${tokens[next]}' was not expected`);
  return (row) => condition(row) === true;

  function parseOr(): Condition {
    const parts = [parseAnd()];
    while (takes("OR")) parts.push(parseAnd());
    return (row) => or(parts.map((each) => each(row)));
  }

  function parseAnd(): Condition {
    const parts = [parseNot()];
    while (takes("AND")) parts.push(parseNot());
    return (row) => not(or(parts.map((each) => not(each(row)))));
  }

  function parseNot(): Condition {
    if (++depth > maxDepth) throw new WhereClauseError("it is nested too deeply");
    try {
      if (takes("NOT")) return negated(parseNot());
      if (!takes("(")) return parsePredicate();
      const inner = parseOr();
      must(")");
      return inner;
    } finally {
      depth -= 1;
    }
  }

  function parsePredicate(): Condition {
    const left = parseValue();
    if (takes("IS")) {
      const isNegated = takes("NOT");
      must("NULL");
      return (row) => (left(row) === null) !== isNegated;
    }
    const isNegated = takes("NOT");
    const condition = parseMembership(left);
    if (condition) return isNegated ? negated(condition) : condition;
    const test = isNegated ? undefined : comparisons.get(tokens[next] ?? "");
    if (!test) throw new WhereClauseError(`a comparison was expected, not '${tokens[next] ?? "the end"}'`);
    next += 1;
    const right = parseValue();
    return (row) => compare(left(row), right(row), test);
  }

  function parseMembership(left: Expression): Condition | undefined {
    if (takes("IN")) {
      must("(");
      const choices = [parseValue()];
      while (takes(",")) choices.push(parseValue());
      must(")");
      return (row) => or(choices.map((each) => compare(left(row), each(row), isEqual)));
    }
    if (takes("BETWEEN")) {
      const from = parseValue();
      must("AND");
      const to = parseValue();
      return (row) => not(or([compare(left(row), from(row), isLess), compare(to(row), left(row), isLess)]));
    }
    if (takes("LIKE")) {
      const pattern = parseValue();
      return (row) => matchesLike(left(row), pattern(row));
    }
    return undefined;
  }

  function parseValue(): Expression {
    const found = tokens[next++];
    if (found === undefined) throw new WhereClauseError("it ends too early");
    if (found.startsWith("'")) return () => unquoted(found);
    if (/^\d/.test(found)) return () => Number(found);
    if (found === "-") {
      const number = tokens[next++] ?? "";
      if (!/^\d/.test(number)) throw new WhereClauseError("a number was expected after '-'");
      return () => -Number(number);
    }
    const word = found.toUpperCase();
    if (word === "NULL") return () => null;
    if ((word === "DATE" || word === "TIMESTAMP") && tokens[next]?.startsWith("'")) return parseDate();
    if ((word === "UPPER" || word === "LOWER") && takes("(")) return parseCase(word);
    const field = fields.find((each) => each.toUpperCase() === word);
    if (!field) throw new WhereClauseError(`'${found}' is no field`);
    return (row) => row[field] ?? null;
  }

  function parseCase(word: "UPPER" | "LOWER"): Expression {
    const inner = parseValue();
    must(")");
    return (row) => {
      const value = inner(row);
      if (typeof value !== "string") return value;
      return word === "UPPER" ? value.toUpperCase() : value.toLowerCase();
    };
  }

  function parseDate(): Expression {
    const text = unquoted(tokens[next++] ?? "");
    const time = /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
    if (Number.isNaN(time)) {
      throw new WhereClauseError("a date is written '2024-06-01' or '2024-06-01 09:30:00'");
    }
    return () => time;
  }

  function takes(word: string): boolean {
    const isNext = tokens[next]?.toUpperCase() === word;
    if (isNext) next += 1;
    return isNext;
  }

  function must(word: string): void {
    if (!takes(word)) {
      throw new WhereClauseError(`'${word}' was expected, not '${tokens[next] ?? "the end"}'`);
    }
  }
}

function tokenize(clause: string): string[] {
  const tokens: string[] = [];
  const end = clause.trimEnd().length;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < end) {
    const { lastIndex } = tokenPattern;
    const found = tokenPattern.exec(clause)?.[1];
    if (found === undefined) {
      throw new WhereClauseError(`'${clause.slice(lastIndex, lastIndex + 10)}' was not understood`);
    }
    tokens.push(found);
  }
  return tokens;
}

/** True if any is true; unknown if any is unknown. */
function or(values: (boolean | null)[]): boolean | null {
  return values.includes(true) || (values.includes(null) ? null : false);
}

function not(value: boolean | null): boolean | null {
  return value === null ? null : !value;
}

function negated(condition: Condition): Condition {
  return (row) => not(condition(row));
}

/** Tests the order of two values: negative, 0 or positive. */
function compare(left: Value, right: Value, test: (order: number) => boolean): boolean | null {
  if (left === null || right === null) return null;
  if (typeof left === "number" && typeof right === "number") return test(left - right);
  const [one, other] = [String(left), String(right)];
  return test(one < other ? -1 : one > other ? 1 : 0);
}

const isEqual = (order: number) => order === 0;
const isLess = (order: number) => order < 0;

const comparisons = new Map([
  ["=", isEqual],
  ["<>", (order: number) => order !== 0],
  ["!=", (order: number) => order !== 0],
  ["<", isLess],
  [">", (order: number) => order > 0],
  ["<=", (order: number) => order <= 0],
  [">=", (order: number) => order >= 0],
]);

/** `%` stands for any text, `_` for one character. Without regular expressions, so that no pattern takes long. */
function matchesLike(value: Value, pattern: Value): boolean | null {
  if (value === null || pattern === null) return null;
  const characters = [...String(value)];
  let ends = new Set([0]);
  for (const wanted of String(pattern)) {
    const first = Math.min(...ends);
    ends = new Set(
      wanted === "%"
        ? Array.from({ length: characters.length - first + 1 }, (_, index) => first + index)
        : [...ends]
            .filter((at) => at < characters.length && (wanted === "_" || characters[at] === wanted))
            .map((at) => at + 1),
    );
    if (ends.size === 0) return false;
  }
  return ends.has(characters.length);
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll("''", "'");
}
