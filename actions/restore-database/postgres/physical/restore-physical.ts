import type { ForeignBackup } from "../../../../shared/backup/index.ts";
import { recoveryPoint, storageSettings } from "../../../../shared/backup-inputs/index.ts";
import type { Dump } from "../../../../shared/dump-format/index.ts";
import { UserError } from "../../../../shared/failure/index.ts";
import {
  archivedIn,
  chooseSet,
  openRepository,
  type RecoveredCluster,
  type RecoverySettings,
  recoverBaseBackup,
  recoverRepository,
} from "../../../../shared/postgres-archive/index.ts";
import { privateFolder } from "../../../../shared/process/index.ts";
import type { Origin } from "../../origin.ts";
import type { Means, Restored } from "../../restored.ts";
import { restoreInto } from "../restore-postgres.ts";
import { type DumpedOut, dumpOut } from "./dump-out.ts";
import { recoveryFolder } from "./recovery-folder.ts";
import { requireWhole, restoreFolder } from "./restore-folder.ts";
import { openTargetFolder } from "./target-folder.ts";

type Decrypt = NonNullable<RecoverySettings["decrypt"]>;

/** Files of pg_basebackup. */
export interface BaseBackupFiles {
  readonly backup: ForeignBackup;
  readonly dump: Dump;
  readonly decrypt: Decrypt;
}

type Ended = { readonly origin: Origin; readonly restored: Restored };

/** Restores a database out of a base backup with its WAL, as it was at a moment. */
export async function restoreBaseBackup(
  { backup, dump, decrypt }: BaseBackupFiles,
  means: Means,
): Promise<Ended> {
  const { options, storage, world } = means;
  const { wal } = options;
  const settings = { ...(await settingsOf(means)), decrypt };
  const archived = wal === undefined ? undefined : await archivedIn(storage, wal, world.signal);
  const walBytes = (archived ?? []).reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  return await restorePhysical(
    {
      ...{ name: options.pattern ?? backup.name, id: backup.name, kind: "base-backup" },
      subject: `${backup.name}, a base backup${wal === undefined ? "" : ` with the WAL of ${wal}`}`,
      storedBytes: backup.bytes + walBytes,
    },
    (into) => recoverBaseBackup({ base: dump, archived }, { ...settings, ...into }, world),
    means,
  );
}

/** The same out of the repository of a tool, by the tool itself. */
export async function restoreRepository(
  kind: "pgbackrest" | "wal-g",
  means: Means,
): Promise<Ended> {
  const { options, storage, world } = means;
  const name = options.name ?? options.pattern ?? "main";
  const settings = await settingsOf(means);
  await using repository = await openRepository(
    {
      ...{ kind, stanza: name, passphrase: options.passphrase, storage },
      settings: storageSettings(options),
    },
    world,
  );
  const backups = await repository.backups(world);
  const set = chooseSet(backups, options.backup, settings.target, repository);
  return await restorePhysical(
    {
      ...{ name, id: set.label, kind, storedBytes: set.storedBytes },
      subject: `${set.label}, a backup of ${kind === "wal-g" ? "WAL-G" : `pgBackRest's stanza ${name}`}`,
    },
    (into) => recoverRepository(repository, set, { ...settings, ...into }, world),
    means,
  );
}

async function settingsOf({ options }: Means): Promise<RecoverySettings> {
  return { ...(await recoveryPoint(options)), bin: recoveryFolder(options) };
}

async function restorePhysical(
  named: Pick<Origin, "name" | "id" | "kind" | "subject" | "storedBytes">,
  recover: (into: Pick<RecoverySettings, "within" | "owner">) => Promise<RecoveredCluster>,
  means: Means,
): Promise<Ended> {
  const { targetFolder } = means.options;
  if (targetFolder !== undefined) {
    requireWhole(means.options);
    const workspace = means.world.environment.GITHUB_WORKSPACE ?? process.cwd();
    const target = await openTargetFolder(targetFolder, workspace);
    const into = { within: target.path, owner: target.owner };
    const { restored, cluster, unknown } = await restoreFolder(
      () => untouched(() => recover(into)),
      target,
      means,
    );
    return { restored, origin: originOf(named, cluster, unknown) };
  }
  await using staging = await privateFolder("seaworthy-restore-");
  let out: DumpedOut | undefined;
  const restored = await restoreInto(0, means, async (server) => {
    out = await dumpOut(
      () => untouched(() => recover({})),
      { server, folder: staging.path },
      means,
    );
    return out;
  });
  if (out === undefined) throw new Error("restored nothing");
  const { cluster, unknown } = out;
  return { restored, origin: originOf(named, cluster, unknown) };
}

function originOf(
  named: Pick<Origin, "name" | "id" | "kind" | "subject" | "storedBytes">,
  { moment, bytes, circumstances }: Pick<RecoveredCluster, "moment" | "bytes" | "circumstances">,
  unknown: readonly string[],
): Origin {
  return { ...named, moment, bytes, circumstances, findings: [], evidence: [], unknown };
}

/** Whatever stops a recovery, the target was not touched by it. */
async function untouched<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { title, cause, remedy, evidence } = error;
    throw new UserError(
      {
        ...{ title, cause, remedy: `${remedy} The target was not touched.` },
        ...(evidence !== undefined && { evidence }),
      },
      { reason: error },
    );
  }
}
