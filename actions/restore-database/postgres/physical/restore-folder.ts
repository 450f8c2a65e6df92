import { UserError } from "../../../../shared/failure/index.ts";
import type { RecoveredCluster } from "../../../../shared/postgres-archive/index.ts";
import type { Options } from "../../inputs.ts";
import type { Means, Restored } from "../../restored.ts";
import type { TargetFolder } from "./target-folder.ts";

/** What came of a cluster that was handed over. */
export interface HandedOver {
  readonly restored: Restored;
  readonly cluster: Pick<RecoveredCluster, "moment" | "bytes" | "circumstances">;
  readonly unknown: readonly string[];
}

/**
 * Recovers a whole cluster within a folder, proves where it stands, ends its server in good order, and
 * leaves it there to be started.
 */
export async function restoreFolder(
  recover: () => Promise<RecoveredCluster>,
  { path }: TargetFolder,
  { world, journal }: Means,
): Promise<HandedOver> {
  const began = performance.now();
  await using cluster = await journal.phase("recover", recover);
  world.log.info(`Recovered: ${cluster.circumstances["recovered to"] ?? ""}`);
  await journal.phase("hand over", () => cluster.handOver(path));
  const { major, moment, bytes, databases, unknown, circumstances } = cluster;
  world.log.info(
    `Start PostgreSQL ${major} on ${path}; then take a base backup, for it is on a timeline of its own`,
  );
  return {
    cluster: {
      ...{ moment, bytes },
      circumstances: { ...circumstances, databases: databases.join(", ") },
    },
    unknown: [
      ...unknown,
      "It was started on a socket only, by settings of ours: whether its own configuration lets it start on this machine is not known.",
      "Rows were not read one by one.",
    ],
    restored: {
      ...{ target: `folder ${path}`, findings: [], items: [], unit: "rows", unknown: [] },
      restoreSeconds: (performance.now() - began) / 1_000,
      ...{ isSwitched: true, isTouched: true },
      ...{ previousBackup: undefined, previousDatabase: undefined },
    },
  };
}

/** @throws {UserError} where other inputs mean something else than a whole cluster. */
export function requireWhole(options: Options): void {
  const given = Object.entries({
    target: options.target,
    pod: options.pod,
    service: options.service,
    tables: options.tables,
    database: options.database,
    "source-database": options.sourceDatabase,
    replace: options.replace,
  }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return;
  throw new UserError({
    title: "A folder takes the whole cluster",
    cause: `target-folder is given, and ${given.map(([name]) => name).join(", ")} too: these are about one database of a server.`,
    remedy: "Leave out the one or the other. Nothing was changed.",
  });
}
