import { postgresSource } from "../../../shared/postgres-dump/index.ts";
import { backUpBefore } from "../backup-before.ts";
import type { Means } from "../restored.ts";
import type { TargetServer } from "./server.ts";

/** Backs up a database that is about to be replaced, where that is wanted; gives the backup's id. */
export async function backUpDatabase(
  { settings, database }: TargetServer,
  means: Means,
): Promise<string | undefined> {
  const source = postgresSource({
    connection: { ...settings, database },
    ...{ format: "custom", binaries: means.options.postgresBin },
  });
  return await backUpBefore(source, means);
}
