import { createReadStream } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { readBackupLabel } from "./backup-label.ts";
import { certificateFile } from "./certificates.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import type { Fetch, Fetched } from "./fetch.ts";
import type { Ledger } from "./ledger.ts";
import {
  BrokenSegment,
  type Repository,
  type RepositoryBackup,
  RepositoryFailed,
  type RepositoryPlace,
} from "./repository.ts";
import { parseLsn } from "./segment.ts";
import type { WalFile } from "./wal-archive.ts";
import { readSentinel } from "./wal-g-sentinel.ts";

/** Where WAL-G keeps its backups; how they are encrypted it is told by the job's environment. */
export interface WalGSettings {
  readonly place: RepositoryPlace;
  /** The same, to list what is there and to read what WAL-G leaves plain. */
  readonly storage: Storage;
}

interface Means extends WalGSettings {
  readonly caFile: string | undefined;
}

/** Values of these are keys. Source: WAL-G, "Encryption". */
const SECRETS = ["WALG_LIBSODIUM_KEY", "WALG_PGP_KEY", "WALG_PGP_KEY_PASSPHRASE"];
/** Names below the folder of archived WAL: a segment or a history, and how it was compressed. */
const ARCHIVED =
  /^wal_005\/([0-9A-F]{24}(?:\.partial)?|[0-9A-F]{8}\.history)(?:\.(?!json$)[a-z0-9]+)?$/;
/** What a server is not to find in a copy, for it would follow it: out, or behind another server. */
const NOT_FOR_A_COPY = ["tablespace_map", "standby.signal", "recovery.signal", "postmaster.pid"];
/** Not of the backup's making: to fetch it once more may go well. */
const NOT_ITS_OWN =
  /no space left|permission denied|AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|RequestError|connection (refused|reset)|no such host|i\/o timeout/i;

/** The backups that WAL-G keeps in a folder or in a bucket. */
export async function walG(settings: WalGSettings): Promise<Repository> {
  const { place } = settings;
  const ca = place.kind === "s3" ? await certificateFile(place.ca) : undefined;
  const means: Means = { ...settings, caFile: ca?.path };
  return {
    listing: "wal-g backup-list",
    backups: (world) => backupsIn(means, world),
    fetch: (set, world) => fetchSet(means, set, world),
    [Symbol.asyncDispose]: async () => await ca?.[Symbol.asyncDispose](),
  };
}

interface Listed {
  readonly backup_name: string;
  /** Older versions tell this one only. */
  readonly time?: string;
  readonly finish_time?: string;
  /** A number, or as PostgreSQL writes it. */
  readonly finish_lsn?: number | string;
  readonly uncompressed_size?: number;
  readonly compressed_size?: number;
}

async function backupsIn(means: Means, world: World): Promise<readonly RepositoryBackup[]> {
  const { stdout } = await run(means, ["backup-list", "--detail", "--json"], world);
  const listed = listedIn(stdout);
  if (listed.length === 0) {
    throw new UserError({
      title: "There is no backup of WAL-G",
      cause: `wal-g knows of no backup in ${means.storage.place}.`,
      remedy:
        "Check `storage`, which is what WALG_FILE_PREFIX or WALG_S3_PREFIX is where the backups are written: the folder around basebackups_005.",
    });
  }
  return listed
    .map((each) => ({
      label: each.backup_name,
      stopped: Date.parse(each.finish_time ?? each.time ?? "") || 0,
      ...{ bytes: each.uncompressed_size ?? 0, storedBytes: each.compressed_size ?? 0 },
      ...{ failed: false, archive: "" },
      ended:
        typeof each.finish_lsn === "number" ? each.finish_lsn : parseLsn(each.finish_lsn ?? ""),
    }))
    .sort((a, b) => a.stopped - b.stopped || (a.label < b.label ? -1 : 1));
}

/** @throws {UserError} where it is no list of backups: this wal-g is one of another database. */
function listedIn(text: string): readonly Listed[] {
  if (text.trim() === "") return [];
  try {
    const listed: unknown = JSON.parse(text);
    if (listed === null) return [];
    if (Array.isArray(listed) && listed.every((each) => typeof each?.backup_name === "string"))
      return listed;
  } catch {
    // Told below.
  }
  throw new UserError({
    title: "wal-g does not list its backups",
    cause:
      "What `wal-g backup-list --detail --json` printed is no list of base backups of PostgreSQL.",
    remedy: "Put wal-g of the build for PostgreSQL on the PATH, version 1.0 or later.",
    evidence: text.slice(0, 2_000),
  });
}

/** Gets a backup with all that it is a difference to. Every file of it is unpacked, at each tier. */
function fetchSet(means: Means, set: RepositoryBackup, world: World): Fetch {
  return async (folder, _unpack, ledger) => {
    ledger.unknown.push(
      "WAL-G keeps no checksums of files: that each could be unpacked is all that is known of the base backup's bytes, where the database has no checksums of its pages.",
    );
    const tablespaces = await readSentinel(means.storage, set.label, ledger, world);
    const fetched = { hasManifest: false, ended: set.ended, ownWal: [], bytes: set.bytes };
    const nothing = { major: undefined, system: undefined, label: undefined, files: undefined };
    if (ledger.isDamaged || !(await unpack(means, set, { folder, tablespaces }, ledger, world)))
      return { ...fetched, ...nothing, archived: [] };
    return {
      ...{ ...fetched, ...(await factsIn(folder, ledger)), files: undefined },
      archived: await archivedIn(means, folder, world),
    };
  };
}

async function unpack(
  means: Means,
  { label }: RepositoryBackup,
  {
    folder,
    tablespaces,
  }: { readonly folder: ClusterFolder; readonly tablespaces: readonly string[] },
  ledger: Ledger,
  world: World,
): Promise<boolean> {
  const spec = await specFor(folder, tablespaces);
  try {
    await run(means, ["backup-fetch", folder.data, label, ...spec], world);
  } catch (error) {
    if (!(error instanceof RepositoryFailed) || NOT_ITS_OWN.test(error.said)) throw error;
    world.log.group("What wal-g said", `${error.evidence}`.split("\n"));
    ledger.damage("restore", label, `wal-g could not fetch it: ${error.said}.`);
    return false;
  }
  for (const name of NOT_FOR_A_COPY) await rm(join(folder.data, name), { force: true });
  await folder.handOver();
  return true;
}

/** Where tablespaces go: unless it is told, they would go where they were at the source. */
async function specFor(folder: ClusterFolder, tablespaces: readonly string[]): Promise<string[]> {
  if (tablespaces.length === 0) return [];
  const places = tablespaces.map((oid) => {
    const place = join(folder.path, folder.place(`pg_tblspc/${oid}`));
    return [oid, { loc: place, link: `pg_tblspc/${oid}` }] as const;
  });
  for (const oid of tablespaces) await folder.folder(`tablespaces/${oid}`);
  const spec = { base_prefix: folder.data, tablespaces, ...Object.fromEntries(places) };
  await folder.put("restore-spec.json", JSON.stringify(spec));
  return [`--restore-spec=${join(folder.path, "restore-spec.json")}`];
}

async function factsIn(
  folder: ClusterFolder,
  ledger: Ledger,
): Promise<Pick<Fetched, "major" | "system" | "label">> {
  const text = (name: string) => readFile(join(folder.data, name), "utf8").catch(() => "");
  const control = await readFile(join(folder.data, "global", "pg_control")).catch(() => undefined);
  const version = Number((await text("PG_VERSION")).trim());
  const label = readBackupLabel(await text("backup_label"));
  if (label === undefined) {
    ledger.damage(
      "members",
      "backup_label",
      "It is missing: nothing says where recovery has to begin.",
    );
  }
  return {
    major: version > 0 ? version : undefined,
    system:
      control === undefined || control.length < 8
        ? undefined
        : control.readBigUInt64LE(0).toString(),
    label,
  };
}

/** The WAL beside the backups; each file is fetched when it is read. */
async function archivedIn(
  means: Means,
  folder: ClusterFolder,
  world: World,
): Promise<readonly WalFile[]> {
  const found: WalFile[] = [];
  for await (const { name, modified } of means.storage.list("wal_005/", world.signal)) {
    const wanted = ARCHIVED.exec(name)?.[1];
    if (wanted === undefined) continue;
    let opened = 0;
    const open = async () => {
      opened += 1;
      const into = join(folder.path, `fetched-${wanted}-${opened}`);
      await segment(means, wanted, into, world);
      const content = createReadStream(into, { highWaterMark: 262_144 });
      content.once("close", () => void rm(into, { force: true }).catch(() => {}));
      return content;
    };
    found.push({ name: wanted, modified, open });
  }
  return found;
}

async function segment(means: Means, name: string, into: string, world: World): Promise<void> {
  try {
    await run(means, ["wal-fetch", name, into], world);
  } catch (error) {
    if (!(error instanceof RepositoryFailed) || NOT_ITS_OWN.test(error.said)) throw error;
    throw new BrokenSegment(name, `wal-g could not fetch it: ${error.said}`);
  }
}

async function run(means: Means, args: readonly string[], { signal, secrets, environment }: World) {
  for (const name of SECRETS) {
    const key = environment[name];
    if (key) secrets.add(key);
  }
  try {
    return await execute(
      {
        program: "wal-g",
        args,
        environment: { ...(await whereIt(means, signal)), WALG_DOWNLOAD_CONCURRENCY: one(args) },
        leashed: true,
      },
      { signal, secrets },
    );
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    if (error.why === "not-found") throw notThere();
    const evidence = `${error.stderrTail}\n${error.stdoutTail}`.trim();
    const said = [...evidence.matchAll(/^(?:ERROR|FATAL):\s*(?:\S+ \S+ )?(.*\S)/gm)].at(-1)?.[1];
    throw new RepositoryFailed(
      "wal-g",
      (said ?? error.message).replace(/[.:]$/, ""),
      evidence,
      REMEDY,
    );
  }
}

const REMEDY =
  "Check `storage`, and that the step's `env` has the keys that WAL-G encrypts with (WALG_LIBSODIUM_KEY, WALG_PGP_KEY_PATH), as where the backups are written.";

/** More than one and wal-fetch fetches segments ahead, which nobody asks for here. */
function one([command]: readonly string[]): string | undefined {
  return command === "wal-fetch" ? "1" : process.env.WALG_DOWNLOAD_CONCURRENCY;
}

/** Source: WAL-G, "Storage configuration". Of the job's own no other place may be taken. */
async function whereIt({ place, caFile }: Means, signal: AbortSignal) {
  const none = { WALE_S3_PREFIX: undefined, WALG_GS_PREFIX: undefined, WALG_AZ_PREFIX: undefined };
  if (place.kind === "folder")
    return { ...none, WALG_S3_PREFIX: undefined, WALG_FILE_PREFIX: place.path };
  const { bucket, prefix, endpoint, region, pathStyle } = place;
  const { accessKeyId, secretAccessKey, sessionToken } = await place.keys(signal);
  return {
    ...{ ...none, WALG_FILE_PREFIX: undefined },
    WALG_S3_PREFIX: `s3://${bucket}/${prefix}`.replace(/\/$/, ""),
    ...{ AWS_ENDPOINT: endpoint.origin, AWS_REGION: region },
    AWS_S3_FORCE_PATH_STYLE: String(pathStyle),
    ...{ AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    ...{ AWS_SESSION_TOKEN: sessionToken, AWS_PROFILE: undefined, AWS_ROLE_ARN: undefined },
    ...(caFile === undefined ? {} : { WALG_S3_CA_CERT_FILE: caFile }),
  };
}

function notThere(): UserError {
  return new UserError({
    title: "wal-g is not on this machine",
    cause: "Backups of WAL-G are read by wal-g, and that is not on the PATH.",
    remedy:
      "Put the build for PostgreSQL on the PATH as `wal-g` in an earlier step, of the version that writes the backups or a later one.",
  });
}
