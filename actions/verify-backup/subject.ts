import {
  BrokenManifest,
  type Catalogue,
  catalogue,
  chooseBackup,
  chooseForeign,
  type ForeignBackup,
  findingOf,
  foreignBackups,
  type Listed,
  openBackup,
  type StoredBackup,
  thawFiles,
} from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Finding } from "../../shared/proof/index.ts";
import type { Storage, StoredObject } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import { isRepository } from "./stanza.ts";

/** What is to be verified. */
export type Subject = OwnSubject | BrokenSubject | ForeignSubject;

/** A backup that backup-database made. */
export interface OwnSubject {
  readonly form: "own";
  readonly series: Catalogue;
  readonly listed: Listed;
  readonly backup: StoredBackup;
}

/** One of which even the manifest cannot be relied on. */
export interface BrokenSubject {
  readonly form: "broken";
  readonly series: Catalogue;
  readonly listed: Listed;
  readonly finding: Finding;
}

/** A backup of another tool, with those like it. */
export interface ForeignSubject {
  readonly form: "foreign";
  readonly all: readonly ForeignBackup[];
  readonly backup: ForeignBackup;
}

/**
 * Finds the backup that is meant: of a series of our own by `name`, of other tools' files by
 * `pattern`.
 *
 * @throws {UserError} where there is none, or it is not clear which is meant.
 */
export async function findSubject(
  options: Options,
  storage: Storage,
  world: World,
): Promise<Subject> {
  const { name, pattern } = options;
  if (isRepository(options.kind)) {
    if (pattern !== undefined) throw noPattern(options.kind);
    const called = name ?? (options.kind === "pgbackrest" ? "main" : "wal-g");
    const backup = { name: called, bytes: 0, time: 0, files: [] };
    return { form: "foreign", all: [], backup };
  }
  if (name !== undefined && pattern !== undefined) throw twoNames();
  if (pattern !== undefined) {
    const all = await foreignBackups(storage, pattern, world.signal);
    const backup = chooseForeign(all, options.backup, pattern);
    await thaw(storage, backup.files, backup.name, options, world);
    return { form: "foreign", all, backup };
  }
  if (name === undefined) throw unnamed();
  if (options.pointInTime !== undefined || options.wal !== undefined) throw noWal();
  const series = await catalogue(storage, name, world.signal);
  const listed = chooseBackup(series, options.backup);
  const own = listed.files.filter((file) => !listed.verifications.includes(file.name));
  await thaw(storage, own, listed.id, options, world);
  const { identity: identities, passphrase } = options;
  try {
    const backup = await openBackup(
      storage,
      { name, id: listed.id },
      { identities, passphrase },
      world,
    );
    return { form: "own", series, listed, backup };
  } catch (error) {
    if (!(error instanceof BrokenManifest)) throw error;
    const finding = findingOf(error);
    if (finding === undefined) throw error;
    return { form: "broken", series, listed, finding };
  }
}

function noPattern(kind: string): UserError {
  return new UserError({
    title: "pattern and kind contradict each other",
    cause: `kind is ${kind}, whose storage is one repository, and pattern stands for files of another tool.`,
    remedy: "Leave pattern out; `backup` chooses one of the repository's backups.",
  });
}

/** @throws {UserError} where something is frozen, and a thaw was not asked for. */
async function thaw(
  storage: Storage,
  files: readonly StoredObject[],
  what: string,
  { thawTier: tier, thawDays: days }: Options,
  world: World,
): Promise<void> {
  const settings = tier === "none" ? undefined : { tier, days };
  await thawFiles(storage, files, { what, settings }, world);
}

function twoNames(): UserError {
  return new UserError({
    title: "name and pattern contradict each other",
    cause:
      "name is a series that backup-database wrote, pattern stands for files of another tool, and both are given.",
    remedy: "Give one of them.",
  });
}

function noWal(): UserError {
  return new UserError({
    title: "There is no WAL to recover by",
    cause:
      "point-in-time and wal are for base backups, which pattern names; what backup-database writes shows one moment only.",
    remedy: "Leave them out, or give pattern in place of name.",
  });
}

function unnamed(): UserError {
  return new UserError({
    title: "The backup to verify was not named",
    cause: "Neither name nor pattern is given.",
    remedy:
      "Give name, the series that backup-database wrote; or pattern, such as papers-*.sql.gz, for files of another tool.",
  });
}
