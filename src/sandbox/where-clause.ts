import { invalidQuery } from "./arcgis-json.ts";

type Value = string | number | null;

/** The values in the fields of a feature. Dates are milliseconds since 1970. */
export type FeatureAttributes = Record<string, Value>;

type Expression = (attributes: FeatureAttributes) => Value;
/** `null` is SQL's UNKNOWN, the result of a comparison with NULL. */
type Condition = (attributes: FeatureAttributes) => boolean | null;

/** Strings with '' for a quote, numbers, names, operators; and what is none of them, which the parser does not expect. */
const tokenPattern = /'(?:[^']|'')*'|\d+(?:\.\d+)?|[A-Za-z_]\w*|<>|!=|<=|>=|\S/g;

const maxDepth = 50;

/**
 * Parses a `where` of the REST API (SQL-92): comparisons, `AND`, `OR`, `NOT`, brackets, `IN`, `BETWEEN`, `LIKE`,
 * `IS NULL`, `DATE '2024-06-01'`, `TIMESTAMP '2024-06-01 09:30:00'`, `UPPER` and `LOWER`. Field names are not
 * case-sensitive.
 *
 * @throws ArcGISError
 */
export function parseWhereClause(
  clause: string,
  fields: readonly string[],
): (attributes: FeatureAttributes) => boolean {
  const tokens = clause.match(tokenPattern) ?? [];
  let next = 0;
  let depth = 0;

  const condition = parseOr();
  if (next < tokens.length) fail(`'${tokens[next]}' was not expected`);
  return (row) => condition(row) === true;

  function parseOr(): Condition {
    return anyOf(listOf(parseAnd, "OR"));
  }

  function parseAnd(): Condition {
    return not(anyOf(listOf(parseNot, "AND").map(not)));
  }

  function parseNot(): Condition {
    if (++depth > maxDepth) fail("it is nested too deeply");
    let condition: Condition;
    if (takes("NOT")) condition = not(parseNot());
    else if (takes("(")) condition = closed(parseOr());
    else condition = parsePredicate();
    depth -= 1;
    return condition;
  }

  function parsePredicate(): Condition {
    const left = parseValue();
    if (takes("IS")) {
      const isNegated = takes("NOT");
      must("NULL");
      return (row) => (left(row) === null) !== isNegated;
    }
    if (takes("NOT")) return not(parseMembership(left) ?? fail("IN, BETWEEN or LIKE was expected after NOT"));
    return parseMembership(left) ?? parseComparison(left);
  }

  function parseMembership(left: Expression): Condition | undefined {
    if (takes("IN")) {
      must("(");
      return closed(anyOf(listOf(parseValue, ",").map((value) => comparison(left, equal, value))));
    }
    if (takes("BETWEEN")) {
      const from = parseValue();
      must("AND");
      return not(anyOf([comparison(left, less, from), comparison(parseValue(), less, left)]));
    }
    if (!takes("LIKE")) return undefined;
    const pattern = parseValue();
    return (row) => {
      const [text, wanted] = [left(row), pattern(row)];
      return text === null || wanted === null ? null : isLike([...String(text)], [...String(wanted)]);
    };
  }

  function parseComparison(left: Expression): Condition {
    const operator = tokens[next++] ?? "the end";
    const orders = comparisons.get(operator) ?? fail(`a comparison was expected, not '${operator}'`);
    return comparison(left, orders, parseValue());
  }

  function parseValue(): Expression {
    const found = tokens[next++] ?? fail("it ends too early");
    const word = found.toUpperCase();
    const isText = tokens[next]?.startsWith("'") === true;
    if (word === "-" && isNumber(tokens[next])) return constant(-Number(tokens[next++]));
    if (isNumber(word)) return constant(Number(word));
    if (/^'.*'$/s.test(word)) return constant(unquoted(found));
    if (word === "NULL") return constant(null);
    if ((word === "DATE" || word === "TIMESTAMP") && isText) return constant(timeOf(tokens[next++] ?? ""));
    if ((word === "UPPER" || word === "LOWER") && takes("(")) {
      const inner = closed(parseValue());
      const changed = (text: string) => (word === "UPPER" ? text.toUpperCase() : text.toLowerCase());
      return (row) => {
        const value = inner(row);
        return typeof value === "string" ? changed(value) : value;
      };
    }
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

/** True if any is true; unknown if any is unknown. */
function anyOf(conditions: Condition[]): Condition {
  return (row) => {
    const values = conditions.map((condition) => condition(row));
    return values.includes(true) || (values.includes(null) ? null : false);
  };
}

function not(condition: Condition): Condition {
  return (row) => {
    const value = condition(row);
    return value === null ? null : !value;
  };
}

const [equal, less, greater] = [[0], [-1], [1]];
/** The orders of two values (-1, 0, 1) for which each comparison is true. */
const comparisons = new Map([
  ["=", equal],
  ["<>", [-1, 1]],
  ["!=", [-1, 1]],
  ["<", less],
  [">", greater],
  ["<=", [-1, 0]],
  [">=", [0, 1]],
]);

function comparison(left: Expression, orders: number[], right: Expression): Condition {
  return (row) => {
    const [one, other] = [left(row), right(row)];
    if (one === null || other === null) return null;
    if (typeof one === "number" && typeof other === "number") return orders.includes(Math.sign(one - other));
    const [text, otherText] = [String(one), String(other)];
    return orders.includes(Number(text > otherText) - Number(text < otherText));
  };
}

/** `%` stands for any text, `_` for one character. Goes back to the last `%` only, so that no pattern takes long. */
function isLike(text: string[], pattern: string[]): boolean {
  let [at, wanted, start, lastPercent] = [0, 0, 0, -1];
  while (at < text.length) {
    if (pattern[wanted] === "%") [lastPercent, start, wanted] = [wanted, at, wanted + 1];
    else if (pattern[wanted] === "_" || pattern[wanted] === text[at]) [at, wanted] = [at + 1, wanted + 1];
    else if (lastPercent >= 0) [at, start, wanted] = [start + 1, start + 1, lastPercent + 1];
    else return false;
  }
  return pattern.slice(wanted).every((character) => character === "%");
}

function constant(value: Value): Expression {
  return () => value;
}

function isNumber(token = ""): boolean {
  return /^\d/.test(token);
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll("''", "'");
}

function timeOf(quoted: string): number {
  const text = unquoted(quoted);
  const time = /^\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  return Number.isNaN(time) ? fail("a date is written '2024-06-01' or '2024-06-01 09:30:00'") : time;
}
