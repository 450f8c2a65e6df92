import type { BackupSource, Kind } from "../../shared/backup/index.ts";
import { connectionSettings, podOf } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { World } from "../../shared/world/index.ts";
import { folderIn } from "./folder.ts";
import type { Options } from "./inputs.ts";

/** Opens what is to be backed up; each kind's code is loaded only where it is needed. */
export function sourceOf(kind: Kind, options: Options, world: World): Promise<BackupSource> {
  switch (kind) {
    case "postgres":
      return postgres(options);
    case "redis":
      return redis(options, world);
    case "opensearch":
    case "elasticsearch":
      return search(kind, options, world);
    case "directory":
      return directory(options, world);
    case "bucket":
      return bucket(options);
  }
}

async function postgres(options: Options): Promise<BackupSource> {
  const { postgresSource } = await import("../../shared/postgres-dump/index.ts");
  const { schemas, excludeSchemas, tables, excludeTables, excludeTableData } = options;
  const connection = connectionSettings(options.source, options);
  return postgresSource({
    connection: { ...connection },
    ...{ format: options.format, readers: options.jobs },
    jobs: options.format === "directory" ? options.jobs : undefined,
    ...{ schemas, excludeSchemas, tables, excludeTables, excludeTableData },
    lockWaitSeconds: Math.ceil(options.lockTimeout / 1_000),
    mostSecondsBehind: Math.ceil(options.replicaLag / 1_000),
    ...{ heartbeat: options.heartbeat, globals: options.globals, binaries: options.postgresBin },
  });
}

async function redis(options: Options, world: World): Promise<BackupSource> {
  const { redisSource } = await import("../../shared/redis/index.ts");
  const { source: url, user, password, sourceCa: ca, clientCertificate, clientKey } = options;
  const pod = await podOf(options, world);
  return redisSource({ url, user, password, ca, clientCertificate, clientKey, pod });
}

async function search(
  product: "opensearch" | "elasticsearch",
  options: Options,
  world: World,
): Promise<BackupSource> {
  const { searchSource } = await import("../../shared/search-cluster/index.ts");
  const { source: url, user, password, apiKey, sourceCa: ca, indices } = options;
  const { repository, repositorySettings, jobs: readers } = options;
  const pod = await podOf(options, world);
  const access = { product, url, user, password, apiKey, ca, pod };
  return searchSource({ ...access, indices, repository, repositorySettings, readers });
}

async function directory(options: Options, world: World): Promise<BackupSource> {
  const { source = "", exclude } = options;
  if (source === "") throw unnamed("directory", "./data");
  const path = folderIn(source);
  const { directorySource } = await import("../../shared/directory/index.ts");
  const pod = await podOf(options, world);
  if (pod === undefined) return directorySource({ path, exclude });
  const { podPlace } = await import("../../shared/place/index.ts");
  return directorySource({ path, exclude, place: podPlace(pod.cluster, pod, world.secrets) });
}

async function bucket(options: Options): Promise<BackupSource> {
  const { bucketSource } = await import("../../shared/bucket/index.ts");
  const { storage, source: location = "", exclude, versions } = options;
  if (location === "") throw unnamed("bucket", "s3://bucket/prefix");
  const isOwn = options.sourceEndpoint === undefined && storage.startsWith("s3://");
  return bucketSource({
    location,
    endpoint: options.sourceEndpoint ?? (isOwn ? options.storageEndpoint : undefined),
    region: options.sourceRegion ?? (isOwn ? options.storageRegion : undefined),
    pathStyle: options.storagePathStyle,
    accessKeyId: options.sourceAccessKeyId ?? options.storageAccessKeyId,
    secretAccessKey: options.sourceSecretAccessKey ?? options.storageSecretAccessKey,
    sessionToken: options.sourceAccessKeyId === undefined ? options.storageSessionToken : undefined,
    role: options.sourceAccessKeyId === undefined ? options.storageRole : undefined,
    ca: options.sourceCa ?? options.storageCa,
    ...{ exclude, versions },
  });
}

function unnamed(kind: Kind, example: string): UserError {
  return new UserError({
    title: `The ${kind} to back up was not named`,
    cause: `kind is ${kind}, and source is not given.`,
    remedy: `Give source, such as ${example}. Nothing was read yet.`,
  });
}
