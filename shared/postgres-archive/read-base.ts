import { createReadStream } from "node:fs";
import { join } from "node:path";
import type { Dump } from "../dump-format/index.ts";
import { UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";
import { type BackupLabel, readBackupLabel } from "./backup-label.ts";
import { type BaseEntry, entriesOf, manifestFile } from "./base-files.ts";
import type { ClusterFolder, NewFile } from "./cluster-folder.ts";
import { fileSum } from "./file-sum.ts";
import type { Ledger } from "./ledger.ts";
import { type BaseManifest, type ManifestFile, readBaseManifest } from "./manifest.ts";
import { type Decrypt, plainContent } from "./plain-content.ts";
import type { Lsn } from "./segment.ts";
import type { WalFile } from "./wal-archive.ts";

/** What a base backup says of itself. */
export interface BaseFacts {
  /** Undefined where it lacks PG_VERSION. */
  readonly major: number | undefined;
  /** The database system's identifier. */
  readonly system: string | undefined;
  readonly label: BackupLabel | undefined;
  /** Whether something holds its files to checksums. */
  readonly hasManifest: boolean;
  /** Where it ended, as far as it says so itself. */
  readonly ended: Lsn | undefined;
  /** The WAL that is in it. */
  readonly ownWal: readonly WalFile[];
  /** Of all files, unpacked. */
  readonly bytes: number;
  readonly files: number | undefined;
}

export interface BaseOptions {
  readonly folder: ClusterFolder;
  /** Whether it is unpacked into the folder, or only read. */
  readonly unpack: boolean;
  readonly decrypt?: Decrypt | undefined;
}

/** Read into memory, up to so much. */
const SMALL = new Set(["PG_VERSION", "backup_label", "global/pg_control", "backup_manifest"]);
const MOST_SMALL_BYTES = 512 * 1_024 * 1_024;
/** What pg_verifybackup leaves out, since servers and people change it afterwards. */
const UNLISTED =
  /^(backup_manifest|postgresql\.auto\.conf|standby\.signal|recovery\.signal|pg_wal\/.*)$/;
/** Replaced by ours, or of no meaning to a copy. */
const LEFT_OUT =
  /^(postgresql\.conf|postgresql\.auto\.conf|pg_hba\.conf|pg_ident\.conf|tablespace_map|postmaster\.(pid|opts)|standby\.signal|recovery\.signal|backup_manifest|core(\.\d+)?)$/;
/** Kept aside, for whoever gets the cluster itself. */
const CONFIGURATION = /^(postgresql\.conf|postgresql\.auto\.conf|pg_hba\.conf|pg_ident\.conf)$/;
const SEGMENT = /^pg_wal\/([0-9A-F]{24}(\.partial)?|[0-9A-F]{8}\.history)$/;

/**
 * Reads a base backup from its first byte to its last, holds every file to the manifest, and
 * unpacks it where that is wanted. What is wrong goes to the ledger.
 *
 * @throws {UserError} where it cannot be read for a reason that is not its own.
 */
export async function readBase(
  base: Dump,
  options: BaseOptions,
  ledger: Ledger,
  world: World,
): Promise<BaseFacts> {
  const run = new BaseRun(base, options, ledger, world);
  return await run.all();
}

class BaseRun {
  readonly #base: Dump;
  readonly #options: BaseOptions;
  readonly #ledger: Ledger;
  readonly #world: World;
  readonly #small = new Map<string, string>();
  readonly #ownWal: WalFile[] = [];
  readonly #seen = new Map<string, Seen>();
  #manifest: BaseManifest | undefined;
  #system: string | undefined;
  #bytes = 0;

  constructor(base: Dump, options: BaseOptions, ledger: Ledger, world: World) {
    this.#base = base;
    this.#options = options;
    this.#ledger = ledger;
    this.#world = world;
  }

  async all(): Promise<BaseFacts> {
    const { signal } = this.#world;
    const file = manifestFile(this.#base);
    await this.#guarded(async () => {
      if (file !== undefined) {
        const bytes: Buffer[] = [];
        for await (const chunk of plainContent(file, { signal, decrypt: this.#options.decrypt }))
          bytes.push(chunk);
        this.#takeManifest(Buffer.concat(bytes).toString("utf8"));
      }
      for await (const entry of entriesOf(this.#base, {
        ...{ signal, decrypt: this.#options.decrypt },
        onFault: (fault) => this.#ledger.add({ tier: "integrity", ...fault }),
      })) {
        await this.#entry(entry);
      }
    });
    const late = this.#small.get("backup_manifest");
    if (this.#manifest === undefined && file === undefined && late !== undefined)
      this.#takeManifest(late);
    this.#holdToManifest(file !== undefined || late !== undefined);
    return this.#facts();
  }

  /** What is broken about the backup is found; what is about the storage is thrown. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#world.signal.throwIfAborted();
      if (!(error instanceof UserError) || error.title !== "Broken dump") throw error;
      const [, subject = "base backup", what = error.message] =
        /^([^:]+): (.*)$/s.exec(error.cause) ?? [];
      this.#ledger.damage("compression", subject, what);
    }
  }

  #takeManifest(text: string): void {
    const manifest = readBaseManifest(text);
    if (typeof manifest !== "string") {
      this.#manifest = manifest;
      return;
    }
    this.#ledger.damage("manifest", "backup_manifest", `It cannot be relied on: ${manifest}.`);
  }

  async #entry(entry: BaseEntry): Promise<void> {
    this.#world.signal.throwIfAborted();
    const { folder, unpack } = this.#options;
    if (!isSafe(entry.path)) {
      this.#ledger.damage("hostile", entry.path, "Its name leads out of the data folder.");
      return;
    }
    if (entry.kind === "link") return;
    if (entry.kind === "folder") {
      if (unpack && !entry.path.startsWith("pg_wal")) await folder.folder(folder.place(entry.path));
      return;
    }
    if (this.#seen.has(entry.path)) {
      this.#ledger.damage("members", entry.path, "It is there twice.");
      return;
    }
    const listed = this.#manifest?.files.get(entry.path);
    const into = await this.#target(entry.path);
    try {
      await this.#read(entry, listed, into);
    } finally {
      await into?.close();
    }
  }

  async #target(path: string): Promise<NewFile | undefined> {
    const { folder, unpack } = this.#options;
    const segment = SEGMENT.exec(path)?.[1];
    if (segment !== undefined) {
      const name = join(folder.path, "own-wal", segment);
      this.#ownWal.push({
        ...{ name: segment, modified: 0 },
        open: async (signal) => createReadStream(name, { signal, highWaterMark: 262_144 }),
      });
      return await folder.create(`own-wal/${segment}`);
    }
    if (!unpack || path.startsWith("pg_wal/")) return undefined;
    if (CONFIGURATION.test(path)) return await folder.create(`configuration/${path}`);
    if (LEFT_OUT.test(path)) return undefined;
    return await folder.create(folder.place(path));
  }

  async #read(
    { path, content }: BaseEntry,
    listed: ManifestFile | undefined,
    into: NewFile | undefined,
  ): Promise<void> {
    // Where the manifest comes last, the checksum that servers take unless told otherwise is made.
    const sum = fileSum(this.#manifest === undefined ? "CRC32C" : listed?.algorithm);
    const kept: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of content()) {
      bytes += chunk.length;
      sum?.take(chunk);
      if (SMALL.has(path) && bytes <= MOST_SMALL_BYTES) kept.push(chunk);
      await into?.write(chunk);
    }
    this.#bytes += bytes;
    this.#seen.set(path, { bytes, sum: sum?.digest() });
    if (path === "global/pg_control") this.#system = systemOf(Buffer.concat(kept));
    else if (kept.length > 0) this.#small.set(path, Buffer.concat(kept).toString("utf8"));
  }

  #holdToManifest(there: boolean): void {
    const manifest = this.#manifest;
    if (manifest === undefined) {
      if (!there) {
        this.#ledger.unknown.push(
          "The base backup has no backup_manifest: whether its files are those that the server sent cannot be known by checksums.",
        );
      }
      return;
    }
    let unsummed = 0;
    for (const [path, listed] of manifest.files) {
      const seen = this.#seen.get(path);
      if (seen === undefined) {
        if (UNLISTED.test(path)) continue;
        this.#ledger.damage("members", path, "The manifest lists it, and it is missing.");
      } else if (seen.bytes !== listed.bytes) {
        this.#ledger.damage(
          "manifest",
          path,
          "It does not have the size that the manifest lists.",
          {
            expected: `${listed.bytes} bytes`,
            found: `${seen.bytes} bytes`,
          },
        );
      } else if (listed.checksum !== undefined && fileSum(listed.algorithm) !== undefined) {
        if (seen.sum !== listed.checksum && (this.#early || listed.algorithm === "CRC32C"))
          this.#differs(path, listed, seen);
        else if (seen.sum !== listed.checksum) unsummed += 1;
      } else unsummed += 1;
    }
    for (const path of this.#seen.keys()) {
      if (manifest.files.has(path) || UNLISTED.test(path)) continue;
      this.#ledger.add({
        ...{ detector: "members", weight: "doubt", subject: path },
        what: "It is in the base backup, and the manifest does not list it.",
      });
    }
    if (unsummed > 0) {
      this.#ledger.unknown.push(
        `The manifest has no checksums that could be checked here for ${unsummed} of ${manifest.files.size} files.`,
      );
    }
  }

  /** Whether the manifest was known before the files were read. */
  get #early(): boolean {
    return manifestFile(this.#base) !== undefined && this.#base.folder;
  }

  #differs(path: string, listed: ManifestFile, seen: Seen): void {
    this.#ledger.damage(
      "manifest",
      path,
      "It does not have the checksum that the manifest lists.",
      {
        expected: `${listed.algorithm} ${listed.checksum}`,
        found: seen.sum,
      },
    );
  }

  #facts(): BaseFacts {
    const version = this.#small.get("PG_VERSION")?.trim() ?? "";
    const text = this.#small.get("backup_label");
    const label = text === undefined ? undefined : readBackupLabel(text);
    const major = /^\d+$/.test(version) ? Number(version) : undefined;
    if (!this.#ledger.isDamaged) this.#missing(major, text, label);
    return {
      ...{ major, label, system: this.#system },
      hasManifest: this.#manifest !== undefined,
      ended: this.#manifest?.ranges.at(-1)?.end,
      ...{ ownWal: this.#ownWal, bytes: this.#bytes, files: this.#seen.size },
    };
  }

  #missing(
    major: number | undefined,
    text: string | undefined,
    label: BackupLabel | undefined,
  ): void {
    if (major === undefined)
      this.#ledger.damage("members", "PG_VERSION", "It is missing: this is no whole base backup.");
    if (this.#system === undefined)
      this.#ledger.damage(
        "members",
        "global/pg_control",
        "It is missing or empty, and without it no server starts.",
      );
    if (text === undefined) {
      this.#ledger.damage(
        "members",
        "backup_label",
        "It is missing: without it nobody knows where recovery has to begin. A copy of a running server's folder is no backup.",
      );
    } else if (label === undefined) {
      this.#ledger.damage(
        "structure",
        "backup_label",
        "It does not say where recovery has to begin.",
      );
    }
  }
}

interface Seen {
  readonly bytes: number;
  readonly sum: string | undefined;
}

function systemOf(control: Buffer): string | undefined {
  return control.length < 8 ? undefined : control.readBigUInt64LE(0).toString();
}

function isSafe(path: string): boolean {
  return !path.startsWith("/") && !path.split("/").some((part) => part === ".." || part === "");
}
