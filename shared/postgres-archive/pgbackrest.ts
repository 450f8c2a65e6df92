import { createReadStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";
import { readBackupLabel } from "./backup-label.ts";
import { certificateFile } from "./certificates.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import type { Fetch, Fetched } from "./fetch.ts";
import type { Ledger } from "./ledger.ts";
import type { BaseFacts } from "./read-base.ts";
import {
  BrokenSegment,
  type Repository,
  type RepositoryBackup,
  RepositoryFailed,
  type RepositoryPlace,
} from "./repository.ts";
import { parseLsn } from "./segment.ts";
import type { WalFile } from "./wal-archive.ts";

/** Which of pgBackRest's repositories, and how it is opened. */
export interface PgBackRestSettings {
  readonly stanza: string;
  readonly place: RepositoryPlace;
  /** The passphrase of an encrypted one. */
  readonly passphrase?: string | undefined;
}

/** The settings, and the file with the certificates that pgbackrest trusts. */
interface Means extends PgBackRestSettings {
  readonly caFile: string | undefined;
}

interface Info {
  readonly name: string;
  readonly status: { readonly code: number; readonly message: string };
  /** What is wrong with a repository stands here; the status above says "other" then. */
  readonly repo?: readonly { readonly status: { readonly message: string } }[];
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
 * A stanza of a repository of pgBackRest, in a folder or in a bucket.
 *
 * @throws {UserError} where the bucket's server is one that pgbackrest does not speak to.
 */
export async function pgBackRest(settings: PgBackRestSettings): Promise<Repository> {
  const { place } = settings;
  if (place.kind === "s3" && place.endpoint.protocol === "http:") throw plainHttp(place.endpoint);
  const ca = place.kind === "s3" ? await certificateFile(place.ca) : undefined;
  const means: Means = { ...settings, caFile: ca?.path };
  return {
    listing: "pgbackrest info",
    backups: (world) => backupsIn(means, world),
    fetch: (set, world) => fetchSet(means, set, world),
    [Symbol.asyncDispose]: async () => await ca?.[Symbol.asyncDispose](),
  };
}

function fetchSet(means: Means, set: RepositoryBackup, world: World): Fetch {
  return async (folder, unpack, ledger) => {
    await verifyRepository(means, ledger, world);
    if (set.failed)
      ledger.damage(
        "checksum",
        set.label,
        "The server found pages with wrong checksums when it was taken.",
      );
    if (unpack && !ledger.isDamaged) return await restoreSet(means, set, folder, ledger, world);
    return NOTHING;
  };
}

const NOTHING: Fetched = {
  ...{ major: undefined, system: undefined, label: undefined, hasManifest: true },
  ...{ ended: undefined, ownWal: [], archived: [], bytes: 0, files: undefined },
};

function plainHttp({ origin }: URL): UserError {
  return new UserError({
    title: "pgBackRest cannot reach the bucket's server",
    cause: `The endpoint is ${origin}, and pgbackrest speaks to servers of buckets by TLS only.`,
    remedy:
      "Give storage-endpoint as https://, with the server's own authority in storage-ca where it needs one; or mount the repository, and give its folder.",
  });
}

/** The backups of a stanza, oldest first. */
async function backupsIn(repository: Means, world: World): Promise<readonly RepositoryBackup[]> {
  const { stdout } = await run(repository, ["--output=json", "info"], world);
  const info = (JSON.parse(stdout) as Info[]).find(({ name }) => name === repository.stanza);
  const failed = info?.status.code === OTHER ? info.repo?.[0]?.status.message : undefined;
  if (failed !== undefined)
    throw new RepositoryFailed("pgbackrest", firstWords(failed), failed, REMEDY);
  if (info === undefined || info.backup.length === 0) {
    const inBucket = repository.place.kind === "s3" ? "bucket and path" : "folder";
    throw new UserError({
      title: "There is no backup of pgBackRest",
      cause: `The repository ${wordsFor(repository)} has no backup of the stanza ${repository.stanza}: ${info?.status.message ?? "it is empty"}.`,
      remedy: `Check \`storage\`, which is the repository's ${inBucket} (repo1-path), and \`name\`, which is the stanza.`,
    });
  }
  return info.backup.map(({ label, timestamp, info: size, error, lsn, database }) => ({
    ...{ label, stopped: timestamp.stop * 1_000, bytes: size.size },
    ...{ storedBytes: size.repository.size ?? 0, failed: error === true },
    ended: parseLsn(lsn?.stop ?? ""),
    archive: info.archive.find((each) => each.database.id === database.id)?.id ?? "",
  }));
}

/** Has pgbackrest hold every file of the repository to its checksum. */
async function verifyRepository(repository: Means, ledger: Ledger, world: World): Promise<void> {
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
async function restoreSet(
  repository: Means,
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
    ...{ label, hasManifest: true, ended: set.ended, ownWal: [] },
    ...{ bytes: set.bytes, files: undefined },
    archived: await archivedIn(repository, set, folder, world),
  };
}

/** The WAL of the repository; each file is fetched when it is read, which holds it to its checksum. */
async function archivedIn(
  repository: Means,
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
      await segment(repository, [...where, "archive-get", wanted, into], wanted, world);
      const content = createReadStream(into, { highWaterMark: 262_144 });
      content.once("close", () => void rm(into, { force: true }).catch(() => {}));
      return content;
    };
    return [{ name: wanted, modified: time * 1_000, open }];
  });
}

async function segment(
  means: Means,
  args: readonly string[],
  name: string,
  world: World,
): Promise<void> {
  try {
    await run(means, args, world);
  } catch (error) {
    if (!(error instanceof RepositoryFailed)) throw error;
    throw new BrokenSegment(name, `pgbackrest could not fetch it: ${error.said}`);
  }
}

async function run(
  means: Means,
  args: readonly string[],
  { signal, secrets }: World,
): Promise<{ readonly stdout: string }> {
  const { stanza, passphrase } = means;
  const own = ["--no-config", "--log-level-file=off"];
  const level = args.includes("repo-ls")
    ? ["--log-level-console=off"]
    : ["--log-level-console=error"];
  const cipher = passphrase === undefined ? [] : ["--repo1-cipher-type=aes-256-cbc"];
  const which = stanza === "" ? [] : [`--stanza=${stanza}`];
  try {
    return await execute(
      {
        program: "pgbackrest",
        args: [...own, ...level, ...which, ...whereIt(means), ...cipher, ...args],
        environment: {
          PGBACKREST_REPO1_CIPHER_PASS: passphrase,
          ...(await keysOf(means, signal)),
        },
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
    throw new RepositoryFailed("pgbackrest", said.replace(/[.:]$/, ""), evidence, REMEDY);
  }
}

/** The code of a status whose reason stands with the repository. Source: pgBackRest, command/info/info.c. */
const OTHER = 99;

function firstWords(text: string): string {
  return text.trim().split("\n").slice(0, 2).join(" ").slice(0, 300).replace(/[.:]$/, "");
}

const REMEDY =
  "Check `storage`, `name` and `passphrase` against the configuration that the repository is written with.";

/** Source: pgBackRest, "Configuration Reference", repository options. */
function whereIt({ place, caFile }: Means): string[] {
  if (place.kind === "folder") return [`--repo1-path=${place.path}`];
  const { bucket, prefix, endpoint, region, pathStyle } = place;
  return [
    "--repo1-type=s3",
    `--repo1-path=/${prefix.replace(/\/$/, "")}`,
    `--repo1-s3-bucket=${bucket}`,
    `--repo1-s3-endpoint=${endpoint.hostname}`,
    `--repo1-s3-region=${region}`,
    `--repo1-s3-uri-style=${pathStyle ? "path" : "host"}`,
    ...(endpoint.port === "" ? [] : [`--repo1-storage-port=${endpoint.port}`]),
    ...(caFile === undefined ? [] : [`--repo1-storage-ca-file=${caFile}`]),
  ];
}

async function keysOf({ place }: Means, signal: AbortSignal) {
  if (place.kind === "folder") return {};
  const { accessKeyId, secretAccessKey, sessionToken } = await place.keys(signal);
  return {
    PGBACKREST_REPO1_S3_KEY: accessKeyId,
    PGBACKREST_REPO1_S3_KEY_SECRET: secretAccessKey,
    PGBACKREST_REPO1_S3_TOKEN: sessionToken,
  };
}

function wordsFor({ place }: Means): string {
  return place.kind === "folder" ? place.path : `s3://${place.bucket}/${place.prefix}`;
}

function notThere(): UserError {
  return new UserError({
    title: "pgbackrest is not on this machine",
    cause: "A repository of pgBackRest is read by pgbackrest, and that is not on the PATH.",
    remedy:
      "Install it in an earlier step: `sudo apt-get install pgbackrest`, of the version that writes the repository or a later one.",
  });
}
