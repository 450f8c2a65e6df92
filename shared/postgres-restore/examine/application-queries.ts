import { load, YAMLException } from "js-yaml";
import { UserError } from "../../failure/index.ts";

/** What an answer has to be like; all that is given has to hold. */
export interface Expectation {
  /** So many rows. */
  readonly rows?: number;
  /** At least one row. */
  readonly notEmpty?: true;
  /** Of the first row's first column: exactly this, as text. */
  readonly equals?: string | null;
  readonly min?: number;
  readonly max?: number;
  readonly matches?: RegExp;
}

/** A question that the application would ask, and what it must be told. */
export interface ApplicationQuery {
  readonly name: string;
  readonly sql: string;
  readonly expect: Expectation;
}

const KEYS = ["rows", "not-empty", "value", "equals", "min", "max", "matches"] as const;
const FIELDS = new Set(["name", "sql", "expect"]);

/**
 * Reads application queries: a list of `name`, `sql` and `expect` in YAML. `expect` has one or more
 * of `rows`, `not-empty`, `equals` (or `value`), `min`, `max`, `matches`.
 *
 * @throws {UserError} that names every mistake.
 */
export function parseQueries(text: string): readonly ApplicationQuery[] {
  let list: unknown;
  try {
    list = load(text) ?? [];
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw wrong([`it is no YAML: ${error.reason}`]);
  }
  if (!Array.isArray(list)) throw wrong(["it is no list"]);
  const problems: string[] = [];
  const queries = list.map((entry: unknown, index) => readQuery(entry, index + 1, problems));
  const names = queries.map((query) => query?.name);
  names.forEach((name, index) => {
    if (name !== undefined && names.indexOf(name) < index) problems.push(`${name} is there twice`);
  });
  if (problems.length > 0) throw wrong(problems);
  return queries.filter((query) => query !== undefined);
}

function wrong(problems: readonly string[]): UserError {
  return new UserError({
    title: "The application queries are not right",
    cause: `In \`queries\`, ${problems.join("; ")}.`,
    remedy:
      'Write a list such as `[{name: orders of today, sql: "SELECT count(*) FROM orders", expect: {min: 1}}]`.',
  });
}

function readQuery(
  entry: unknown,
  number: number,
  problems: string[],
): ApplicationQuery | undefined {
  if (!isMap(entry)) {
    problems.push(`entry ${number} is no map with \`sql\` and \`expect\``);
    return undefined;
  }
  const { name = `query ${number}`, sql, expect } = entry;
  const own = `entry ${number}`;
  for (const field of Object.keys(entry)) {
    if (!FIELDS.has(field)) problems.push(`${own} has \`${field}\`, which is unknown`);
  }
  if (typeof name !== "string") problems.push(`the name of ${own} is no text`);
  if (typeof sql !== "string" || sql.trim() === "") problems.push(`${own} has no \`sql\``);
  const expectation = readExpectation(expect, own, problems);
  if (typeof name !== "string" || typeof sql !== "string") return undefined;
  return { name, sql: sql.trim().replace(/;\s*$/, ""), expect: expectation };
}

function readExpectation(expect: unknown, own: string, problems: string[]): Expectation {
  if (!isMap(expect) || Object.keys(expect).length === 0) {
    problems.push(`${own} has no \`expect\` with one of ${KEYS.join(", ")}`);
    return {};
  }
  const result: { -readonly [Key in keyof Expectation]: Expectation[Key] } = {};
  for (const [key, value] of Object.entries(expect)) {
    const problem = take(result, key, value);
    if (problem !== undefined) problems.push(`in ${own}, ${problem}`);
  }
  return result;
}

function take(
  result: { -readonly [Key in keyof Expectation]: Expectation[Key] },
  key: string,
  value: unknown,
): string | undefined {
  switch (key) {
    case "rows":
    case "min":
    case "max":
      if (typeof value !== "number" || Number.isNaN(value)) return `\`${key}\` is no number`;
      result[key] = value;
      return undefined;
    case "not-empty":
      if (value !== true) return "`not-empty` can only be true";
      result.notEmpty = true;
      return undefined;
    case "value":
    case "equals":
      if (typeof value === "object" && value !== null) return `\`${key}\` is no single value`;
      result.equals = value === null || value === undefined ? null : String(value);
      return undefined;
    case "matches":
      try {
        result.matches = new RegExp(String(value), "u");
        return undefined;
      } catch {
        return "`matches` is no regular expression";
      }
    default:
      return `\`${key}\` is unknown; there are ${KEYS.join(", ")}`;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a query was answered. */
export interface QueryAnswer {
  readonly rows: number;
  /** The first row's first column as text; undefined without a row. */
  readonly first: string | null | undefined;
}

/** What of an answer is not as expected: one phrase; undefined where all is. Pure. */
export function unmet(expect: Expectation, { rows, first }: QueryAnswer): string | undefined {
  if (expect.rows !== undefined && rows !== expect.rows) {
    return `it gave ${rows} rows and not ${expect.rows}`;
  }
  if (expect.notEmpty === true && rows === 0) return "it gave no rows";
  const wantsValue =
    expect.equals !== undefined ||
    expect.min !== undefined ||
    expect.max !== undefined ||
    expect.matches !== undefined;
  if (!wantsValue) return undefined;
  if (first === undefined) return "it gave no rows, and so no value";
  if (expect.equals !== undefined && first !== expect.equals) {
    return `it gave ${shown(first)} and not ${shown(expect.equals)}`;
  }
  if (expect.matches !== undefined && (first === null || !expect.matches.test(first))) {
    return `it gave ${shown(first)}, which does not match ${expect.matches.source}`;
  }
  return outOfBounds(expect, first);
}

function outOfBounds({ min, max }: Expectation, first: string | null): string | undefined {
  if (min === undefined && max === undefined) return undefined;
  const value = first === null || first.trim() === "" ? Number.NaN : Number(first);
  if (Number.isNaN(value)) return `it gave ${shown(first)}, which is no number`;
  if (min !== undefined && value < min) return `it gave ${first}, less than ${min}`;
  if (max !== undefined && value > max) return `it gave ${first}, more than ${max}`;
  return undefined;
}

function shown(value: string | null): string {
  if (value === null) return "NULL";
  return `"${value.length > 80 ? `${value.slice(0, 80)}…` : value}"`;
}
