import {
  chmod,
  chown,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf } from "../failure/index.ts";
import type { Isolation } from "../isolation/index.ts";
import { type PrivateFolder, privateFolder } from "../process/index.ts";

/** What a server makes once and expects for ever; object storage keeps no empty folders. */
const FOLDERS = [
  ...[
    "base",
    "global",
    "pg_commit_ts",
    "pg_dynshmem",
    "pg_logical/mappings",
    "pg_logical/snapshots",
  ],
  ...["pg_multixact/members", "pg_multixact/offsets", "pg_notify", "pg_replslot", "pg_serial"],
  ...[
    "pg_snapshots",
    "pg_stat",
    "pg_stat_tmp",
    "pg_subtrans",
    "pg_tblspc",
    "pg_twophase",
    "pg_wal",
  ],
  ...["pg_wal/archive_status", "pg_wal/summaries", "pg_xact"],
];

/**
 * A private folder for a copy of a database cluster and its WAL; it goes when it is disposed of, and
 * with this process. `data` is the data folder, `wal` what recovery reads, `own-wal` the segments
 * that the base backup has in it.
 */
export class ClusterFolder implements AsyncDisposable {
  readonly path: string;
  readonly #user: Isolation["user"];
  readonly #folder: PrivateFolder;
  readonly #made = new Set<string>();
  readonly #tablespaces = new Set<string>();

  private constructor(folder: PrivateFolder, user: Isolation["user"]) {
    this.path = folder.path;
    this.#folder = folder;
    this.#user = user;
  }

  static async make(within: string | undefined, user: Isolation["user"]): Promise<ClusterFolder> {
    const folder = new ClusterFolder(await privateFolder("seaworthy-pg-", within), user);
    await folder.#own(folder.path);
    for (const name of ["data", "wal", "own-wal", "tablespaces"]) await folder.folder(name);
    return folder;
  }

  get data(): string {
    return join(this.path, "data");
  }

  get wal(): string {
    return join(this.path, "wal");
  }

  /** Where a file of the data folder lies: tablespaces beside it. */
  place(path: string): string {
    const [, oid, rest] = /^pg_tblspc\/(\d+)(?:\/(.*))?$/.exec(path) ?? [];
    if (oid === undefined) return `data/${path}`;
    this.#tablespaces.add(oid);
    return rest === undefined ? `tablespaces/${oid}` : `tablespaces/${oid}/${rest}`;
  }

  /** Makes a folder with those that it lies in. */
  async folder(name: string): Promise<void> {
    if (this.#made.has(name) || name === "." || name === "") return;
    await this.folder(dirname(name));
    this.#made.add(name);
    await mkdir(join(this.path, name), { recursive: true, mode: 0o700 });
    await this.#own(join(this.path, name));
  }

  /** Opens a new file for writing, for its user alone. */
  async create(name: string): Promise<NewFile> {
    await this.folder(dirname(name));
    const file = await open(join(this.path, name), "wx", 0o600);
    if (this.#user !== undefined) await file.chown(this.#user.uid, this.#user.gid);
    return {
      write: async (bytes) => {
        for (let at = 0; at < bytes.length; )
          at += (await file.write(bytes, at, bytes.length - at)).bytesWritten;
      },
      fill: (bytes) => file.truncate(bytes),
      close: () => file.close(),
    };
  }

  /** Replaces a file. */
  async put(name: string, text: string): Promise<void> {
    await this.folder(dirname(name));
    const path = join(this.path, name);
    await rm(path, { recursive: true, force: true });
    await writeFile(path, text, { mode: 0o600, flag: "wx" });
    await this.#own(path);
  }

  /** Makes what a server wants to find: empty folders, and links to the tablespaces. */
  async furnish(): Promise<void> {
    for (const name of FOLDERS) await this.folder(`data/${name}`);
    for (const oid of this.#tablespaces) {
      await this.folder(`tablespaces/${oid}`);
      const link = join(this.data, "pg_tblspc", oid);
      await rm(link, { recursive: true, force: true });
      await symlink(join(this.path, "tablespaces", oid), link);
    }
    await chmod(this.data, 0o700);
  }

  /** Puts the cluster's own configuration aside, which ours takes the place of. */
  async putConfigurationAside(): Promise<void> {
    await this.folder("configuration");
    for (const name of CONFIGURATION) {
      const from = join(this.data, name);
      const to = join(this.path, "configuration", name);
      await rename(from, to).catch(unlessMissing);
    }
  }

  /**
   * Moves the data folder's contents, with the cluster's own configuration, into another folder of
   * the same disk, and tablespaces into one beside that. What a server cannot start without comes last.
   */
  async moveInto(folder: string): Promise<void> {
    await this.#moveTablespaces(`${folder}-tablespaces`);
    for (const name of CONFIGURATION) {
      const from = join(this.path, "configuration", name);
      await rm(join(this.data, name), { force: true });
      await rename(from, join(this.data, name)).catch(unlessMissing);
    }
    const last = "PG_VERSION";
    const names = (await readdir(this.data)).filter((name) => name !== last);
    for (const name of [...names, last]) await rename(join(this.data, name), join(folder, name));
  }

  async #moveTablespaces(folder: string): Promise<void> {
    const links = join(this.data, "pg_tblspc");
    const there = await readdir(links, { withFileTypes: true });
    for (const entry of there.filter((each) => each.isSymbolicLink())) {
      const to = join(folder, entry.name);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await this.#own(folder);
      await rename(await readlink(join(links, entry.name)), to);
      await rm(join(links, entry.name));
      await symlink(to, join(links, entry.name));
    }
  }

  /** Gives everything in it to the server's user; for what other programs wrote. */
  async handOver(): Promise<void> {
    if (this.#user === undefined) return;
    for (const entry of await readdir(this.path, { recursive: true, withFileTypes: true })) {
      if (!entry.isSymbolicLink()) await this.#own(join(entry.parentPath, entry.name));
    }
  }

  async #own(path: string): Promise<void> {
    if (this.#user !== undefined) await chown(path, this.#user.uid, this.#user.gid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

const CONFIGURATION = [
  "postgresql.conf",
  "postgresql.auto.conf",
  "pg_hba.conf",
  "pg_ident.conf",
] as const;

function unlessMissing(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}

export interface NewFile {
  write(bytes: Buffer): Promise<void>;
  /** Gives it so many bytes: zeros for those that it lacks. */
  fill(bytes: number): Promise<void>;
  close(): Promise<void>;
}
