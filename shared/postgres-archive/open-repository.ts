import { UserError } from "../failure/index.ts";
import { type Storage, type StorageSettings, storageAccess } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { pgBackRest } from "./pgbackrest.ts";
import type { Repository } from "./repository.ts";
import { walG } from "./wal-g.ts";

/** Which repository is meant. */
export interface RepositorySettings {
  readonly kind: "pgbackrest" | "wal-g";
  /** Of pgBackRest. */
  readonly stanza: string;
  /** That it is encrypted with, if it is. */
  readonly passphrase: string | undefined;
  readonly settings: StorageSettings;
  /** The same, opened. */
  readonly storage: Storage;
}

/**
 * Opens the repository of a tool that only the tool reads.
 *
 * @throws {UserError} where the tool cannot reach the storage.
 */
export async function openRepository(
  { kind, stanza, passphrase, settings, storage }: RepositorySettings,
  world: World,
): Promise<Repository> {
  const place = await storageAccess(settings, world);
  if (place.kind === "artifact") {
    throw new UserError({
      title: "The repository is neither in a folder nor in a bucket",
      cause: `storage is ${settings.location}, and ${kind} reads repositories in folders and buckets only.`,
      remedy: "Give the folder or the bucket that it writes to, s3://bucket/prefix.",
    });
  }
  if (kind === "wal-g") return await walG({ place, storage });
  return await pgBackRest({ stanza, place, passphrase });
}
