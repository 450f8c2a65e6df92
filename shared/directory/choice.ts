import { posix } from "node:path";
import type { OpenedBackup } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import { count, type DirectoryFingerprint, type Member, noTotals, type Totals } from "./member.ts";
import { readListing } from "./read-together.ts";
import { Selection } from "./select.ts";

/** What of a backup is restored. */
export interface Choice {
  /** Of what is restored. */
  readonly totals: Totals;
  /** The outermost members that are restored, in their order: `.` for all. */
  readonly tops: readonly Top[];
  /** Whether a member is restored. */
  takes(path: string): boolean;
  /**
   * The path at which a file is written first: its own, unless that is not restored and only
   * another of its names (a hard link) is; undefined where none is.
   */
  placeOf(path: string): string | undefined;
}

export interface Top {
  readonly path: string;
  readonly type: Member["type"];
}

/**
 * What patterns choose of a backup; all of it where there are none.
 *
 * @throws {UserError} for a pattern that chooses nothing.
 */
export async function choose(
  backup: OpenedBackup,
  fingerprint: DirectoryFingerprint,
  patterns: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Choice> {
  if (patterns === undefined) {
    const { files, folders, links, bytes } = fingerprint;
    return {
      totals: { files, folders, links, bytes },
      tops: [{ path: ".", type: "folder" }],
      takes: () => true,
      placeOf: (path) => path,
    };
  }
  const selection = new Selection(patterns);
  const totals = noTotals();
  const tops: Top[] = [];
  const borrowed = new Map<string, string>();
  for await (const member of readListing(backup, fingerprint, signal)) {
    const { path, type, target } = member;
    const top = selection.chosenBy(path);
    if (top === undefined) continue;
    count(totals, member);
    if (top === path) tops.push({ path, type });
    if (type !== "hardlink" || target === undefined) continue;
    if (selection.chosenBy(target) === undefined && !borrowed.has(target)) {
      borrowed.set(target, path);
    }
  }
  const [unused] = selection.unused;
  if (unused !== undefined) throw nothingLike(unused, fingerprint);
  const takes = (path: string) => selection.chosenBy(path) !== undefined;
  return {
    ...{ totals, tops, takes },
    placeOf: (path) => (takes(path) ? path : borrowed.get(path)),
  };
}

function nothingLike(pattern: string, { root }: DirectoryFingerprint): UserError {
  return new UserError({
    title: "The backup has no such member",
    cause: `Nothing in the backup of ${root} is like ${JSON.stringify(pattern)}.`,
    remedy: `Give paths from that folder, such as ${posix.join("models", "current")}, or names at any depth, such as *.bin; the backup's members.jsonl lists all. Nothing was changed.`,
  });
}
