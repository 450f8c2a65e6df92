import {
  type BackupHistory,
  bytesOf,
  judgeTrend,
  readHistory,
  type StoredBackup,
} from "../../shared/backup/index.ts";
import type { Examination, Finding, Item, TrendPoint } from "../../shared/proof/index.ts";
import type { World } from "../../shared/world/index.ts";
import { examineOwn } from "./examine.ts";
import { examineForeign } from "./foreign.ts";
import type { Means } from "./means.ts";
import type { BrokenSubject, OwnSubject, Subject } from "./subject.ts";
import { describeOwn, type Found } from "./verification.ts";

/** So many of the newest backups make the trend. */
const TREND = 60;

/** Examines what was found, and its series for comparison. */
export async function examineSubject(subject: Subject, means: Means, world: World): Promise<Found> {
  switch (subject.form) {
    case "own":
      return await own(subject, means, world);
    case "broken":
      return await broken(subject, means, world);
    case "foreign":
      return await examineForeign(subject, means, world);
  }
}

async function own(
  { backup, series, listed }: OwnSubject,
  means: Means,
  world: World,
): Promise<Found> {
  const { verifier, options, storage } = means;
  const history = await readHistory(
    storage,
    series,
    { limit: TREND, verifier, skipsFrozen: true },
    world.signal,
  );
  const before = history.filter((each) => each.listed.began < listed.began);
  const examined = await examineOwn(backup, means, world);
  const trend = judgeTrend(
    sampleOf(backup, examined.examination),
    before.flatMap((each) => earlierSample(each)),
    { tolerance: options.sizeTolerance },
  );
  return {
    described: describeOwn(backup),
    examination: examined.examination,
    findings: [...examined.findings, ...trend.findings],
    unknown: [...examined.unknown, ...trend.unknown],
    evidence: examined.evidence,
    earlier: before.flatMap(pointOf),
  };
}

async function broken(
  { listed, series, finding }: BrokenSubject,
  { storage, options }: Means,
  world: World,
): Promise<Found> {
  const history = await readHistory(
    storage,
    series,
    { limit: TREND, skipsFrozen: true },
    world.signal,
  );
  const examination: Examination = {
    ...{ findings: [], items: [], unit: "rows", reached: "integrity" },
    unknown: ["Nothing else of it was looked at, for its manifest cannot be relied on."],
  };
  return {
    described: {
      ...{ name: options.name ?? "", backup: listed.id, kind: "unknown", subject: series.name },
      taken: listed.began,
      bytes: 0,
      storedBytes: listed.files.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    examination,
    findings: [finding] as readonly Finding[],
    ...{ unknown: [], evidence: [] },
    earlier: history.filter((each) => each.listed.began < listed.began).flatMap(pointOf),
  };
}

function sampleOf({ manifest }: StoredBackup, { items }: Examination) {
  return { id: manifest.id, measures: manifest.measures, items: countsOf(items) };
}

function earlierSample({ manifest, verifications }: BackupHistory) {
  if (manifest === undefined) return [];
  const { id, measures } = manifest;
  return [{ id, measures, items: countsOf(verifications.at(-1)?.items ?? []) }];
}

/** How much each item holds, by its name; those of which nobody knows are left out. */
function countsOf(items: readonly Item[]): Readonly<Record<string, number>> {
  const known = items.flatMap(({ name, found, expected }) => {
    const count = found ?? expected;
    return count === undefined ? [] : [[name, count] as const];
  });
  return Object.fromEntries(known);
}

function pointOf({ manifest, verifications }: BackupHistory): readonly TrendPoint[] {
  if (manifest === undefined) return [];
  const measured = verifications.findLast(({ objectives }) => objectives.restore !== undefined);
  return [
    {
      ...{ backup: manifest.id, taken: manifest.taken },
      bytes: bytesOf(manifest).bytes,
      rows: manifest.measures.rows,
      restoreSeconds: measured?.objectives.restore,
      verdict: verifications.at(-1)?.verdict,
    },
  ];
}
