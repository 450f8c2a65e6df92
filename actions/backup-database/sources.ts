import type { BackupSource, Kind } from "../../shared/backup/index.ts";
import { connectionSettings, podSettings } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** Opens what is to be backed up; each kind's code is loaded only where it is needed. */
export function sourceOf(kind: Kind, options: Options, world: World): Promise<BackupSource> {
  switch (kind) {
    case "postgres":
      return postgres(options);
    case "redis":
      return redis(options, world);
    default:
      throw unnamed(kind, "./data");
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
  const { source: url, user, password, sourceCa: ca } = options;
  const pod = await podOf(options, world);
  return redisSource({ url, user, password, ca, pod });
}

/** The pod that runs the source, found in its cluster. */
async function podOf(options: Options, world: World) {
  const settings = podSettings(options);
  if (settings === undefined) return undefined;
  const { connect } = await import("../../shared/kubernetes/index.ts");
  const { findPod } = await import("../../shared/place/index.ts");
  const cluster = await connect(settings, world);
  return { cluster, ...(await findPod(cluster, settings)) };
}

function unnamed(kind: Kind, example: string): UserError {
  return new UserError({
    title: `The ${kind} to back up was not named`,
    cause: `kind is ${kind}, and source is not given.`,
    remedy: `Give source, such as ${example}. Nothing was read yet.`,
  });
}
