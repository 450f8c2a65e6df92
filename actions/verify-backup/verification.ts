import { bytesOf, type StoredBackup } from "../../shared/backup/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import {
  type Evidence,
  type Examination,
  type Finding,
  recoveryTime,
  type TrendPoint,
  type Verification,
  verdictOf,
} from "../../shared/proof/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { Options } from "./inputs.ts";

/** What was verified, in the words of the report. */
export interface Described {
  readonly name: string;
  readonly backup: string;
  readonly kind: string;
  readonly subject: string;
  /** The moment that it shows, in milliseconds since the Unix epoch. */
  readonly taken: number | undefined;
  readonly bytes: number;
  readonly storedBytes: number;
}

/** All that a verification found. */
export interface Found {
  readonly described: Described;
  readonly examination: Examination;
  /** Beside the examination's: of age, trend, signature. */
  readonly findings: readonly Finding[];
  readonly unknown: readonly string[];
  readonly evidence: readonly Evidence[];
  /** Earlier backups of the series, without this one. */
  readonly earlier: readonly TrendPoint[];
}

/** The report of a verification. */
export function verificationOf(
  found: Found,
  {
    options,
    storage,
    journal,
    now,
  }: { options: Options; storage: Storage; journal: Journal; now: number },
): Verification {
  const { described, examination, earlier } = found;
  const { restoreSeconds, reached } = examination;
  const seconds = (milliseconds: number | undefined) =>
    milliseconds === undefined ? undefined : milliseconds / 1_000;
  const rto = seconds(options.rto);
  const time = recoveryTime(restoreSeconds, rto, measuredOf(described, restoreSeconds, earlier));
  const findings = [...found.findings, ...examination.findings, ...time.findings];
  const verdict = verdictOf(findings, options.tier, reached);
  const taken = described.taken === undefined ? undefined : new Date(described.taken).toISOString();
  const age = described.taken === undefined ? undefined : (now - described.taken) / 1_000;
  return {
    ...{ schema: 1, verdict, tier: options.tier, reached },
    ...{ name: described.name, backup: described.backup, kind: described.kind },
    ...{ subject: described.subject, storage: storage.place, taken },
    verified: new Date(now).toISOString(),
    ...{ findings, items: examination.items, unit: examination.unit },
    unknown: [...new Set([...found.unknown, ...examination.unknown])],
    circumstances: examination.circumstances ?? {},
    objectives: {
      age,
      rpo: seconds(options.rpo),
      restore: restoreSeconds,
      rto,
      outlook: time.outlook,
    },
    ...{ bytes: described.bytes, storedBytes: described.storedBytes },
    phases: phasesOf(journal, examination),
    trend: trendOf(found, verdict),
    evidence: found.evidence,
  };
}

function measuredOf(
  { taken, bytes }: Described,
  restoreSeconds: number | undefined,
  earlier: readonly TrendPoint[],
) {
  const before = earlier.flatMap((point) =>
    point.restoreSeconds === undefined
      ? []
      : [
          {
            taken: Date.parse(point.taken),
            bytes: point.bytes,
            restoreSeconds: point.restoreSeconds,
          },
        ],
  );
  if (taken === undefined || restoreSeconds === undefined) return before;
  return [...before, { taken, bytes, restoreSeconds }];
}

/** The step's phases; the one of the examination as its own parts, where it tells them. */
function phasesOf({ phases }: Journal, examination: Examination): Verification["phases"] {
  const own = examination.phases ?? [];
  return phases.flatMap((phase) =>
    phase.name !== "examine" || own.length === 0
      ? [phase]
      : own.map(({ name, from, to }) => ({
          ...{ name, failed: false },
          from: phase.from + from * 1_000,
          to: phase.from + to * 1_000,
        })),
  );
}

function trendOf(
  { described, examination, earlier }: Found,
  verdict: "passed" | "failed",
): readonly TrendPoint[] {
  if (described.taken === undefined) return earlier;
  const { items, restoreSeconds } = examination;
  const rows = items.reduce((sum, { found, expected }) => sum + (found ?? expected ?? 0), 0);
  const point = {
    ...{ backup: described.backup, taken: new Date(described.taken).toISOString() },
    ...{ bytes: described.bytes, rows, restoreSeconds, verdict },
  };
  return [...earlier, point];
}

/** A backup of our own, described. */
export function describeOwn({ manifest }: StoredBackup): Described {
  return {
    ...{ name: manifest.name, backup: manifest.id, kind: manifest.kind, subject: manifest.subject },
    taken: Date.parse(manifest.taken),
    ...bytesOf(manifest),
  };
}
