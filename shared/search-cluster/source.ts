import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import type { BackupSource, Captured, PartSink } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import { countInWords, secondsInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";
import { connectTo, type SearchConnection } from "./connection.ts";
import { bucketsFor, type ContentSums, differing, documentsIn, writeSums } from "./content.ts";
import { sumDocuments } from "./documents.ts";
import type { IndexFingerprint, SearchFingerprint } from "./fingerprint.ts";
import {
  type IndexFacts,
  operationsBetween,
  type Selection,
  selectIndices,
  shardNumbers,
} from "./indices.ts";
import { ensureRepository, type Repository } from "./repository.ts";
import type { SearchSettings } from "./settings.ts";
import { removeSnapshot, type SnapshotInfo, takeSnapshot } from "./snapshot.ts";

const READERS = 2;

/**
 * Indices and data streams of OpenSearch or Elasticsearch as a source of backups: a snapshot in a
 * repository of the cluster, and the proof of what was in it. No document or index is written to.
 *
 * @throws {UserError} where nothing says which cluster or which repository.
 */
export function searchSource(settings: SearchSettings): BackupSource {
  const { product, repository, pod, url } = settings;
  if (!repository) {
    throw new UserError({
      title: "The snapshot repository was not named",
      cause: `A backup of ${product} is a snapshot in a repository of the cluster, and none is named.`,
      remedy: "Give the name of the repository. Nothing was read yet.",
    });
  }
  const where = pod ? `pod ${pod.namespace}/${pod.pod}` : hostOf(url);
  return {
    kind: product,
    subject: `indices of ${where}`,
    async capture(sink, world) {
      await using cluster = await connectTo(settings, world);
      return await captureFrom(cluster, { ...settings, repository }, sink, world);
    },
  };
}

function hostOf(url: string | undefined): string {
  return url !== undefined && URL.canParse(url) ? new URL(url).host : "the cluster";
}

/** An index as it was read before the snapshot and, where it moved, after it. */
interface ReadIndex {
  readonly facts: IndexFacts;
  readonly before: ContentSums | undefined;
  readonly after: ContentSums | undefined;
  readonly operations: number;
}

async function captureFrom(
  cluster: SearchConnection,
  settings: SearchSettings & { readonly repository: string },
  sink: PartSink,
  world: World,
): Promise<Captured> {
  const selection = await selectIndices(cluster, settings.indices ?? []);
  const repository = await ensureRepository(
    cluster,
    settings.repository,
    settings.repositorySettings,
    world,
  );
  const globalState = settings.globalState ?? false;
  const readers = settings.readers ?? READERS;
  const names = selection.indices.map(({ name }) => name);

  const numbers = await shardNumbers(cluster, names);
  const before = await readAll(cluster, selection.indices, readers, world);
  const name = `seaworthy-${stamp(world.clock.now())}-${randomBytes(3).toString("hex")}`;
  const order = { repository: repository.name, name, indices: selection.names, globalState };
  const { info, bytes } = await takeSnapshot(cluster, order, world);
  try {
    checkSame(selection, info);
    const indices = await readMoved(cluster, selection.indices, before, numbers, readers, world);
    const fingerprint: SearchFingerprint = {
      ...{ schema: 1, product: cluster.product, version: cluster.version, globalState },
      templates: await templateNames(cluster),
      cluster: { name: cluster.clusterName, uuid: cluster.clusterUuid },
      repository: { name: repository.name, type: repository.type },
      snapshot: { name, uuid: info.uuid, bytes },
      indices: indices.map(writtenIndex),
      dataStreams: selection.dataStreams,
    };
    await sink.write("snapshot.json", Readable.from([describeSnapshot(fingerprint, info)]));
    const notes = notesFor(cluster, repository, indices, globalState);
    return { ...capturedOf(fingerprint, info), excluded: excludedOf(selection), notes };
  } catch (error) {
    await removeSnapshot(cluster, order, world);
    throw error;
  }
}

function capturedOf(fingerprint: SearchFingerprint, info: SnapshotInfo) {
  const { version, cluster, repository, snapshot, indices } = fingerprint;
  const documents = indices.reduce((all, index) => all + index.documents, 0);
  const shards = info.shards?.total ?? 0;
  return {
    ...{ fingerprint, taken: info.start_time_in_millis },
    source: {
      ...{ server: version, cluster: cluster.name, snapshot: snapshot.name },
      repository: `${repository.name} (${repository.type})`,
    },
    measures: { documents, bytes: snapshot.bytes, indices: indices.length, shards },
  };
}

function excludedOf({ leftOut }: Selection): string[] {
  return leftOut.map((name) => `index ${name}`);
}

function stamp(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replace(/[-:]/g, "").toLowerCase();
}

async function readAll(
  cluster: SearchConnection,
  indices: readonly IndexFacts[],
  readers: number,
  world: World,
): Promise<Map<string, ContentSums>> {
  const sums = new Map<string, ContentSums>();
  const began = world.clock.now();
  const all = indices.reduce((total, { documents }) => total + documents, 0);
  let done = 0;
  let told = began;
  for (const facts of indices.filter(({ hasSources }) => hasSources)) {
    const onDocuments = (documents: number) => {
      done += documents;
      const now = world.clock.now();
      if (now - told < 10_000) return;
      told = now;
      const rate = done / ((now - began) / 1_000);
      const left = secondsInWords(Math.max(0, all - done) / rate);
      const line = `Fingerprint: ${countInWords(done)} of ${countInWords(all)} documents`;
      world.log.info(`${line}, ${countInWords(Math.round(rate))}/s, ${left} left.`);
    };
    sums.set(facts.name, await readOne(cluster, facts, readers, world, onDocuments));
  }
  return sums;
}

/** What was acknowledged can be searched only after a refresh; the snapshot has it anyway. */
async function readOne(
  cluster: SearchConnection,
  facts: IndexFacts,
  readers: number,
  world: World,
  onDocuments?: (documents: number) => void,
): Promise<ContentSums> {
  await cluster.ask("POST", `/${encodeURIComponent(facts.name)}/_refresh`);
  return await sumDocuments(cluster, facts.name, {
    ...{ signal: world.signal, readers, buckets: bucketsFor(facts.documents) },
    bytesPerDocument: (2 * facts.bytes) / Math.max(1, facts.documents),
    ...(onDocuments === undefined ? {} : { onDocuments }),
  });
}

/** Reads again what was written to since the first numbers were asked for. */
async function readMoved(
  cluster: SearchConnection,
  indices: readonly IndexFacts[],
  before: ReadonlyMap<string, ContentSums>,
  numbers: Awaited<ReturnType<typeof shardNumbers>>,
  readers: number,
  world: World,
): Promise<ReadIndex[]> {
  const later = await shardNumbers(
    cluster,
    indices.map(({ name }) => name),
  );
  const read: ReadIndex[] = [];
  for (const facts of indices) {
    const first = before.get(facts.name);
    const moved = operationsBetween(numbers, later, facts.name) > 0;
    const again = moved && first !== undefined;
    const after = again ? await readOne(cluster, facts, readers, world) : first;
    // Those that came while it was read again are between both readings too.
    const last = again ? await shardNumbers(cluster, [facts.name]) : later;
    const operations = operationsBetween(numbers, last, facts.name);
    read.push({ facts, before: first, after, operations });
  }
  return read;
}

/** An index that was made anew while the snapshot was taken is another one than was read. */
function checkSame({ indices }: Selection, info: SnapshotInfo): void {
  const missing = indices.map(({ name }) => name).filter((name) => !info.indices.includes(name));
  if (missing.length === 0) return;
  throw new UserError({
    title: "The snapshot lacks an index",
    cause: `The snapshot ${info.snapshot} does not hold ${missing.join(", ")}: it went away while the backup began.`,
    remedy: "Run this again. The snapshot was removed.",
  });
}

async function templateNames(cluster: SearchConnection): Promise<string[] | undefined> {
  interface Answer {
    readonly index_templates?: readonly { readonly name: string }[];
  }
  const answer = await cluster.find<Answer>("GET", "/_index_template").catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  return answer?.index_templates?.map(({ name }) => name).sort();
}

function writtenIndex({ facts, before, after, operations }: ReadIndex): IndexFingerprint {
  const { name, uuid, shards, bytes, mappings, settings, aliases, arrangement } = facts;
  const isMoved =
    before !== undefined && after !== undefined && differing(before, after).length > 0;
  return {
    ...{ name, uuid, shards, bytes, mappings, settings, aliases, arrangement },
    documents: before === undefined ? facts.documents : documentsIn(before),
    content: before && writeSums(before),
    later: isMoved ? writeSums(after) : undefined,
    operations,
  };
}

/** What whoever restores by hand needs, in words that the cluster's own documentation uses. */
function describeSnapshot(fingerprint: SearchFingerprint, info: SnapshotInfo): string {
  const { product, version, cluster, repository, snapshot, indices, dataStreams } = fingerprint;
  const described = indices.map(({ name, shards, documents, mappings, settings, aliases }) => ({
    ...{ name, shards, documents, mappings, settings, aliases },
  }));
  const all = { product, version, cluster, repository, snapshot, taken: info.start_time_in_millis };
  return `${JSON.stringify({ ...all, indices: described, dataStreams }, null, 2)}\n`;
}

function notesFor(
  cluster: SearchConnection,
  repository: Repository,
  indices: readonly ReadIndex[],
  globalState: boolean,
): string[] {
  const notes = [
    `The documents are in the snapshot repository ${repository.name} of the cluster ${cluster.clusterName}; this backup holds the proof of them.`,
  ];
  if (!globalState)
    notes.push("Templates, pipelines and settings of the cluster are not in the snapshot.");
  const unread = indices
    .filter(({ before }) => before === undefined)
    .map(({ facts }) => facts.name);
  if (unread.length > 0) {
    notes.push(
      `${unread.join(", ")} keep no _source: their documents are counted, and their content is not proven.`,
    );
  }
  const yellow = indices
    .filter(({ facts }) => facts.health === "yellow")
    .map(({ facts }) => facts.name);
  if (yellow.length > 0)
    notes.push(`Replicas of ${yellow.join(", ")} were missing; the primaries were whole.`);
  for (const { facts, before, after, operations } of indices) {
    if (before === undefined || after === undefined) continue;
    const moving = differing(before, after);
    if (moving.length === 0) continue;
    const most = moving.reduce(
      (all, bucket) => all + Math.max(before.counts[bucket] ?? 0, after.counts[bucket] ?? 0),
      0,
    );
    notes.push(
      `Index ${facts.name} had ${operations} changes while the snapshot was taken: the content of up to ${most} documents is held to their number only.`,
    );
  }
  return notes;
}
