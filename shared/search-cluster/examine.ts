import type { OpenedBackup } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import type { Examination, Finding, Item, Tier } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { compareIndex, type RestoredIndex } from "./compare.ts";
import { connectTo, type SearchConnection } from "./connection.ts";
import { sumDocuments } from "./documents.ts";
import {
  expectedContent,
  type IndexFingerprint,
  type SearchFingerprint,
  searchFingerprint,
} from "./fingerprint.ts";
import { ensureRepository } from "./repository.ts";
import { removeIndex, removeLeftBehind, restoredName, restoreIndex } from "./restore.ts";
import { ensureRoom } from "./room.ts";
import type { RepositorySettings, SearchAccess } from "./settings.ts";
import { findSnapshot, type SnapshotStatus, snapshotPath } from "./snapshot.ts";

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
  const integrity = await judgeSnapshot(work);
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

interface SnapshotJudgement {
  readonly findings: readonly Finding[];
  readonly isThere: boolean;
  readonly sizes: ReadonlyMap<string, number>;
}

/** What the repository itself says of the snapshot, held against the fingerprint. */
async function judgeSnapshot({ cluster, repository, expected }: Work): Promise<SnapshotJudgement> {
  const { name, uuid } = expected.snapshot;
  const subject = `snapshot ${name}`;
  const findings: Finding[] = [];
  const find = (detector: string, what: string, wanted?: string, found?: string) =>
    findings.push({
      detector,
      tier: "integrity",
      weight: "damage",
      subject,
      what,
      expected: wanted,
      found,
    });
  const gone = { findings, isThere: false, sizes: new Map<string, number>() };

  const info = await attempt(
    () => findSnapshot(cluster, repository, name),
    (said) => find("snapshot", `The repository ${repository} cannot read it: ${said}`),
  );
  if (info === undefined) {
    if (findings.length === 0) find("snapshot", `The repository ${repository} does not have it.`);
    return gone;
  }
  if (info.uuid !== uuid) find("snapshot", "It is another snapshot of this name.", uuid, info.uuid);
  if (info.state !== "SUCCESS")
    find("snapshot", `Its state is ${info.state}.`, "SUCCESS", info.state);
  const failed = info.shards?.failed ?? 0;
  if (failed > 0)
    find("shards", `${failed} of its ${info.shards?.total} shards failed.`, "0", `${failed}`);
  const missing = expected.indices.filter((index) => !info.indices.includes(index.name));
  for (const index of missing) find("index", `It does not hold index ${index.name}.`, index.name);

  const path = `${snapshotPath(repository, name)}/_status`;
  const status = await attempt(
    () => cluster.ask<{ snapshots: SnapshotStatus[] }>("GET", path),
    (said) => find("shards", `Its shards cannot be read from the repository: ${said}`),
  );
  const [first] = status?.snapshots ?? [];
  if (first !== undefined) {
    const { done, total } = first.shards_stats;
    if (done !== total)
      find("shards", `${done} of its ${total} shards are done.`, `${total}`, `${done}`);
  }
  const bytes = first?.stats?.total?.size_in_bytes;
  if (bytes !== undefined && bytes !== expected.snapshot.bytes) {
    find(
      "size",
      "It does not have the size that it was taken with.",
      `${expected.snapshot.bytes}`,
      `${bytes}`,
    );
  }
  const sizes = Object.entries(first?.indices ?? {}).map(([index, { stats }]): [string, number] => [
    index,
    stats?.total?.size_in_bytes ?? 0,
  ]);
  return { findings, isThere: info.uuid === uuid, sizes: new Map(sizes) };
}

/** What the cluster says when it cannot read a repository is a finding, and no failure of ours. */
async function attempt<T>(
  ask: () => Promise<T>,
  onRefusal: (said: string) => void,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const isRefusal = error instanceof UserError && "status" in error;
    if (!isRefusal || error.status === 401 || error.status === 403) throw error;
    onRefusal(error.cause);
    return undefined;
  }
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
    await ensureRoom(cluster, index.name, bytes);
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
    const found = await readRestored(work, index, as);
    return { ...compareIndex(index, found), seconds };
  } finally {
    await removeIndex(cluster, as, world);
  }
}

function notRestored(index: IndexFingerprint, trouble: string) {
  const what = `It cannot be restored: ${trouble.replace(/\.?$/, ".")}`;
  const finding: Finding = {
    ...{
      detector: "restore",
      tier: "data",
      weight: "damage",
      subject: `index ${index.name}`,
      what,
    },
  };
  const { name, documents, bytes } = index;
  return { findings: [finding], item: { name, expected: documents, found: 0, same: false, bytes } };
}

async function readRestored(
  work: Work,
  index: IndexFingerprint,
  as: string,
): Promise<RestoredIndex> {
  const { cluster, options, world } = work;
  const path = `/${encodeURIComponent(as)}`;
  interface Definition {
    readonly mappings?: unknown;
    readonly settings?: Readonly<Record<string, unknown>>;
  }
  const answer = await cluster.ask<Record<string, Definition>>("GET", `${path}?flat_settings=true`);
  const { count } = await cluster.ask<{ count: number }>("GET", `${path}/_count`);
  const expected = expectedContent(index);
  const content =
    expected &&
    (await sumDocuments(cluster, as, {
      ...{ signal: world.signal, readers: options.readers ?? 2 },
      buckets: expected.before.counts.length,
      bytesPerDocument: (2 * index.bytes) / Math.max(1, index.documents),
    }));
  const { mappings = {}, settings = {} } = answer[as] ?? {};
  return { documents: count, content, mappings, settings };
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
