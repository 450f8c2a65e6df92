import type { StoredBackup } from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Means, Restored } from "./restored.ts";

/** Restores by the means of the kind, whose code is loaded only then. */
export async function restoreKind(backup: StoredBackup, means: Means): Promise<Restored> {
  const { kind } = backup.manifest;
  switch (kind) {
    case "postgres":
      return await (await import("./postgres/restore-postgres.ts")).restorePostgres(backup, means);
    case "directory":
      return await (await import("./directory/restore-directory.ts")).restoreDirectory(
        backup,
        means,
      );
    case "redis":
      return await (await import("./redis/restore-redis.ts")).restoreRedis(backup, means);
    case "bucket":
      return await (await import("./bucket/restore-bucket.ts")).restoreBucket(backup, means);
    case "opensearch":
    case "elasticsearch":
      return await (await import("./search/restore-search.ts")).restoreSearch(backup, kind, means);
    default:
      throw new UserError({
        title: `A backup of ${kind} is not restored by this action`,
        cause: `${backup.manifest.id} holds ${backup.manifest.subject}.`,
        remedy: "docs/backup-format.md has the commands that restore it by hand.",
      });
  }
}
