/** One member of a folder, as the listing keeps it: a line of JSON each. */
export interface Member {
  /** Relative to the folder, parts separated by slashes; the folder itself is `.`. */
  readonly path: string;
  readonly type: MemberType;
  /** Bytes of a file's content; 0 of everything else. */
  readonly size: number;
  /** The permission bits. */
  readonly mode: number;
  /** Whole seconds since the Unix epoch. */
  readonly mtime: number;
  /** Of whoever it belongs to; listings of earlier versions do not have them. */
  readonly uid?: number;
  readonly gid?: number;
  /** Of a file's content. */
  readonly sha256?: string;
  /** Where a symbolic link points, or the path of the file that a hard link is one with. */
  readonly target?: string;
  /** It changed while it was read: a later member of the same path takes its place. */
  readonly superseded?: true;
}

export type MemberType = "file" | "folder" | "symlink" | "hardlink" | "fifo" | "device";

/** What a backup of a folder keeps beside its parts. */
export interface DirectoryFingerprint {
  readonly schema: 1;
  readonly kind: "directory";
  readonly root: string;
  readonly files: number;
  readonly folders: number;
  /** Symbolic and hard links. */
  readonly links: number;
  /** Of all files. */
  readonly bytes: number;
  readonly listing: { readonly part: string; readonly members: number; readonly sha256: string };
}

export const ARCHIVE = "files.tar";
export const LISTING = "members.jsonl";

/** Members, counted. */
export interface Totals {
  files: number;
  folders: number;
  links: number;
  bytes: number;
}

export function noTotals(): Totals {
  return { files: 0, folders: 0, links: 0, bytes: 0 };
}

export function count(totals: Totals, { type, size, superseded }: Member): void {
  if (superseded) return;
  if (type === "file") totals.files += 1;
  else if (type === "folder") totals.folders += 1;
  else if (type === "symlink" || type === "hardlink") totals.links += 1;
  totals.bytes += size;
}
