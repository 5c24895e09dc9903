import { invalidQuery } from "./arcgis-json.ts";

type Value = string | number | null;

/** The values in the fields of a feature. Dates are milliseconds since 1970. */
export type FeatureAttributes = Record<string, Value>;

type Expression = (attributes: FeatureAttributes) => Value;
/** In Kleene's logic, which is SQL's: 1 is true, 0 false, and one half UNKNOWN, the result of a comparison with NULL. */
type Condition = (attributes: FeatureAttributes) => number;
const unknown = 0.5;

/** Strings with '' for a quote, numbers, names, operators; and what is none of them, which the parser does not expect. */
const tokenPattern = /'(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_]\w*|<>|!=|<=|>=|\S/g;

const comparisons = new Map<string, (one: string | number, other: string | number) => boolean>([
  ["=", (one, other) => one === other],
  ["<>", (one, other) => one !== other],
  ["!=", (one, other) => one !== other],
  ["<", (one, other) => one < other],
  [">", (one, other) => one > other],
  ["<=", (one, other) => one <= other],
  [">=", (one, other) => one >= other],
  ["LIKE", (text, pattern) => isLike([...String(text)], [...String(pattern)])],
]);

const maxLevels = 100;

/**
 * Parses a `where` of the REST API (SQL-92): comparisons, `AND`, `OR`, `NOT`, brackets, `IN`, `LIKE` and `IS NULL`.
 * Field names are not case-sensitive.
 *
 * @throws ArcGISError
 */
export function parseWhereClause(
  clause: string,
  fields: readonly string[],
): (attributes: FeatureAttributes) => boolean {
  const tokens = clause.match(tokenPattern) ?? [];
  // Each takes a level of the stack.
  const levels = tokens.filter((token) => /^(?:\(|NOT)$/i.test(token)).length;
  if (levels > maxLevels) fail("it has too many brackets");
  let next = 0;

  const condition = parseOr();
  if (next < tokens.length) fail(`'${tokens[next]}' was not expected`);
  return (row) => condition(row) === 1;

  function parseOr(): Condition {
    return or(listOf(parseAnd, "OR"));
  }

  function parseAnd(): Condition {
    return and(listOf(parseNot, "AND"));
  }

  function parseNot(): Condition {
    if (takes("NOT")) return not(parseNot());
    if (takes("(")) return closed(parseOr());
    const left = parseValue();
    if (takes("IS")) {
      const isNegated = takes("NOT");
      must("NULL");
      return (row) => Number((left(row) === null) !== isNegated);
    }
    return takes("NOT") ? not(parseComparison(left)) : parseComparison(left);
  }

  function parseComparison(left: Expression): Condition {
    if (!takes("IN")) return compared(left, tokens[next++], parseValue());
    must("(");
    return closed(or(listOf(() => compared(left, "=", parseValue()), ",")));
  }

  function parseValue(): Expression {
    const found = tokens[next++] ?? fail("it ends too early");
    const word = found.toUpperCase();
    if (word === "-" && isNumber(tokens[next])) return constant(-Number(tokens[next++]));
    if (isNumber(word)) return constant(Number(word));
    if (/^'.*'$/s.test(word)) return constant(found.slice(1, -1).replaceAll("''", "'"));
    if (word === "NULL") return constant(null);
    const field = fields.find((each) => each.toUpperCase() === word) ?? fail(`'${found}' is no field`);
    return (row) => row[field] ?? null;
  }

  function listOf<T>(parse: () => T, separator: string): T[] {
    const list = [parse()];
    while (takes(separator)) list.push(parse());
    return list;
  }

  function takes(word: string): boolean {
    const isNext = tokens[next]?.toUpperCase() === word;
    if (isNext) next += 1;
    return isNext;
  }

  function must(word: string): void {
    if (!takes(word)) fail(`'${word}' was expected, not '${tokens[next] ?? "the end"}'`);
  }

  /** What stands before a closing bracket. */
  function closed<T>(parsed: T): T {
    must(")");
    return parsed;
  }
}

function fail(problem: string): never {
  throw invalidQuery(`'where' is not valid: ${problem}.`);
}

function or(conditions: Condition[]): Condition {
  return (row) => Math.max(...conditions.map((condition) => condition(row)));
}

function and(conditions: Condition[]): Condition {
  return (row) => Math.min(...conditions.map((condition) => condition(row)));
}

function not(condition: Condition): Condition {
  return (row) => 1 - condition(row);
}

function compared(left: Expression, operator = "the end", right: Expression): Condition {
  const test =
    comparisons.get(operator.toUpperCase()) ?? fail(`a comparison was expected, not '${operator}'`);
  return (row) => {
    const [one, other] = [left(row), right(row)];
    if (one === null || other === null) return unknown;
    return Number(test(one, other));
  };
}

/** `%` stands for any text, `_` for one character. Goes back to the last `%` only, so that no pattern takes long. */
function isLike(text: string[], pattern: string[]): boolean {
  let [at, next, start, lastPercent] = [0, 0, 0, -1];
  while (at < text.length) {
    if (pattern[next] === "%") [lastPercent, start, next] = [next, at, next + 1];
    else if (pattern[next] === "_" || pattern[next] === text[at]) [at, next] = [at + 1, next + 1];
    else if (lastPercent >= 0) [at, start, next] = [start + 1, start + 1, lastPercent + 1];
    else return false;
  }
  return pattern.slice(next).every((character) => character === "%");
}

function constant(value: Value): Expression {
  return () => value;
}

function isNumber(token = ""): boolean {
  return /^\d/.test(token);
}
