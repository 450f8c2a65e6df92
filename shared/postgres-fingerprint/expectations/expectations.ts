import { load, YAMLException } from "js-yaml";
import { UserError } from "../../failure/index.ts";

/** What a user says of a database whose backup has no fingerprint. */
export interface Expectations {
  /** By name: `public.orders`, or `orders` for one of the schema public. */
  readonly tables: Readonly<Record<string, ExpectedTable>>;
  /** Names of extensions, each with its version where that matters. */
  readonly extensions: Readonly<Record<string, string | undefined>>;
  /** Path of a file that `pg_dump --schema-only` wrote in plain form. */
  readonly schemaFile: string | undefined;
}

/** A table that must be there, and how many rows it holds at least and at most. */
export interface ExpectedTable {
  readonly minRows: number;
  readonly maxRows: number | undefined;
}

const EXAMPLE = `\`tables: {public.orders: {min-rows: 1000}, public.countries: {rows: 249}}\``;

/**
 * Reads expectations: a map in YAML with `tables` (a list of names, or a map of names to a least
 * number of rows or to `rows`, `min-rows`, `max-rows`), `extensions` (a list of names, or a map of
 * names to versions) and `schema-file`.
 *
 * @throws {UserError} that names every mistake.
 */
export function parseExpectations(text: string): Expectations {
  const map = mapOf(text);
  const problems: string[] = [];
  for (const key of Object.keys(map)) {
    if (!["tables", "extensions", "schema-file"].includes(key))
      problems.push(`\`${key}\` is unknown`);
  }
  const schemaFile = map["schema-file"] ?? undefined;
  if (schemaFile !== undefined && typeof schemaFile !== "string") {
    problems.push("`schema-file` is no path");
  }
  const expectations = {
    tables: tablesOf(map.tables ?? {}, problems),
    extensions: extensionsOf(map.extensions ?? {}, problems),
    schemaFile: typeof schemaFile === "string" ? schemaFile : undefined,
  };
  if (problems.length > 0) throw wrong(problems);
  return expectations;
}

function mapOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = load(text) ?? {};
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw wrong([`line ${(error.mark?.line ?? 0) + 1} is no YAML: ${error.reason}`]);
  }
  if (!isMap(value)) throw wrong(["there is no map with `tables`, `extensions` or `schema-file`"]);
  return value;
}

function wrong(problems: readonly string[]): UserError {
  return new UserError({
    title: "The expectations are not right",
    cause: `In the expectations ${problems.join("; ")}.`,
    remedy: `Write a map such as ${EXAMPLE}.`,
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function tablesOf(value: unknown, problems: string[]): Record<string, ExpectedTable> {
  if (Array.isArray(value)) {
    if (value.some((name) => typeof name !== "string"))
      problems.push("`tables` has what is no name");
    return Object.fromEntries(
      value.map((name) => [String(name), { minRows: 0, maxRows: undefined }]),
    );
  }
  if (!isMap(value)) {
    problems.push("`tables` is neither a list nor a map");
    return {};
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, wanted]) => [name, tableOf(name, wanted, problems)]),
  );
}

function tableOf(name: string, value: unknown, problems: string[]): ExpectedTable {
  if (value === null) return { minRows: 0, maxRows: undefined };
  if (!isMap(value))
    return { minRows: countOf(value, `tables.${name}`, problems), maxRows: undefined };
  for (const key of Object.keys(value)) {
    if (!["rows", "min-rows", "max-rows"].includes(key)) {
      problems.push(`\`tables.${name}.${key}\` is unknown`);
    }
  }
  const read = (key: string) =>
    value[key] === undefined ? undefined : countOf(value[key], `tables.${name}.${key}`, problems);
  const exact = read("rows");
  const minRows = exact ?? read("min-rows") ?? 0;
  const maxRows = exact ?? read("max-rows");
  if (maxRows !== undefined && maxRows < minRows) {
    problems.push(`\`tables.${name}\` has a maximum below its minimum`);
  }
  return { minRows, maxRows };
}

function countOf(value: unknown, where: string, problems: string[]): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  problems.push(`\`${where}\` is no number of rows`);
  return 0;
}

function extensionsOf(value: unknown, problems: string[]): Record<string, string | undefined> {
  if (Array.isArray(value)) {
    if (value.some((name) => typeof name !== "string")) {
      problems.push("`extensions` has what is no name");
    }
    return Object.fromEntries(value.map((name) => [String(name), undefined]));
  }
  if (!isMap(value)) {
    problems.push("`extensions` is neither a list nor a map");
    return {};
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, version]) => {
      if (version === null) return [name, undefined];
      if (typeof version !== "string" && typeof version !== "number") {
        problems.push(`\`extensions.${name}\` is no version`);
      }
      return [name, String(version)];
    }),
  );
}
