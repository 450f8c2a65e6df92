import { load, YAMLException } from "js-yaml";
import { UserError } from "../failure/index.ts";
import type { RedisExpectation, RedisQuery } from "./queries.ts";

const FIELDS = ["name", "command", "database", "expect"];
const KEYS = ["equals", "min", "max", "matches"];

/** Whether a text of queries is about Redis: its entries have a `command`. */
export function isForRedis(text: string): boolean {
  try {
    const list = load(text);
    return Array.isArray(list) && list.some((entry) => isMap(entry) && "command" in entry);
  } catch (error) {
    if (error instanceof YAMLException) return false;
    throw error;
  }
}

/**
 * Reads queries: a list of `name`, `command` (words, or a list of them), `database` and `expect` in
 * YAML. `expect` has one or more of `equals`, `min`, `max`, `matches`.
 *
 * @throws {UserError} that names every mistake.
 */
export function parseRedisQueries(text: string): readonly RedisQuery[] {
  const problems: string[] = [];
  const list = load(text);
  const entries: readonly unknown[] = Array.isArray(list) ? list : [];
  const queries = entries.map((entry, index) => readQuery(entry, index + 1, problems));
  if (problems.length === 0) return queries.filter((query) => query !== undefined);
  throw new UserError({
    title: "The queries of Redis are not right",
    cause: `In \`queries\`, ${problems.join("; ")}.`,
    remedy: "Write a list such as `[{name: sessions, command: [DBSIZE], expect: {min: 1}}]`.",
  });
}

function readQuery(entry: unknown, number: number, problems: string[]): RedisQuery | undefined {
  const own = `entry ${number}`;
  if (!isMap(entry)) {
    problems.push(`${own} is no map with \`command\` and \`expect\``);
    return undefined;
  }
  for (const field of Object.keys(entry)) {
    if (!FIELDS.includes(field)) problems.push(`${own} has \`${field}\`, which is unknown`);
  }
  const { name = `query ${number}`, command, database, expect } = entry;
  const words = Array.isArray(command)
    ? command.map(String)
    : typeof command === "string"
      ? command.trim().split(/\s+/)
      : [];
  if ((words[0] ?? "") === "") problems.push(`${own} has no \`command\``);
  if (database !== undefined && !(Number.isInteger(database) && Number(database) >= 0)) {
    problems.push(`the \`database\` of ${own} is no number of one`);
  }
  const expectation = readExpectation(expect, own, problems);
  return {
    ...{ name: String(name), command: words, expect: expectation },
    database: database === undefined ? undefined : Number(database),
  };
}

function readExpectation(expect: unknown, own: string, problems: string[]): RedisExpectation {
  if (!isMap(expect) || Object.keys(expect).length === 0) {
    problems.push(`${own} has no \`expect\` with one of ${KEYS.join(", ")}`);
    return {};
  }
  const { equals, min, max, matches } = expect;
  for (const key of Object.keys(expect)) {
    if (!KEYS.includes(key))
      problems.push(`\`${key}\` of ${own} is unknown; there are ${KEYS.join(", ")}`);
  }
  for (const [key, bound] of Object.entries({ min, max })) {
    if (bound !== undefined && typeof bound !== "number") {
      problems.push(`\`${key}\` of ${own} is no number`);
    }
  }
  return {
    equals: equals === undefined ? undefined : String(equals ?? ""),
    min: typeof min === "number" ? min : undefined,
    max: typeof max === "number" ? max : undefined,
    matches: matches === undefined ? undefined : patternIn(String(matches), own, problems),
  };
}

function patternIn(text: string, own: string, problems: string[]): RegExp | undefined {
  try {
    return new RegExp(text, "u");
  } catch {
    problems.push(`\`matches\` of ${own} is no regular expression`);
    return undefined;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
