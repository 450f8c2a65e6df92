import type { ForeignBackup } from "../../shared/backup/index.ts";
import { recoveryPoint } from "../../shared/backup-inputs/index.ts";
import type { Dump, ExamineOptions } from "../../shared/dump-format/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { BaseSettings } from "../../shared/postgres-archive/index.ts";
import type { World } from "../../shared/world/index.ts";
import { forPostgres } from "./declared.ts";
import type { Options } from "./inputs.ts";
import type { Means } from "./means.ts";
import type { Found } from "./verification.ts";

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
  const { archivedIn, examineBaseBackup } = await import("../../shared/postgres-archive/index.ts");
  const { database } = options;
  const archived =
    options.wal === undefined ? undefined : await archivedIn(storage, options.wal, world.signal);
  const settings = { ...(await settingsOf(options)), decrypt: reading.decrypt };
  const base = { base: dump, archived, database, ...forPostgres(declared) };
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
  const { server } = options;
  if (server === "docker" || server === "job") {
    throw new UserError({
      title: "A base backup is recovered on this machine only",
      cause: `server is ${server}, and a server that recovers a base backup is started from programs of this machine.`,
      remedy:
        "Use `server: local`, and install the server's programs of the same major version in an earlier step.",
    });
  }
  return {
    ...(await recoveryPoint(options)),
    ...{ bin: options.postgresBin, memory: options.memory, time: options.timeLimit },
    ...{ jobs: options.jobs, amcheck: options.amcheck },
  };
}
