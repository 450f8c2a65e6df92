import { FormatError } from "../failure/index.ts";
import { compareNumbers, compareVersions, parseVersion, type Version } from "./version.ts";

/** Which versions will do, as the user wrote it. */
export interface Range {
  readonly text: string;
  /** The newest one is asked for, whatever it is. */
  readonly latest: boolean;
  /** One of these must hold; each holds where all its conditions do. */
  readonly alternatives: readonly (readonly Condition[])[];
}

/** A span of releases, `to` not included, or one pre-release. */
type Condition =
  | { readonly from: readonly number[]; readonly to: readonly number[] | undefined }
  | { readonly exactly: Version };

const COMPARATOR =
  /^(\^|~|>=|<=|>|<|=)?v?(\d{1,9}|[xX*])(?:\.(\d{1,9}|[xX*]))?(?:\.(\d{1,9}|[xX*]))?$/;

/**
 * Reads `latest`, an exact version, the beginning of one (`1.34`, `1.34.x`), or comparisons as npm
 * writes them: `^4.1`, `~3.2.1`, `>=1.33 <1.36`, alternatives separated by `||`. A range holds no
 * pre-release; one is had by its exact name only.
 *
 * @throws {FormatError} when the text is none of these.
 */
export function parseRange(text: string): Range {
  const trimmed = text.trim();
  if (/^(latest|\*|x)?$/i.test(trimmed)) {
    return { text: "latest", latest: true, alternatives: [[{ from: [0], to: undefined }]] };
  }
  // `>= 1.33` is one comparison.
  const joined = trimmed.replace(/([<>=^~])\s+(?=[\dv])/g, "$1");
  const alternatives = joined.split("||").map((part) => {
    const words = part.trim().split(/\s+/).filter(Boolean);
    if (words.length === 0) throw new FormatError(`${JSON.stringify(trimmed)} is no version range`);
    return words.map((word) => condition(word, trimmed));
  });
  return { text: trimmed, latest: false, alternatives };
}

/** Whether a version lies within a range. */
export function satisfies(range: Range, version: Version): boolean {
  return range.alternatives.some((conditions) => conditions.every((one) => holds(one, version)));
}

function holds(one: Condition, version: Version): boolean {
  if ("exactly" in one) return compareVersions(one.exactly, version) === 0;
  if (version.preRelease !== "") return false;
  const { from, to } = one;
  return (
    compareNumbers(version.numbers, from) >= 0 &&
    (to === undefined || compareNumbers(version.numbers, to) < 0)
  );
}

function condition(word: string, whole: string): Condition {
  const exact = /^=?v?(\d+\.\d+(\.\d+)?-.+)$/.exec(word)?.[1];
  if (exact !== undefined) return { exactly: parseVersion(exact) };
  const match = COMPARATOR.exec(word);
  if (match === null) {
    const what = word === whole ? "" : `${JSON.stringify(word)} in `;
    throw new FormatError(`${what}${JSON.stringify(whole)} is no version or range of versions`);
  }
  const [, operator = "", ...parts] = match;
  const given = parts.slice(0, firstWildcard(parts)).map(Number);
  return span(operator, given);
}

function firstWildcard(parts: readonly (string | undefined)[]): number {
  const at = parts.findIndex((part) => part === undefined || !/^\d+$/.test(part));
  return at < 0 ? parts.length : at;
}

/** The releases that a comparison holds; `given` are the numbers before a wildcard or the end. */
function span(operator: string, given: readonly number[]): Condition {
  const after = next(given);
  switch (operator) {
    case "^":
      return { from: given, to: next(upToFirstNonZero(given)) };
    case "~":
      return { from: given, to: next(given.slice(0, 2)) };
    case ">=":
      return { from: given, to: undefined };
    case ">":
      // Nothing comes after everything.
      return after === undefined ? { from: [0], to: [0] } : { from: after, to: undefined };
    case "<":
      return { from: [0], to: given };
    case "<=":
      return { from: [0], to: after };
    default:
      return { from: given, to: after };
  }
}

/** The first version that does not begin with these numbers. */
function next(numbers: readonly number[]): readonly number[] | undefined {
  const last = numbers.at(-1);
  return last === undefined ? undefined : [...numbers.slice(0, -1), last + 1];
}

/** What a caret holds fast: all up to the first number that is not 0. */
function upToFirstNonZero(numbers: readonly number[]): readonly number[] {
  const at = numbers.findIndex((number) => number !== 0);
  return at < 0 ? numbers : numbers.slice(0, at + 1);
}
