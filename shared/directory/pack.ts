import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Pack } from "tar-stream";
import { codeOf, describe, UserError } from "../failure/index.ts";
import type { Exclusion } from "./exclude.ts";
import type { Member } from "./member.ts";
import { type Trouble, walk } from "./walk.ts";

const PIECE = 256 * 1024;
/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 3;

/** Puts a folder's members into an archive, one after the other. */
export class Packing {
  readonly #root: string;
  readonly #archive: Pack;
  readonly #onMember: (member: Member) => Promise<void>;
  /** Of files with several names: the first name, by device and number. */
  readonly #linked = new Map<string, string>();
  /** Paths of files that were there at first, and were gone when it was their turn. */
  readonly vanished: string[] = [];

  constructor(root: string, archive: Pack, onMember: (member: Member) => Promise<void>) {
    this.#root = root;
    this.#archive = archive;
    this.#onMember = onMember;
  }

  /** @throws {UserError} for what cannot be read, or does not stop changing. */
  async all(exclusion: Pick<Exclusion, "leavesOut">, signal: AbortSignal): Promise<void> {
    const refuse = (trouble: Trouble) => {
      throw unreadable([trouble], this.#root);
    };
    for await (const { path, kind } of walk(this.#root, exclusion, refuse, signal)) {
      signal.throwIfAborted();
      if (kind === "other") continue;
      try {
        await this.#member(path, kind, signal);
      } catch (error) {
        if (codeOf(error) === "ENOENT") this.vanished.push(path);
        else if (error instanceof UserError || codeOf(error) === undefined) throw error;
        else throw unreadable([{ path, why: describe(error) }], this.#root);
      }
    }
    this.#archive.finalize();
  }

  async #member(
    path: string,
    kind: "file" | "folder" | "symlink",
    signal: AbortSignal,
  ): Promise<void> {
    const full = join(this.#root, path);
    if (kind === "file") {
      await this.#file(path, full, signal);
      return;
    }
    const stats = await lstat(full, { bigint: true });
    const facts = factsOf(stats);
    if (kind === "folder") {
      await this.#put({ path, type: "folder", size: 0, ...facts });
    } else {
      const target = await readlink(full);
      await this.#put({ path, type: "symlink", size: 0, ...facts, target });
    }
  }

  async #file(path: string, full: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      // Neither a link that took the file's place is followed, nor a pipe waited for.
      const file = await open(
        full,
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
      try {
        const before = await file.stat({ bigint: true });
        if (!before.isFile()) return;
        if (await this.#isKnown(path, before)) return;
        if (await this.#content(path, file, before, signal)) return;
      } finally {
        await file.close();
      }
    }
    throw new UserError({
      title: "A file does not stop changing while it is backed up",
      cause: `${path} in ${this.#root} changed each of the ${ATTEMPTS} times that it was read.`,
      remedy:
        "Stop what writes to it while the backup runs, take the backup of a snapshot of the file system, or leave the file out by `exclude`.",
    });
  }

  /** Whether the file is in the archive already by another name; then a link to that is put there. */
  async #isKnown(path: string, facts: BigIntStats): Promise<boolean> {
    if (facts.nlink < 2n) return false;
    const identity = `${facts.dev}:${facts.ino}`;
    const first = this.#linked.get(identity);
    if (first === undefined) {
      this.#linked.set(identity, path);
      return false;
    }
    if (first === path) return false;
    const member = { path, size: 0, ...factsOf(facts), target: first };
    await this.#put({ ...member, type: "hardlink" });
    return true;
  }

  /** Whether the file was the same all the while that it was read. */
  async #content(
    path: string,
    file: FileHandle,
    before: BigIntStats,
    signal: AbortSignal,
  ): Promise<boolean> {
    const size = Number(before.size);
    const facts = factsOf(before);
    const entry = this.#archive.entry({
      name: path,
      type: "file",
      size,
      mtime: new Date(facts.mtime * 1000),
      ...rightsHeaders(facts),
    });
    const sum = createHash("sha256");
    let at = 0;
    let short = false;
    while (at < size) {
      signal.throwIfAborted();
      const wanted = Math.min(PIECE, size - at);
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
      // It has shrunk: the archive has promised the size, and gets zeros.
      if (bytesRead === 0) short = true;
      const piece = short ? Buffer.alloc(wanted) : buffer.subarray(0, bytesRead);
      sum.update(piece);
      at += piece.length;
      await written(entry, piece);
    }
    await ended(entry);
    const same = !short && isSame(before, await file.stat({ bigint: true }));
    const sha256 = sum.digest("hex");
    const member = { path, type: "file" as const, size, ...facts, sha256 };
    await this.#onMember(same ? member : { ...member, superseded: true });
    return same;
  }

  async #put(member: Member): Promise<void> {
    const { path, type, mtime, target } = member;
    const entry = this.#archive.entry({
      name: type === "folder" ? `${path}/` : path,
      type: type === "folder" ? "directory" : type === "symlink" ? "symlink" : "link",
      mtime: new Date(mtime * 1000),
      ...rightsHeaders(member),
      ...(target === undefined ? {} : { linkname: target }),
    });
    entry.end(null);
    await this.#onMember(member);
  }
}

function factsOf(stats: BigIntStats): Pick<Member, "mode" | "mtime" | "uid" | "gid"> {
  return {
    mode: Number(stats.mode & 0o7777n),
    mtime: Number(stats.mtimeNs / 1_000_000_000n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
  };
}

/** The most that the header of a member has digits for. */
const LARGEST_PLAIN = 0o777_777;
/** A bit that headers do not keep: a mode of nothing but zeros is taken for none by the library. */
const NO_BITS = 0o10_000;

/** What of a member's header says whose it is, and who may do what with it. */
export function rightsHeaders({ mode, uid = 0, gid = 0 }: Pick<Member, "mode" | "uid" | "gid">) {
  // Large numbers stand in a header of their own.
  const isLarge = Math.max(uid, gid) > LARGEST_PLAIN;
  const pax = isLarge ? { pax: { uid: `${uid}`, gid: `${gid}` } } : {};
  return { mode: mode === 0 ? NO_BITS : mode, uid, gid, ...pax };
}

function isSame(before: BigIntStats, after: BigIntStats): boolean {
  return (
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.ctimeNs === after.ctimeNs &&
    before.ino === after.ino
  );
}

type Entry = ReturnType<Pack["entry"]>;

/** Waits until the archive takes more. */
async function written(entry: Entry, piece: Buffer): Promise<void> {
  if (entry.write(piece)) return;
  await new Promise<void>((resolve, reject) => {
    const over = () => {
      entry.off("drain", over);
      entry.off("close", closed);
      resolve();
    };
    const closed = () => {
      entry.off("drain", over);
      reject(new Error("the archive was given up"));
    };
    entry.once("drain", over);
    entry.once("close", closed);
  });
}

async function ended(entry: Entry): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    entry.once("finish", resolve);
    entry.once("error", reject);
    entry.once("close", () => reject(new Error("the archive was given up")));
    entry.end(null);
  });
}

/** @param troubles all that are known of. */
export function unreadable(troubles: readonly Trouble[], root: string): UserError {
  const shown = troubles.slice(0, 10).map(({ path, why }) => `${path}: ${why}`);
  const more = troubles.length > shown.length ? [`and ${troubles.length - shown.length} more`] : [];
  const [first] = shown;
  const one = troubles.length === 1;
  return new UserError({
    title: "The folder cannot be read whole",
    cause: one
      ? `In ${root}, ${first}.`
      : `In ${root}, ${troubles.length} members cannot be read, such as ${first}.`,
    remedy:
      "Give the user of this job the right to read everything, or leave it out by `exclude`: a backup must not silently miss files.",
    evidence: [...shown, ...more].join("\n"),
  });
}
