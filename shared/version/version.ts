import { FormatError } from "../failure/index.ts";

/** A version as publishers write it: one to three numbers, perhaps a pre-release. */
export interface Version {
  /** Major, minor, patch; those that are left out count as 0. */
  readonly numbers: readonly [number, number, number];
  /** What follows a hyphen (`rc.1`); empty for a release. */
  readonly preRelease: string;
  /** As written, without a leading `v` and build metadata. */
  readonly text: string;
}

const FORM =
  /^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

/**
 * Reads a version.
 *
 * @throws {FormatError} when the text is none.
 */
export function parseVersion(text: string): Version {
  const match = FORM.exec(text);
  if (match === null) throw new FormatError(`${JSON.stringify(text)} is no version`);
  const [, major = "0", minor = "0", patch = "0", preRelease = ""] = match;
  return {
    numbers: [Number(major), Number(minor), Number(patch)],
    preRelease,
    text: text.replace(/^v/, "").replace(/\+.*$/, ""),
  };
}

/**
 * Negative when `a` is older than `b`, 0 when they are of the same age, positive otherwise. A
 * pre-release is older than its release.
 *
 * Source: semver 2.0.0, section 11.
 */
export function compareVersions(a: Version, b: Version): number {
  return compareNumbers(a.numbers, b.numbers) || comparePreReleases(a.preRelease, b.preRelease);
}

/** Compares lists of numbers from the left; a missing number counts as 0. */
export function compareNumbers(a: readonly number[], b: readonly number[]): number {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePreReleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  const [left, right] = [a.split("."), b.split(".")];
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = compareIdentifiers(left[index] ?? "", right[index] ?? "");
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

function compareIdentifiers(a: string, b: string): number {
  const [numericA, numericB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numericA && numericB) return Number(a) - Number(b);
  if (numericA !== numericB) return numericA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
