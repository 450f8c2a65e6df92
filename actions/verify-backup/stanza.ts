import { storageSettings } from "../../shared/backup-inputs/index.ts";
import type { World } from "../../shared/world/index.ts";
import { forPostgres } from "./declared.ts";
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
  const { chooseSet, examineRepository, openRepository } = await import(
    "../../shared/postgres-archive/index.ts"
  );
  await using repository = await openRepository(
    {
      ...{ kind, stanza: name, passphrase: options.passphrase, storage: means.storage },
      settings: storageSettings(options),
    },
    world,
  );
  const backups = await repository.backups(world);
  const set = chooseSet(backups, options.backup, settings.target, repository);
  const known = { database: options.database, ...forPostgres(declared) };
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
