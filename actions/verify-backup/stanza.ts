import { storageSettings } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Repository, RepositoryPlace } from "../../shared/postgres-archive/index.ts";
import { storageAccess } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Means } from "./means.ts";
import { settingsOf } from "./physical.ts";
import type { Found } from "./verification.ts";

/** The tools whose repositories only they read, as `kind` names them. */
export type RepositoryKind = "pgbackrest" | "wal-g";

/** Whether it is the storage itself that is verified, as a repository of such a tool. */
export function isRepository(kind: Options["kind"]): kind is RepositoryKind {
  return kind === "pgbackrest" || kind === "wal-g";
}

/**
 * Examines a backup in a repository of pgBackRest or WAL-G, by the tool itself and a server of its own.
 *
 * @param name the stanza, or what the report is to call it.
 */
export async function examineStanza(
  kind: RepositoryKind,
  name: string,
  means: Means,
  world: World,
): Promise<Found> {
  const { options, declared } = means;
  const settings = await settingsOf(options);
  await using repository = await repositoryOf(kind, name, means, world);
  const { chooseSet, examineRepository } = await import("../../shared/postgres-archive/index.ts");
  const backups = await repository.backups(world);
  const set = chooseSet(backups, options.backup, settings.target, repository);
  const known = { database: options.database, ...declared };
  const examination = await examineRepository(
    repository,
    set,
    { known, settings },
    options.tier,
    world,
  );
  return {
    described: {
      ...{ name, backup: set.label, kind },
      subject: `${set.label}, a backup of ${kind === "wal-g" ? "WAL-G" : `pgBackRest's stanza ${name}`}`,
      taken: examination.newest ?? set.stopped,
      ...{ bytes: set.bytes, storedBytes: set.storedBytes },
    },
    ...{ examination, findings: [], unknown: [], evidence: [], earlier: [] },
  };
}

/** @throws {UserError} where the tool cannot reach the storage. */
async function repositoryOf(
  kind: RepositoryKind,
  name: string,
  { options, storage }: Means,
  world: World,
): Promise<Repository> {
  const { pgBackRest, walG } = await import("../../shared/postgres-archive/index.ts");
  const place = await placeOf(kind, options, world);
  if (kind === "wal-g") return await walG({ place, storage });
  return await pgBackRest({ stanza: name, place, passphrase: options.passphrase });
}

async function placeOf(
  kind: RepositoryKind,
  options: Options,
  world: World,
): Promise<RepositoryPlace> {
  const access = await storageAccess(storageSettings(options), world);
  if (access.kind !== "artifact") return access;
  throw new UserError({
    title: "The repository is neither in a folder nor in a bucket",
    cause: `storage is ${options.storage}, and ${kind} reads repositories in folders and buckets only.`,
    remedy: "Give the folder or the bucket that it writes to, s3://bucket/prefix.",
  });
}
