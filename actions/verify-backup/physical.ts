import type { ForeignBackup } from "../../shared/backup/index.ts";
import type { Dump, ExamineOptions } from "../../shared/dump-format/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { BaseSettings, WalFile } from "../../shared/postgres-archive/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Means } from "./means.ts";
import { memoryIn } from "./quantity.ts";
import type { Found } from "./verification.ts";

/** Whether a backup of another tool is a base backup of PostgreSQL, by what its files are called. */
export function isPhysical({ folder, files }: Dump, { kind, wal }: Options): boolean {
  if (kind !== "auto") return kind === "base-backup";
  if (wal !== undefined) return true;
  const marks = /^(base\.tar(\.\w+)*|backup_manifest|backup_label)$/;
  return folder
    ? files.some(({ name }) => marks.test(name))
    : /(^|\/)base\.tar(\.\w+)*$/.test(files[0]?.name ?? "");
}

interface PhysicalBackup {
  readonly backup: ForeignBackup;
  readonly dump: Dump;
  readonly reading: { readonly decrypt: NonNullable<ExamineOptions["decrypt"]> };
}

/** Examines a base backup with the WAL that belongs to it. */
export async function examinePhysical(
  { backup, dump, reading }: PhysicalBackup,
  { options, storage, declared }: Means,
  world: World,
): Promise<Found> {
  const { examineBaseBackup } = await import("../../shared/postgres-archive/index.ts");
  const { database } = options;
  const archived =
    options.wal === undefined ? undefined : await archiveIn(storage, options.wal, world);
  const settings = { ...(await settingsOf(options)), decrypt: reading.decrypt };
  const base = { base: dump, archived, database, ...declared };
  const examination = await examineBaseBackup(base, settings, options.tier, world);
  const walBytes = (archived ?? []).reduce((sum, { bytes = 0 }) => sum + bytes, 0);
  return {
    described: {
      ...{ name: options.pattern ?? backup.name, backup: backup.name, kind: "base-backup" },
      subject: `${backup.name}, a base backup${options.wal === undefined ? "" : ` with the WAL of ${options.wal}`}`,
      // What could be lost is what came after the newest WAL.
      taken: examination.newest ?? backup.time,
      ...{ bytes: examination.bytes, storedBytes: backup.bytes + walBytes },
    },
    ...{ examination, findings: [], unknown: [], evidence: [], earlier: [] },
  };
}

/**
 * How a physical backup is recovered, as the inputs have it.
 *
 * @throws {UserError} where the point in time is none, or the server is to be where it cannot be.
 */
export async function settingsOf(options: Options): Promise<BaseSettings> {
  const { parseTarget } = await import("../../shared/postgres-archive/index.ts");
  const { server, timeline } = options;
  if (server === "docker" || server === "job") {
    throw new UserError({
      title: "A base backup is recovered on this machine only",
      cause: `server is ${server}, and a server that recovers a base backup is started from programs of this machine.`,
      remedy:
        "Use `server: local`, and install the server's programs of the same major version in an earlier step.",
    });
  }
  return {
    target: parseTarget(options.pointInTime),
    timeline: timeline === "latest" || timeline === "current" ? timeline : Number(timeline),
    ...{ bin: options.postgresBin, memory: memoryIn(options.memory), time: options.timeLimit },
    ...{ jobs: options.jobs, amcheck: options.amcheck },
  };
}

/** @throws {UserError} where the folder has no files: its name is wrong, or nothing was archived. */
async function archiveIn(
  storage: Storage,
  folder: string,
  { signal }: World,
): Promise<readonly WalFile[]> {
  const prefix =
    folder === "." || folder === "" ? "" : `${folder.replace(/^\.\//, "").replace(/\/+$/, "")}/`;
  const files: WalFile[] = [];
  for await (const { name, bytes, modified } of storage.list(prefix, signal))
    files.push({
      ...{ name, bytes, modified },
      open: (aborted) => storage.read(name, { signal: aborted }),
    });
  if (files.length > 0) return files;
  throw new UserError({
    title: "There is no archived WAL",
    cause: `The folder ${folder} of ${storage.place} has no files.`,
    remedy: "Check `wal`, which is relative to `storage`, and that archive_command writes there.",
  });
}
