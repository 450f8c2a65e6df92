import type { BackupSource, StoredBackup } from "../../../shared/backup/index.ts";
import type {
  Choice,
  DirectoryFingerprint,
  RestoredMembers,
} from "../../../shared/directory/index.ts";

/** What is at a path. */
export type PathKind = "absent" | "folder" | "link" | "other";

/** The file system where a folder is restored: this machine's, or that of a container of a pod. */
export interface Files {
  /** Behind a path, for messages: nothing, or ` of container app of pod prod/web-0`. */
  readonly where: string;
  /** The path without links in it; of what is not there yet, as far as it is there. */
  real(path: string): Promise<string>;
  kindOf(path: string): Promise<PathKind>;
  /** Names in a folder; some of them where there are more than `most`. */
  names(folder: string, most?: number): Promise<readonly string[]>;
  /** Whether something is mounted right there, so that it cannot be renamed. */
  isMount(path: string): Promise<boolean>;
  /** Makes a folder in one that is there. False where there is something already. */
  makeFolder(path: string): Promise<boolean>;
  /** Makes the folders around a path; gives those that were not there, outermost first. */
  makeAround(path: string): Promise<readonly string[]>;
  /** Removes a folder that is empty; whatever is not is left. */
  removeEmpty(folder: string): Promise<void>;
  /** Writes a small file that is not there yet. False where it is. */
  create(path: string, text: string): Promise<boolean>;
  /** A small file; undefined where there is none. */
  read(path: string): Promise<string | undefined>;
  /** Renames one after the other, and stops at the first that fails. */
  move(moves: readonly Move[], signal: AbortSignal): Promise<void>;
  /** Removes a folder and all in it. */
  remove(path: string, signal: AbortSignal): Promise<void>;
  /** How long ago a file was touched, in milliseconds; undefined where there is none. */
  idle(path: string): Promise<number | undefined>;
  /** Touches a file every few seconds until it is disposed of. */
  keepAlive(path: string): Promise<AsyncDisposable>;
  /** Whether who wrote these words still runs; undefined where that cannot be known from here. */
  isAlive(words: string): Promise<boolean | undefined>;
  /** Words by which another run can tell whether this one still runs. */
  identity(): Promise<string>;
  /** Has everything of a file system that is still in memory written to the disk. */
  flush(path: string): Promise<void>;
  /** Gives a folder owner, mode and time of another. */
  giveTraits(folder: string, from: string): Promise<void>;
  /** The folder as something to back up, or only some of its members. */
  source(path: string, only: readonly string[] | undefined): BackupSource;
  /** Restores members into an empty folder, and proves them there. */
  fill(
    backup: StoredBackup,
    fingerprint: DirectoryFingerprint,
    to: { readonly folder: string; readonly choice: Choice; readonly owners: "keep" | "leave" },
  ): Promise<RestoredMembers>;
}

export interface Move {
  readonly from: string;
  readonly to: string;
}
