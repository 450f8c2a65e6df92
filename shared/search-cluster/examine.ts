import type { OpenedBackup } from "../backup/index.ts";
import type { Examination, Finding, Item, Tier } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { compareIndex } from "./compare.ts";
import { connectTo, type SearchConnection } from "./connection.ts";
import { type IndexFingerprint, type SearchFingerprint, searchFingerprint } from "./fingerprint.ts";
import { judgeSnapshot } from "./judge-snapshot.ts";
import { notRestored, readRestored } from "./read-restored.ts";
import { ensureRepository } from "./repository.ts";
import { removeIndex, removeLeftBehind, restoredName, restoreIndex } from "./restore.ts";
import { ensureRoom } from "./room.ts";
import type { RepositorySettings, SearchAccess } from "./settings.ts";

export interface SnapshotExamineOptions {
  readonly tier: Tier;
  /**
   * The cluster that reads the repository and restores from it: better a throw-away one than the
   * one that was backed up.
   */
  readonly cluster: SearchAccess;
  /** The repository's name there; the one of the backup when left out. */
  readonly repository?: string | undefined;
  /** Registers it there, read-only, where that cluster does not know it. */
  readonly repositorySettings?: RepositorySettings | undefined;
  readonly readers?: number | undefined;
}

/**
 * Judges a backup of indices: the snapshot in its repository, and for `data` and `full` every
 * document, restored under other names, one index at a time, and removed again.
 *
 * @throws {UserError} where the cluster cannot be used or has no room: nothing could be judged.
 */
export async function examineSnapshot(
  backup: OpenedBackup,
  options: SnapshotExamineOptions,
  world: World,
): Promise<Examination> {
  const expected = searchFingerprint(await backup.fingerprint(world.signal));
  await using cluster = await connectTo(options.cluster, world);
  const repository = options.repository ?? expected.repository.name;
  const settings = options.repositorySettings && readOnly(options.repositorySettings);
  const began = world.clock.now();
  await ensureRepository(cluster, repository, settings, world);
  const work = { cluster, repository, expected, options, world, began };
  const integrity = await judgeSnapshot(cluster, repository, expected);
  const isOwn = cluster.clusterUuid === expected.cluster.uuid;
  const circumstances = circumstancesOf(work, isOwn);
  const judged = { unit: "documents", circumstances };
  if (options.tier === "integrity" || !integrity.isThere) {
    const unknown = unknownOf(expected, "integrity", isOwn);
    return {
      ...judged,
      findings: integrity.findings,
      items: itemsOf(expected),
      reached: "integrity",
      unknown,
    };
  }
  const restored = await judgeRestores(work, integrity.sizes);
  return {
    ...judged,
    ...{ findings: [...integrity.findings, ...restored.findings], items: restored.items },
    ...{ reached: options.tier, unknown: unknownOf(expected, options.tier, isOwn) },
    ...{ restoreSeconds: restored.seconds, phases: restored.phases },
  };
}

interface Work {
  readonly cluster: SearchConnection;
  readonly repository: string;
  readonly expected: SearchFingerprint;
  readonly options: SnapshotExamineOptions;
  readonly world: World;
  readonly began: number;
}

/** A cluster that only verifies never writes to the repository. */
function readOnly({ type, settings }: RepositorySettings): RepositorySettings {
  return { type, settings: { ...settings, readonly: true } };
}

function circumstancesOf({ cluster, repository }: Work, isOwn: boolean): Record<string, string> {
  return {
    server: `${cluster.place}`,
    repository,
    "restored on": isOwn
      ? "the cluster that was backed up, under other names, one index at a time"
      : `another cluster, ${cluster.clusterName}`,
  };
}

function itemsOf({ indices }: SearchFingerprint): Item[] {
  return indices.map(({ name, documents, bytes }) => ({
    ...{ name, expected: documents, found: undefined, same: undefined, bytes },
  }));
}

async function judgeRestores(work: Work, sizes: ReadonlyMap<string, number>) {
  const { cluster, expected, world, began } = work;
  await removeLeftBehind(cluster, world);
  const findings: Finding[] = [];
  const items: Item[] = [];
  const phases: { name: string; from: number; to: number }[] = [];
  const since = () => (world.clock.now() - began) / 1_000;
  let seconds = 0;
  for (const index of expected.indices) {
    const bytes = sizes.get(index.name) ?? index.bytes;
    await ensureRoom(cluster, `Index ${index.name}`, bytes);
    const from = since();
    const judged = await judgeIndex(work, index, bytes);
    seconds += judged.seconds;
    findings.push(...judged.findings);
    items.push(judged.item);
    phases.push({ name: `restore ${index.name}`, from, to: from + judged.seconds });
    phases.push({ name: `read ${index.name}`, from: from + judged.seconds, to: since() });
  }
  return { findings, items, phases, seconds };
}

/** Restores, reads and removes one index. */
async function judgeIndex(work: Work, index: IndexFingerprint, bytes: number) {
  const { cluster, repository, expected, options, world } = work;
  const as = restoredName(index.name, world.clock.now());
  const started = world.clock.now();
  const elapsed = () => (world.clock.now() - started) / 1_000;
  try {
    const snapshot = expected.snapshot.name;
    const checked = options.tier === "full";
    const order = { repository, snapshot, index: index.name, bytes, as, checked };
    const trouble = await restoreIndex(cluster, order, world);
    const seconds = elapsed();
    if (trouble !== undefined) return { ...notRestored(index, trouble), seconds };
    const found = await readRestored(cluster, index, as, { readers: options.readers ?? 2, world });
    return { ...compareIndex(index, found), seconds };
  } finally {
    await removeIndex(cluster, as, world);
  }
}

function unknownOf(expected: SearchFingerprint, tier: Tier, isOwn: boolean): string[] {
  const unknown: string[] = [];
  if (tier === "integrity") {
    unknown.push(
      "Whether the snapshot's files can be read and hold every document: that takes the tier data.",
    );
  }
  if (tier === "data") {
    unknown.push(
      "Whether every structure of the index files is sound, beyond what reading each document shows: that takes the tier full.",
    );
  }
  const unread = expected.indices.filter(({ content }) => content === undefined);
  for (const { name } of unread) {
    unknown.push(
      `Whether the documents of ${name} have the content they had: it keeps no _source.`,
    );
  }
  for (const { name, later } of expected.indices) {
    if (later === undefined) continue;
    unknown.push(
      `The content of those documents of ${name} that were written to while the snapshot was taken.`,
    );
  }
  unknown.push(
    "Whether aliases and data streams come back: they are recorded, and never restored by a verification.",
  );
  if (!expected.globalState) {
    unknown.push("Templates, pipelines and settings of the cluster: they are not in the snapshot.");
  }
  if (isOwn)
    unknown.push("Whether another cluster can read the repository: this one wrote it itself.");
  return unknown;
}
