import type { Parts } from "../fingerprint.ts";

/** Where two tables begin to differ, as far as their parts tell. */
export interface DifferingParts {
  /** `rows whose id is from 1200 to below 2400`. */
  readonly first: string;
  readonly expectedRows: number;
  readonly foundRows: number;
  readonly differing: number;
  readonly parts: number;
  /** Whether parts are ranges of a key. */
  readonly byKey: boolean;
}

/** Finds the first part whose rows or hash differ; undefined where parts cannot be compared. */
export function differingParts(
  expected: Parts | undefined,
  found: Parts | undefined,
): DifferingParts | undefined {
  if (expected === undefined || found === undefined) return undefined;
  const { column, bounds = [] } = expected;
  if (found.column !== column || found.rows.length !== expected.rows.length) return undefined;
  const differing = expected.rows.flatMap((rows, index) =>
    rows === found.rows[index] && expected.hashes[index] === found.hashes[index] ? [] : [index],
  );
  const [first] = differing;
  if (first === undefined) return undefined;
  return {
    first:
      column === undefined
        ? `part ${first + 1} of ${expected.rows.length} by hash`
        : rangeOf(column, bounds[first - 1], bounds[first]),
    expectedRows: expected.rows[first] ?? 0,
    foundRows: found.rows[first] ?? 0,
    differing: differing.length,
    parts: expected.rows.length,
    byKey: column !== undefined,
  };
}

function rangeOf(column: string, from: string | undefined, below: string | undefined): string {
  if (from === undefined) return `${column} below ${below}`;
  return below === undefined
    ? `${column} from ${from} on`
    : `${column} from ${from} to below ${below}`;
}
