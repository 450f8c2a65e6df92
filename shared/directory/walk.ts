import { constants, type Dirent } from "node:fs";
import { access, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, describe } from "../failure/index.ts";
import type { Exclusion } from "./exclude.ts";

/** What is found on a walk through a folder. */
export interface Found {
  /** Relative, with slashes; `.` for the folder itself. */
  readonly path: string;
  readonly kind: "file" | "folder" | "symlink" | "other";
}

/** Something that cannot be backed up, and why. */
export interface Trouble {
  readonly path: string;
  readonly why: string;
}

/**
 * Walks through a folder in the order of names, folders before what is in them.
 *
 * @param onTrouble told of what cannot be read; the walk goes on.
 */
export async function* walk(
  root: string,
  exclusion: Pick<Exclusion, "leavesOut">,
  onTrouble: (trouble: Trouble) => void,
  signal: AbortSignal,
): AsyncGenerator<Found> {
  yield { path: ".", kind: "folder" };
  yield* inside(root, "", exclusion, onTrouble, signal);
}

async function* inside(
  root: string,
  folder: string,
  exclusion: Pick<Exclusion, "leavesOut">,
  onTrouble: (trouble: Trouble) => void,
  signal: AbortSignal,
): AsyncGenerator<Found> {
  signal.throwIfAborted();
  let entries: Dirent<Buffer>[];
  try {
    entries = await readdir(join(root, folder), { encoding: "buffer", withFileTypes: true });
  } catch (error) {
    // What vanishes on the walk is no part of the folder any more.
    if (folder === "" || codeOf(error) !== "ENOENT")
      onTrouble({ path: folder || ".", why: describe(error) });
    return;
  }
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of entries) {
    const name = entry.name.toString("utf8");
    const path = folder === "" ? name : `${folder}/${name}`;
    if (exclusion.leavesOut(path)) continue;
    if (!Buffer.from(name, "utf8").equals(entry.name)) {
      onTrouble({ path, why: "its name is not UTF-8" });
      continue;
    }
    if (entry.isDirectory()) {
      yield { path, kind: "folder" };
      yield* inside(root, path, exclusion, onTrouble, signal);
    } else if (entry.isFile()) {
      yield { path, kind: "file" };
    } else {
      yield { path, kind: entry.isSymbolicLink() ? "symlink" : "other" };
    }
  }
}

/** What a first walk tells, before anything is written. */
export interface Survey {
  readonly files: number;
  readonly bytes: number;
  readonly troubles: readonly Trouble[];
  /** Sockets, pipes and devices, which have no content to keep. */
  readonly others: readonly string[];
  readonly sparse: number;
}

/** Walks through a folder once, and looks whether everything can be read. */
export async function survey(
  root: string,
  exclusion: Pick<Exclusion, "leavesOut">,
  signal: AbortSignal,
): Promise<Survey> {
  const troubles: Trouble[] = [];
  const others: string[] = [];
  let [files, bytes, sparse] = [0, 0, 0];
  for await (const { path, kind } of walk(root, exclusion, (one) => troubles.push(one), signal)) {
    if (kind === "other") others.push(path);
    if (kind !== "file") continue;
    const full = join(root, path);
    try {
      await access(full, constants.R_OK);
      const { size, blocks } = await lstat(full);
      files += 1;
      bytes += size;
      if (size > 65_536 && blocks * 512 < size / 2) sparse += 1;
    } catch (error) {
      // What vanishes between the walk and the look is no part of the folder any more.
      if (codeOf(error) !== "ENOENT") troubles.push({ path, why: describe(error) });
    }
  }
  return { files, bytes, troubles, others, sparse };
}
