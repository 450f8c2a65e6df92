import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../../../shared/failure/index.ts";
import { diskFull, type RecoveredCluster } from "../../../../shared/postgres-archive/index.ts";
import { postgresSource } from "../../../../shared/postgres-dump/index.ts";
import type { Means } from "../../restored.ts";
import type { SourceDump } from "../dump.ts";
import { type Provided, withFingerprint } from "../restore-postgres.ts";
import type { TargetServer } from "../server.ts";
import { chooseDatabase } from "./choose-database.ts";
import { recoveryFolder } from "./recovery-folder.ts";

/** A database out of a cluster that was recovered, which is gone again. */
export interface DumpedOut extends Provided {
  readonly cluster: Pick<RecoveredCluster, "moment" | "bytes" | "circumstances">;
  readonly unknown: readonly string[];
}

const FILE = "dump.pgdump";

/**
 * Recovers a cluster, dumps the database that is meant into a folder of this machine, in one snapshot
 * with its fingerprint, and ends the cluster: what follows needs the room that it took.
 *
 * @throws {UserError} for what stops it; the target is as it was.
 */
export async function dumpOut(
  recover: () => Promise<RecoveredCluster>,
  { server, folder }: { readonly server: TargetServer; readonly folder: string },
  means: Means,
): Promise<DumpedOut> {
  const { options, world, journal } = means;
  await using cluster = await journal.phase("recover", recover);
  world.log.info(`Recovered: ${cluster.circumstances["recovered to"] ?? ""}`);
  const database = chooseDatabase(cluster.databases, {
    named: options.sourceDatabase,
    target: server.database,
  });
  const dump = await journal.phase("dump", () => dumpedFrom(cluster, database, { folder }, means));
  const unlogged = await cluster.unloggedTables(database);
  const { moment, bytes, circumstances, unknown } = cluster;
  return {
    ...dump,
    cluster: { moment, bytes, circumstances: { ...circumstances, database } },
    unknown: [
      ...unknown,
      ...(unlogged.length === 0
        ? []
        : [
            `Unlogged tables are empty, for no base backup has their rows: ${unlogged.join(", ")}.`,
          ]),
    ],
  };
}

async function dumpedFrom(
  cluster: RecoveredCluster,
  database: string,
  { folder }: { readonly folder: string },
  means: Means,
): Promise<Provided> {
  const { options, world } = means;
  const path = join(folder, FILE);
  const source = postgresSource({
    connection: cluster.connectionTo(database),
    ...{ format: "custom", binaries: recoveryFolder(options), readers: options.jobs },
  });
  const sink = {
    write: async (_: string, content: NodeJS.ReadableStream) =>
      await pipeline(content, createWriteStream(path, { mode: 0o600 })),
  };
  try {
    const { fingerprint, source: facts } = await source.capture(sink, {
      ...world,
      signal: cluster.signal,
    });
    const dump: SourceDump = {
      ...{ id: idOf(cluster), form: "file", excluded: [], path },
      files: [{ name: FILE, open: async () => createReadStream(path) }],
      dumper: Number.parseInt(facts.pg_dump ?? "0", 10) || 0,
    };
    return withFingerprint(dump, fingerprint, means);
  } catch (error) {
    world.signal.throwIfAborted();
    const full = diskFull(cluster.signal.aborted ? cluster.signal.reason : error);
    throw full ?? notDumped(error, database);
  }
}

/** Names the databases beside: by the moment that is restored. */
function idOf({ moment }: RecoveredCluster): string {
  return moment === undefined ? "recovered" : new Date(moment).toISOString();
}

function notDumped(error: unknown, database: string): unknown {
  if (!(error instanceof UserError)) return error;
  const { title, cause, remedy, evidence } = error;
  return new UserError(
    {
      title: `The recovered database could not be dumped: ${title}`,
      cause: `${database}, in the server that recovered it on this machine: ${cause}`,
      remedy: `${remedy} The target was not touched.`,
      ...(evidence !== undefined && { evidence }),
    },
    { reason: error },
  );
}
