import { type BackupSource, type Captured, type PartSink, readAlong } from "../backup/index.ts";
import { describe, UserError } from "../failure/index.ts";
import { openPortForward } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { type Address, addressOf, placeOf } from "./address.ts";
import { askMasters, type ClusterNode, sameLayout } from "./cluster-nodes.ts";
import { type Access, openRedis } from "./connect.ts";
import { RdbDamage } from "./damage.ts";
import { fingerprintRdb, type RdbReading } from "./fingerprint.ts";
import type { RedisFingerprint, ShardFingerprint } from "./fingerprint-file.ts";
import { ensureSame, ensureWhole, notesOn } from "./preflight.ts";
import { requestSnapshot, type Snapshot } from "./replication.ts";
import { RedisRefusal, type RespConnection } from "./resp.ts";
import { askFacts, type ServerFacts } from "./server-facts.ts";
import type { RedisSettings } from "./settings.ts";

/** Commands of this backup between the two times that it asks for facts, and what they entail. */
const OWN_COMMANDS = 16;
const MOST_AT_ONCE = 4;

/**
 * A Redis or Valkey server, or every master of a cluster, as a source of backups: snapshots over
 * replication, as a new replica gets them. Nothing is written to the server.
 *
 * @throws {UserError} where the address cannot be used.
 */
export function redisSource(settings: RedisSettings): BackupSource {
  const address = addressOf(settings);
  const subject =
    settings.pod === undefined
      ? placeOf(address)
      : `pod ${settings.pod.namespace}/${settings.pod.pod}`;
  return {
    kind: "redis",
    subject: `Redis at ${subject}`,
    async capture(sink, world) {
      if (address.password !== undefined) world.secrets.add(address.password);
      const { pod } = settings;
      if (pod === undefined) return await captureAll(sink, world, address, { ...settings });
      const { namespace, pod: name, cluster } = pod;
      const tunnel = await openPortForward(
        cluster,
        { namespace, pod: name, port: address.port },
        world.signal,
      );
      const access = {
        ...settings,
        subject,
        serverName: address.host,
        trouble: () => tunnel.lastError(),
      };
      const near = { ...address, host: tunnel.host, port: tunnel.port, socket: undefined };
      try {
        return await captureAll(sink, world, near, access, true);
      } finally {
        await tunnel.close();
      }
    },
  };
}

/** A server to take a snapshot of, and the part that it becomes. */
interface Shard {
  readonly part: string;
  readonly address: Address;
  readonly subject: string;
  readonly slots: ClusterNode["slots"] | undefined;
}

async function captureAll(
  sink: PartSink,
  world: World,
  address: Address,
  access: Access,
  tunnelled = false,
): Promise<Captured> {
  const { signal } = world;
  const subject = access.subject ?? placeOf(address);
  const first = await openRedis(address, access, signal);
  let facts: ServerFacts;
  let nodes: readonly ClusterNode[] | undefined;
  try {
    facts = await factsOf(first, subject);
    if (facts.mode === "sentinel") throw await sentinel(first, subject);
    if (facts.mode === "cluster") nodes = await askMasters(first, address.host, subject);
  } finally {
    first.close();
  }
  if (tunnelled && (nodes?.length ?? 0) > 1) throw clusterBehindTunnel(subject);
  const shards = nodes?.length
    ? nodes.map((node, index) => shardOf(node, index, tunnelled ? address : undefined, address))
    : [{ part: "dump.rdb", address, subject, slots: undefined }];
  const taken = world.clock.now();
  const captures = await inLanes(shards, world, (shard, inner) =>
    captureShard(
      sink,
      shard,
      shards.length === 1 ? access : { ...access, subject: undefined },
      inner,
    ),
  );
  if (nodes !== undefined) await ensureSameLayout(nodes, address, access, signal);
  return captured(captures, facts, taken);
}

function shardOf(
  node: ClusterNode,
  index: number,
  tunnel: Address | undefined,
  address: Address,
): Shard {
  const at = tunnel ?? { ...address, host: node.host, port: node.port, socket: undefined };
  return {
    part: `shard-${String(index + 1).padStart(4, "0")}.rdb`,
    address: at,
    subject: `${node.host}:${node.port}`,
    slots: node.slots,
  };
}

/** Some shards at once; the first that fails ends the others. */
async function inLanes<T>(
  shards: readonly Shard[],
  world: World,
  work: (shard: Shard, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([world.signal, stop.signal]);
  const results: T[] = [];
  let next = 0;
  let first: { readonly error: unknown } | undefined;
  const lane = async () => {
    for (let index = next++; index < shards.length; index = next++) {
      const shard = shards[index];
      if (shard !== undefined) results[index] = await work(shard, signal);
    }
  };
  const lanes = Array.from({ length: Math.min(MOST_AT_ONCE, shards.length) }, () =>
    lane().catch((error: unknown) => {
      first ??= { error };
      stop.abort(error);
    }),
  );
  await Promise.all(lanes);
  world.signal.throwIfAborted();
  if (first !== undefined) throw first.error;
  return results;
}

interface ShardCapture {
  readonly shard: Shard;
  readonly reading: RdbReading;
  readonly before: ServerFacts;
  readonly after: ServerFacts;
  readonly position: Snapshot["position"];
  readonly viaFile: boolean;
}

async function captureShard(
  sink: PartSink,
  shard: Shard,
  access: Access,
  signal: AbortSignal,
): Promise<ShardCapture> {
  const { address, subject } = shard;
  const redis = await openRedis(address, access, signal);
  try {
    const before = await factsOf(redis, subject);
    ensureWhole(before, subject);
    const snapshot = await requestSnapshot(redis, subject);
    const stream = explained(snapshot.content, subject, signal);
    const { content, result } = readAlong(stream, (chunks) => readSnapshot(chunks, subject));
    await sink.write(shard.part, content);
    const reading = await result;
    const again = await openRedis(address, access, signal);
    try {
      const after = await factsOf(again, subject);
      ensureSame(before, after, keysOf(reading), { subject, own: OWN_COMMANDS });
      const viaFile = snapshot.bytes !== undefined;
      return { shard, reading, before, after, position: snapshot.position, viaFile };
    } finally {
      again.close();
    }
  } finally {
    redis.close();
  }
}

function keysOf({ fingerprint }: RdbReading): ReadonlyMap<number, number> | undefined {
  if (!fingerprint.whole) return undefined;
  return new Map(fingerprint.databases.map(({ database, keys }) => [database, keys]));
}

async function factsOf(redis: RespConnection, subject: string): Promise<ServerFacts> {
  try {
    return await askFacts(redis);
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw lost(error, subject);
    throw new UserError({
      title: `Redis at ${subject} tells nothing of itself`,
      cause: `It says: ${error.message}`,
      remedy:
        "Allow that user the command info: ACL SETUSER <user> +ping +info +replconf +psync +sync.",
    });
  }
}

async function readSnapshot(chunks: AsyncIterable<Buffer>, subject: string): Promise<RdbReading> {
  try {
    return await fingerprintRdb(chunks);
  } catch (error) {
    if (!(error instanceof RdbDamage)) throw error;
    throw new UserError({
      title: `Redis at ${subject} sent a snapshot that is not sound`,
      cause: `${error.message}.`,
      remedy:
        "Run this again. If it happens again, the server's own data may be damaged: see its log, and check its dump.rdb by redis-check-rdb.",
    });
  }
}

async function* explained(
  chunks: AsyncIterable<Buffer>,
  subject: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    signal.throwIfAborted();
    throw lost(error, subject);
  }
}

function lost(error: unknown, subject: string): UserError {
  if (error instanceof UserError) return error;
  return new UserError(
    {
      title: `Redis at ${subject} was lost in the middle of the backup`,
      cause: `The connection broke: ${describe(error)}.`,
      remedy:
        "See the server's log for why: it was stopped, lacked memory, or the backup was too slow for its client-output-buffer-limit of replicas. Then run this again.",
    },
    { reason: error },
  );
}

async function sentinel(redis: RespConnection, subject: string): Promise<UserError> {
  const reply = await redis.ask("SENTINEL", "MASTERS").catch(() => null);
  const masters = (Array.isArray(reply) ? reply : []).map((fields: unknown) => {
    const [, name, , host, , port] = (Array.isArray(fields) ? fields : []).map(String);
    return `${name} at ${host}:${port}`;
  });
  return new UserError({
    title: `A Sentinel is at ${subject}, and no Redis with data`,
    cause: masters.length > 0 ? `It watches ${masters.join(", ")}.` : "It watches no master.",
    remedy: "Give the address of a Redis that it watches.",
  });
}

function clusterBehindTunnel(subject: string): UserError {
  return new UserError({
    title: `Redis in ${subject} is one of a cluster's several masters`,
    cause:
      "Through a pod only that pod's own keys can be reached, which are a part of the cluster's.",
    remedy:
      "Run this where the cluster's nodes can be reached, and give a node's address as source.",
  });
}

async function ensureSameLayout(
  before: readonly ClusterNode[],
  address: Address,
  access: Access,
  signal: AbortSignal,
): Promise<void> {
  const subject = access.subject ?? placeOf(address);
  const redis = await openRedis(address, access, signal);
  try {
    if (sameLayout(before, await askMasters(redis, address.host, subject))) return;
  } finally {
    redis.close();
  }
  throw new UserError({
    title: `The cluster at ${subject} changed while it was backed up`,
    cause:
      "Slots went from one master to another, so that keys may be in two parts of the backup or in none.",
    remedy: "Run this again when the cluster is not being rebalanced and no failover is under way.",
  });
}

function captured(captures: readonly ShardCapture[], facts: ServerFacts, taken: number): Captured {
  const fingerprint: RedisFingerprint = {
    schema: 1,
    kind: "redis",
    shards: captures.map(shardFingerprint),
  };
  const sum = (of: (shard: ShardFingerprint) => number) =>
    fingerprint.shards.reduce((total, shard) => total + of(shard), 0);
  const shards = captures.length > 1 ? { shards: String(captures.length) } : {};
  return {
    fingerprint,
    source: {
      server: `${facts.product === "valkey" ? "Valkey" : "Redis"} ${facts.version}`,
      role: facts.role,
      "rdb version": [...new Set(captures.map(({ reading }) => reading.version))].join(", "),
      "run id": facts.runId,
      ...shards,
    },
    taken,
    measures: {
      keys: sum(({ databases }) => databases.reduce((total, { keys }) => total + keys, 0)),
      bytes: sum(({ bytes }) => bytes),
      databases: new Set(
        fingerprint.shards.flatMap(({ databases }) => databases.map(({ database }) => database)),
      ).size,
    },
    excluded: [],
    notes: captures.flatMap(notesOf),
  };
}

function shardFingerprint({
  shard,
  reading,
  before,
  after,
  position,
}: ShardCapture): ShardFingerprint {
  return {
    part: shard.part,
    node: shard.subject,
    ...(shard.slots === undefined ? {} : { slots: shard.slots }),
    ...reading.fingerprint,
    format: reading.format,
    version: reading.version,
    bytes: reading.bytes,
    modules: reading.modules,
    server: {
      version: before.version,
      product: before.product,
      role: before.role,
      runId: before.runId,
      ...(position === undefined ? {} : { replication: position }),
      keysBefore: [...before.keys],
      keysAfter: [...after.keys],
    },
  };
}

function notesOf({ shard, reading, before, after, viaFile }: ShardCapture): string[] {
  const notes = notesOn(before, after, shard.subject);
  if (viaFile) {
    notes.push(
      `The server wrote its own dump file first, as it does for every replica while repl-diskless-sync is off (${shard.subject}).`,
    );
  }
  if (reading.modules.length > 0) {
    notes.push(
      `It holds data of the modules ${reading.modules.join(", ")}, which only a server with them can load.`,
    );
  }
  if (reading.opaque !== undefined)
    notes.push(`It holds ${reading.opaque}; those were not looked into.`);
  return notes;
}
