import type { Place } from "../../place/index.ts";
import { type Connection, openSession } from "../../postgres/index.ts";
import { type PostgresFingerprint, takeFingerprint } from "../../postgres-fingerprint/index.ts";
import type { Finding } from "../../proof/index.ts";

/** A database that the dump is said to be of. */
export interface LiveSource {
  readonly place: Place;
  readonly connection: Connection;
  readonly psql?: string | undefined;
}

/** Reads what a live database holds now, in one transaction that only reads. */
export async function readLiveSource(
  { place, connection, psql }: LiveSource,
  signal: AbortSignal,
): Promise<PostgresFingerprint> {
  const open = () =>
    openSession(place, connection, {
      signal,
      psql,
      first: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
    });
  // One connection: several would each see another moment.
  return takeFingerprint({ open }, { parallel: 1, signal });
}

/** What goes on changing while a database is in use. */
const MOVING = new Set(["row-count", "content", "sequence", "large-objects", "heartbeat"]);

/** So small a part of a table's rows, or so few, may have been written since the dump. */
const FEW = { part: 0.1, rows: 10 } as const;

/**
 * What a difference from a live source means: rows that were written since the dump are no damage,
 * and a definition that differs may have been changed since. What is wholly missing is more, and so
 * is a good part of a table: whether that was written since or lost, somebody has to look.
 */
export function sinceTheDump(finding: Finding): Finding {
  if (finding.weight !== "damage") return finding;
  const moving = MOVING.has(finding.detector);
  const gone = moving && finding.found !== undefined && /^0\b/.test(finding.found);
  if (gone) return { ...finding, weight: "doubt" };
  return {
    ...finding,
    weight: moving && !isShort(finding) ? "note" : "doubt",
    what: `${finding.what.replace(/\.$/, "")}; the live source may have changed since the dump.`,
  };
}

/** Whether a table has much fewer rows than the live source. */
function isShort({ detector, expected, found }: Finding): boolean {
  if (detector !== "row-count") return false;
  const [there, here] = [countIn(expected), countIn(found)];
  if (there === undefined || here === undefined) return false;
  return there - here >= FEW.rows && here < there * (1 - FEW.part);
}

function countIn(words: string | undefined): number | undefined {
  const digits = /^[\d,]+/.exec(words ?? "")?.[0].replaceAll(",", "");
  return digits === undefined ? undefined : Number(digits);
}
