import {
  type BackupManifest,
  examineSeal,
  findingOf,
  type OpenedBackup,
  type StoredBackup,
} from "../../shared/backup/index.ts";
import { storageSettings } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { ServerAhead } from "../../shared/postgres-restore/index.ts";
import type { Evidence, Examination, Finding } from "../../shared/proof/index.ts";
import { openStorage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import { Attempt } from "./attempt.ts";
import { copiesFor } from "./copies.ts";
import type { Options } from "./inputs.ts";
import type { Means } from "./means.ts";
import { majorIn, postgresAhead, postgresDump, provePostgres } from "./postgres.ts";
import { redisOptions } from "./redis.ts";

/** What came of a backup of our own, seal and contents. */
export interface Examined {
  readonly examination: Examination;
  readonly findings: readonly Finding[];
  readonly unknown: readonly string[];
  readonly evidence: readonly Evidence[];
}

/**
 * Examines a backup of our own: first every byte against the manifest and its signature, then what
 * the bytes mean, as far as the tier goes. What is not as it was written is not restored.
 */
export async function examineOwn(
  backup: StoredBackup,
  means: Means,
  world: World,
): Promise<Examined> {
  const { verifier, options } = means;
  await using ahead = await postgresAhead(backup.manifest, options, world);
  await using copies = await copiesFor(backup, options, world);
  const contents = (from: OpenedBackup) => examineKind(from, { ...means, ahead }, world);
  const began = world.clock.now();
  // What is not restored may be looked into while its bytes are held against their sums.
  const early = isRestored(backup.manifest, options) ? undefined : new Attempt(contents, world);
  const seal = await examineSeal(
    backup,
    { verifier, watch: copies?.watch, read: early?.read },
    world,
  );
  const seconds = (world.clock.now() - began) / 1_000;
  if (seal.findings.some(({ weight }) => weight === "damage"))
    return { ...seal, examination: stopped(options) };
  const examination = await (early?.result() ?? contents(copies?.backup ?? backup)).catch(
    asExamination(options),
  );
  return { ...seal, examination: early === undefined ? behind(seconds, examination) : examination };
}

/** Whether what a backup holds is put somewhere: nothing is that was not proven whole before. */
function isRestored({ kind }: BackupManifest, { tier }: Options): boolean {
  return tier === "full" || (tier === "data" && kind !== "directory" && kind !== "bucket");
}

/** The examination's phases, with what went before them. */
function behind(seconds: number, examination: Examination): Examination {
  const { phases } = examination;
  if (phases === undefined) return examination;
  const later = phases.map(({ name, from, to }) => ({
    ...{ name, from: from + seconds, to: to + seconds },
  }));
  const first = { name: "reading what is stored", from: 0, to: seconds };
  return { ...examination, phases: [first, ...later] };
}

function stopped({ tier }: Options): Examination {
  const unknown =
    tier === "integrity"
      ? []
      : ["It was not restored, for what is stored is not what was written."];
  return { findings: [], items: [], unit: "rows", reached: "integrity", unknown };
}

/** What breaks while it is read again is the backup's fault, not the step's. */
function asExamination(options: Options) {
  return (error: unknown): Examination => {
    const finding = findingOf(error);
    if (finding === undefined) throw error;
    return { ...stopped(options), findings: [finding] };
  };
}

/** By what it is examined, and what has been begun meanwhile. */
type Beginning = Means & { readonly ahead: ServerAhead | undefined };

async function examineKind(
  backup: OpenedBackup,
  means: Beginning,
  world: World,
): Promise<Examination> {
  const { options } = means;
  const { kind } = backup.manifest;
  switch (kind) {
    case "postgres":
      return await postgres(backup, means, world);
    case "redis":
      return await redis(backup, means, world);
    case "directory":
      return await directory(backup, options, world);
    case "opensearch":
    case "elasticsearch":
      return await search(backup, kind, options, world);
    case "bucket":
      return await bucket(backup, options, world);
  }
}

async function postgres(
  backup: OpenedBackup,
  means: Beginning,
  world: World,
): Promise<Examination> {
  const { readFingerprint } = await import("../../shared/postgres-fingerprint/index.ts");
  const fingerprint = readFingerprint(await backup.fingerprint(world.signal));
  return await provePostgres(
    { dump: postgresDump(backup), fingerprint },
    { major: majorIn(backup.manifest.source), ahead: means.ahead },
    means,
    world,
  );
}

async function redis(
  backup: OpenedBackup,
  { options, declared }: Means,
  world: World,
): Promise<Examination> {
  const { examineRedis } = await import("../../shared/redis/index.ts");
  return await examineRedis(backup, redisOptions(options, declared), world);
}

async function directory(
  backup: OpenedBackup,
  { tier }: Options,
  world: World,
): Promise<Examination> {
  const { examineDirectory } = await import("../../shared/directory/index.ts");
  return await examineDirectory(backup, { tier }, world);
}

async function search(
  backup: OpenedBackup,
  product: "opensearch" | "elasticsearch",
  options: Options,
  world: World,
): Promise<Examination> {
  const { restoreTo: url, restoreUser: user, restorePassword: password } = options;
  if (url === undefined) throw noCluster(product);
  const { examineSnapshot } = await import("../../shared/search-cluster/index.ts");
  const cluster = { product, url, user, password };
  return await examineSnapshot(
    backup,
    { tier: options.tier, cluster, readers: options.jobs },
    world,
  );
}

async function bucket(backup: OpenedBackup, options: Options, world: World): Promise<Examination> {
  const { tier, restoreTo: location } = options;
  const { examineBucket } = await import("../../shared/bucket/index.ts");
  if (location === undefined || tier !== "full")
    return await examineBucket(backup, { tier }, world);
  const settings = { ...storageSettings(options), location, create: true };
  const scratch = await openStorage(settings, world);
  return await examineBucket(backup, { tier, scratch }, world);
}

function noCluster(product: string): UserError {
  return new UserError({
    title: "There is no cluster to look at the snapshot with",
    cause: `A snapshot of ${product} can be read by a cluster only, and restore-to is not given.`,
    remedy:
      "Give restore-to, the address of a cluster that knows the snapshot's repository; better a small one of its own than the one that was backed up.",
  });
}
