import { createReadStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";
import { readBackupLabel } from "./backup-label.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import type { Ledger } from "./ledger.ts";
import type { BaseFacts } from "./read-base.ts";
import { parseLsn } from "./segment.ts";
import { millisecondsOf, type RecoveryTarget } from "./target.ts";
import type { WalFile } from "./wal-archive.ts";

/** A repository of pgBackRest in a folder of this machine. */
export interface Repository {
  readonly stanza: string;
  readonly folder: string;
  /** The passphrase of an encrypted one. */
  readonly passphrase?: string | undefined;
}

/** A backup in a repository, as `pgbackrest info` tells it. */
export interface RepositoryBackup {
  readonly label: string;
  /** Milliseconds since the Unix epoch. */
  readonly stopped: number;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly failed: boolean;
  readonly archive: string;
  readonly ended: string;
}

interface Info {
  readonly name: string;
  readonly status: { readonly code: number; readonly message: string };
  readonly backup: readonly {
    readonly label: string;
    readonly error?: boolean;
    readonly timestamp: { readonly stop: number };
    readonly info: { readonly size: number; readonly repository: { readonly size?: number } };
    readonly lsn?: { readonly stop: string };
    readonly database: { readonly id: number };
  }[];
  readonly archive: readonly { readonly id: string; readonly database: { readonly id: number } }[];
}

/**
 * The backups of a stanza, oldest first.
 *
 * @throws {UserError} where pgbackrest is not there, or the repository cannot be read by it.
 */
export async function backupsIn(
  repository: Repository,
  world: World,
): Promise<readonly RepositoryBackup[]> {
  const { stdout } = await run(repository, ["--output=json", "info"], world);
  const info = (JSON.parse(stdout) as Info[]).find(({ name }) => name === repository.stanza);
  if (info === undefined || info.backup.length === 0) {
    throw new UserError({
      title: "There is no backup of pgBackRest",
      cause: `The repository ${repository.folder} has no backup of the stanza ${repository.stanza}: ${info?.status.message ?? "it is empty"}.`,
      remedy:
        "Check `storage`, which is the repository's folder (repo1-path), and `name`, which is the stanza.",
    });
  }
  return info.backup.map(({ label, timestamp, info: size, error, lsn, database }) => ({
    ...{ label, stopped: timestamp.stop * 1_000, bytes: size.size },
    ...{ storedBytes: size.repository.size ?? 0, failed: error === true, ended: lsn?.stop ?? "" },
    archive: info.archive.find((each) => each.database.id === database.id)?.id ?? "",
  }));
}

/**
 * The backup that is meant: the newest, or the newest that ended before the point in time.
 *
 * @param which `latest`, or a label or its end.
 * @throws {UserError} where there is none; it names those that there are.
 */
export function chooseSet(
  backups: readonly RepositoryBackup[],
  which: string,
  target: RecoveryTarget | undefined,
): RepositoryBackup {
  const latest = which === "latest" || which === "";
  const one = latest
    ? (backups.findLast(
        ({ stopped }) => target === undefined || stopped <= millisecondsOf(target.time),
      ) ?? backups.at(0))
    : backups.findLast(({ label }) => label.endsWith(which));
  if (one !== undefined) return one;
  throw new UserError({
    title: "There is no such backup",
    cause: `None of the repository's backups is "${which}"; there are ${backups.map(({ label }) => label).join(", ")}.`,
    remedy: "Give `backup` as a label that `pgbackrest info` shows, or `latest`.",
  });
}

/** Has pgbackrest hold every file of the repository to its checksum. */
export async function verifyRepository(
  repository: Repository,
  ledger: Ledger,
  world: World,
): Promise<void> {
  const { stdout } = await run(repository, ["--output=text", "--verbose", "verify"], world);
  if (/^status: ok$/m.test(stdout)) return;
  let subject = repository.stanza;
  const found = ledger.findings.length;
  for (const line of stdout.split("\n")) {
    const named = /^ {2}(?:archiveId|backup): ([^,]+),/.exec(line)?.[1];
    if (named !== undefined) subject = named;
    const counts =
      /missing: (\d+), checksum invalid: (\d+), size invalid: (\d+), other: (\d+)/.exec(line);
    const bad = counts?.slice(1).some((count) => count !== "0") ?? false;
    if (bad)
      ledger.damage(
        "checksum",
        subject,
        `pgbackrest verify finds files of it broken: ${line.trim()}.`,
      );
    else if (/status: invalid/.test(line))
      ledger.damage("checksum", subject, "pgbackrest verify calls it invalid.");
  }
  if (ledger.findings.length > found) return;
  ledger.damage(
    "checksum",
    repository.stanza,
    `pgbackrest verify is not content: ${stdout.trim().split("\n").slice(0, 5).join("; ")}.`,
  );
}

/** Restores a backup into the folder, and tells where its WAL is. */
export async function restoreSet(
  repository: Repository,
  set: RepositoryBackup,
  folder: ClusterFolder,
  ledger: Ledger,
  world: World,
): Promise<BaseFacts & { readonly archived: readonly WalFile[] }> {
  const where = [`--pg1-path=${folder.data}`, `--lock-path=${join(folder.path, "lock")}`];
  const spaces = `--tablespace-map-all=${join(folder.path, "tablespaces")}`;
  const how = [`--set=${set.label}`, "--type=none", spaces];
  try {
    await run(repository, [...where, ...how, "restore"], world);
  } catch (error) {
    if (!(error instanceof RepositoryFailed)) throw error;
    ledger.damage("restore", set.label, `pgbackrest could not restore it: ${error.said}.`);
  }
  await folder.handOver();
  const text = (name: string) => readFile(join(folder.data, name), "utf8").catch(() => "");
  const control = await readFile(join(folder.data, "global", "pg_control")).catch(() => undefined);
  const version = Number((await text("PG_VERSION")).trim());
  const label = readBackupLabel(await text("backup_label"));
  if (label === undefined && !ledger.isDamaged)
    ledger.damage(
      "members",
      "backup_label",
      "It is missing: nothing says where recovery has to begin.",
    );
  return {
    major: version > 0 ? version : undefined,
    system: control === undefined ? undefined : control.readBigUInt64LE(0).toString(),
    ...{ label, hasManifest: true, ended: parseLsn(set.ended), ownWal: [] },
    ...{ bytes: set.bytes, files: undefined },
    archived: await archivedIn(repository, set, folder, world),
  };
}

/** The WAL of the repository; each file is fetched when it is read, which holds it to its checksum. */
async function archivedIn(
  repository: Repository,
  { archive }: RepositoryBackup,
  folder: ClusterFolder,
  world: World,
): Promise<readonly WalFile[]> {
  const listing = [
    "--output=json",
    "--recurse",
    "repo-ls",
    `archive/${repository.stanza}/${archive}`,
  ];
  const { stdout } = await run({ ...repository, stanza: "" }, listing, world);
  const entries = Object.entries(
    JSON.parse(stdout) as Record<string, { type: string; time?: number }>,
  );
  return entries.flatMap(([path, { type, time = 0 }]) => {
    const name = /([0-9A-F]{24}(\.partial)?)-[0-9a-f]{40}|([0-9A-F]{8}\.history)/.exec(path);
    const wanted = name?.[1] ?? name?.[3];
    if (type !== "file" || wanted === undefined) return [];
    let opened = 0;
    const open = async () => {
      opened += 1;
      // A name of its own: the copy before may be removed only when this one is there already.
      const into = join(folder.path, `fetched-${wanted}-${opened}`);
      const where = [`--pg1-path=${folder.data}`, `--lock-path=${join(folder.path, "lock")}`];
      await run(repository, [...where, "archive-get", wanted, into], world);
      const content = createReadStream(into, { highWaterMark: 262_144 });
      content.once("close", () => void rm(into, { force: true }).catch(() => {}));
      return content;
    };
    return [{ name: wanted, modified: time * 1_000, open }];
  });
}

/** pgbackrest ran, and failed. */
export class RepositoryFailed extends UserError {
  readonly said: string;

  constructor(said: string, evidence: string) {
    super({
      title: "pgbackrest failed",
      cause: `pgbackrest said: ${said}.`,
      remedy:
        "Check `storage`, `name` and `passphrase` against the configuration that the repository is written with.",
      evidence,
    });
    this.said = said;
  }
}

async function run(
  { stanza, folder, passphrase }: Repository,
  args: readonly string[],
  { signal, secrets }: World,
): Promise<{ readonly stdout: string }> {
  const own = ["--no-config", `--repo1-path=${folder}`, "--log-level-file=off"];
  const level = args.includes("repo-ls")
    ? ["--log-level-console=off"]
    : ["--log-level-console=error"];
  const cipher = passphrase === undefined ? [] : ["--repo1-cipher-type=aes-256-cbc"];
  const which = stanza === "" ? [] : [`--stanza=${stanza}`];
  try {
    return await execute(
      {
        program: "pgbackrest",
        args: [...own, ...level, ...which, ...cipher, ...args],
        environment: { PGBACKREST_REPO1_CIPHER_PASS: passphrase },
        leashed: true,
      },
      { signal, secrets },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    if (error.why === "not-found") throw notThere();
    const evidence = `${error.stderrTail}\n${error.stdoutTail}`.trim();
    const said = /ERROR: (\[\d+\]: .*)/.exec(evidence)?.[1] ?? error.message;
    throw new RepositoryFailed(said.replace(/\.$/, ""), evidence);
  }
}

function notThere(): UserError {
  return new UserError({
    title: "pgbackrest is not on this machine",
    cause: "A repository of pgBackRest is read by pgbackrest, and that is not on the PATH.",
    remedy:
      "Install it in an earlier step: `sudo apt-get install pgbackrest`, of the version that writes the repository or a later one.",
  });
}
