import { posix } from "node:path";
import type { Dump } from "../dump-format/index.ts";
import { UserError } from "../failure/index.ts";
import type { Storage, StoredObject } from "../storage/index.ts";

/** A backup that another tool made: a file, or the folder of a dump in directory format. */
export interface ForeignBackup {
  /** A file's name in the storage; a folder's ends with a slash. */
  readonly name: string;
  /** Of all its files. */
  readonly bytes: number;
  /** The time in its name, where all that were found have one; else when it was written. */
  readonly time: number;
  readonly files: readonly StoredObject[];
}

/**
 * Backups of other tools, oldest first.
 *
 * @param pattern of names in the storage: `*` for any characters but slashes, `**` for any, `?` for
 *   one. One without a slash is held against the last part of a name.
 */
export async function foreignBackups(
  storage: Storage,
  pattern: string,
  signal: AbortSignal,
): Promise<readonly ForeignBackup[]> {
  const files: StoredObject[] = [];
  const literal = pattern.includes("/") ? (/^[^*?]*\//.exec(pattern)?.[0] ?? "") : "";
  for await (const object of storage.list(literal, signal)) files.push(object);
  const folders = new Set(
    files
      .filter(({ name }) => MARKS_FOLDER.test(posix.basename(name)))
      .map(({ name }) => folderOfFile(name)),
  );
  const found = new Map<string, StoredObject[]>();
  for (const file of files) {
    const name = folderAround(file.name, folders) ?? file.name;
    if (matches(pattern, name.replace(/\/$/, "")))
      found.set(name, [...(found.get(name) ?? []), file]);
  }
  return inOrder([...found]);
}

/** The files that a dump in directory format and a base backup have at their top. */
const MARKS_FOLDER = /^(toc\.dat|backup_manifest|backup_label|base\.tar(\.(gz|zst|lz4|age))*)$/;

/** The outermost of the folders that a file lies in. */
function folderAround(name: string, folders: ReadonlySet<string>): string | undefined {
  let found: string | undefined;
  for (let folder = folderOfFile(name); folder !== ""; folder = folderOfFile(folder.slice(0, -1)))
    if (folders.has(folder)) found = folder;
  return found;
}

function folderOfFile(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

function inOrder(found: readonly (readonly [string, StoredObject[]])[]): ForeignBackup[] {
  const times = found.map(([name]) => timeInName(name));
  const byName = times.every((time) => time !== undefined);
  return found
    .map(([name, files], at) => ({
      ...{ name, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) },
      time: (byName ? times[at] : undefined) ?? Math.max(...files.map(({ modified }) => modified)),
    }))
    .sort((a, b) => a.time - b.time || (a.name < b.name ? -1 : 1));
}

/** Whether a name in a storage is one of the pattern's. */
export function matches(pattern: string, name: string): boolean {
  const words = pattern.split(/(\*\*\/?|\*|\?)/).map((word) => {
    if (word === "**/") return "(?:.*/)?";
    if (word === "**") return ".*";
    if (word === "*") return "[^/]*";
    return word === "?" ? "[^/]" : RegExp.escape(word);
  });
  const whole = new RegExp(`^${words.join("")}$`, "u");
  return whole.test(pattern.includes("/") ? name : posix.basename(name));
}

/**
 * The time in a file's name, in UTC: `papers-2026-11-22.sql.gz`, `papers_20261122_030000.dump`,
 * `2026-11-22T03-00-00Z`. Undefined where there is none.
 */
export function timeInName(name: string): number | undefined {
  const match =
    /(?<!\d)(20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?:[T_.\-h ]?([01]\d|2[0-3])[-_.:h]?([0-5]\d)(?:[-_.:m]?([0-5]\d))?)?(?!\d)/.exec(
      name,
    );
  if (match === null) return undefined;
  const [, year, , month, day, hour = "00", minute = "00", second = "00"] = match;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * The backup of another tool that is meant.
 *
 * @param which `latest`, or a name, or its end.
 * @throws {UserError} where there is none; it names those that there are.
 */
export function chooseForeign(
  found: readonly ForeignBackup[],
  which: string,
  pattern: string,
): ForeignBackup {
  const wanted = which.trim();
  const one =
    wanted === "" || wanted === "latest"
      ? found.at(-1)
      : found.findLast(({ name }) => name === wanted || name.replace(/\/$/, "").endsWith(wanted));
  if (one !== undefined) return one;
  const newest = found.slice(-10).toReversed();
  throw new UserError({
    title: "There is no such backup",
    cause:
      found.length === 0
        ? `No file of the storage is named as ${pattern}.`
        : `None of ${found.length} files named as ${pattern} is "${wanted}"; there are ${newest.map(({ name }) => name).join(", ")}${found.length > 10 ? " and older ones" : ""}.`,
    remedy: "Check the storage, the pattern, and whether backups are written at all.",
  });
}

/** The files of a backup of another tool, read where they are. */
export function foreignDump(storage: Storage, { name, files }: ForeignBackup): Dump {
  const isFolder = name.endsWith("/");
  const opened = files.map((file) => ({
    name: isFolder ? file.name.slice(name.length) : file.name,
    bytes: file.bytes,
    open: (signal: AbortSignal) => storage.read(file.name, { signal }),
  }));
  return { name: isFolder ? name : (opened[0]?.name ?? name), folder: isFolder, files: opened };
}

/** Whether it is a base backup of PostgreSQL, by what its files are called. */
export function isBaseBackup({ folder, files }: Dump): boolean {
  const marks = /^(base\.tar(\.\w+)*|backup_manifest|backup_label)$/;
  return folder
    ? files.some(({ name }) => marks.test(name))
    : /(^|\/)base\.tar(\.\w+)*$/.test(files[0]?.name ?? "");
}
