import { load, YAMLException } from "js-yaml";
import { nearestName } from "../failure/index.ts";

/** A vulnerability that is known and borne, for a time. */
export interface IgnoreEntry {
  readonly id: string;
  readonly package: string | undefined;
  readonly service: string | undefined;
  /** The last day on which it counts, as YYYY-MM-DD in UTC. */
  readonly until: string;
  readonly reason: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Something that is wrong with a list, and the line that it is on. */
export interface IgnoreProblem {
  readonly line: number;
  readonly problem: string;
}

const KEYS = ["id", "package", "service", "until", "reason"];
const REQUIRED = ["id", "until", "reason"];
const DAY_MS = 24 * 3_600_000;
/** Longer than a year nobody looks ahead; the list is to be looked at again. */
const LONGEST_DAYS = 366;

/**
 * Reads a list of vulnerabilities to ignore: YAML, each entry with `id`, `until` and `reason`, and
 * `package` or `service` where it is to hold for no other.
 *
 * @param now epoch milliseconds.
 */
export function parseIgnoreList(
  text: string,
  now: number,
): { readonly entries: readonly IgnoreEntry[]; readonly problems: readonly IgnoreProblem[] } {
  // The library wants a document; comments alone are none.
  if (!/^\s*[^#\s]/m.test(text)) return { entries: [], problems: [] };
  let value: unknown;
  try {
    value = load(text);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = (error.mark?.line ?? 0) + 1;
    return { entries: [], problems: [{ line, problem: `it is no YAML: ${error.reason}` }] };
  }
  if (value === null || value === undefined) return { entries: [], problems: [] };
  if (!Array.isArray(value)) {
    return { entries: [], problems: [{ line: 1, problem: "it is not a list of entries" }] };
  }
  const lines = linesOfItems(text);
  const entries: IgnoreEntry[] = [];
  const problems: IgnoreProblem[] = [];
  for (const [at, item] of value.entries()) {
    const line = lines[at] ?? 1;
    const read = readEntry(item, line, now);
    if ("problems" in read) problems.push(...read.problems.map((problem) => ({ line, problem })));
    else entries.push(read);
  }
  return { entries, problems };
}

function readEntry(
  item: unknown,
  line: number,
  now: number,
): IgnoreEntry | { readonly problems: readonly string[] } {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    return { problems: ["an entry is a mapping with id, until and reason"] };
  }
  const given = item as Record<string, unknown>;
  const problems = Object.keys(given).flatMap((key) => {
    if (KEYS.includes(key)) return [];
    const near = nearestName(key, KEYS);
    return [`there is no key ${key}${near === undefined ? "" : `; did you mean ${near}?`}`];
  });
  const missing = REQUIRED.filter((key) => textOf(given[key]) === "");
  problems.push(...missing.map((key) => `${key} is missing`));
  const until = dayOf(given.until);
  if (!missing.includes("until")) problems.push(...untilProblem(until, now));
  if (problems.length > 0 || until === undefined) return { problems };
  return {
    id: textOf(given.id),
    package: textOf(given.package) || undefined,
    service: textOf(given.service) || undefined,
    until,
    reason: textOf(given.reason),
    line,
  };
}

function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
}

/** The day, also where YAML took it for a date. */
function dayOf(value: unknown): string | undefined {
  const text = value instanceof Date ? value.toISOString().slice(0, 10) : textOf(value);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  // 2027-02-31 would be taken for a day in March.
  const exists = !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
  return exists ? text : undefined;
}

function untilProblem(until: string | undefined, now: number): string[] {
  if (until === undefined) return ["until is no day of the form YYYY-MM-DD"];
  const days = (Date.parse(`${until}T00:00:00Z`) - now) / DAY_MS;
  return days > LONGEST_DAYS ? [`until ${until} is more than a year ahead`] : [];
}

/** The lines on which the items of the outer list begin. */
function linesOfItems(text: string): readonly number[] {
  const found = text.split(/\r\n|\r|\n/).flatMap((line, at) => {
    const indent = /^( *)-(?:\s|$)/.exec(line)?.[1]?.length;
    return indent === undefined ? [] : [{ indent, line: at + 1 }];
  });
  const outer = Math.min(...found.map(({ indent }) => indent));
  return found.filter(({ indent }) => indent === outer).map(({ line }) => line);
}

/** Whether an entry no longer counts. */
export function isExpired({ until }: Pick<IgnoreEntry, "until">, now: number): boolean {
  return new Date(now).toISOString().slice(0, 10) > until;
}
