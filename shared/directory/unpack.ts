import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { link, lstat, mkdir, open, statfs, symlink, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf, describe, UserError } from "../failure/index.ts";
import type { Member } from "./member.ts";
import { ArchiveDamage, type ArchiveMember } from "./read-archive.ts";

/** Room that is left on the disk whatever an archive holds, in bytes. */
const LEFT_FREE = 64 * 1024 * 1024;

/**
 * Unpacks an archive's members into a private folder. Nothing is ever written through a link:
 * symbolic links are made when all else is there, and each file is made anew.
 */
export class Unpacking {
  readonly #folder: string;
  readonly #links: { readonly path: string; readonly target: string }[] = [];
  readonly #onePer = new Set<string>();
  #room: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Makes a member, and gives the SHA-256 of a file's content as it was written.
   *
   * @throws {ArchiveDamage} for what an archive of ours never holds; {UserError} for want of room.
   */
  async put(member: ArchiveMember): Promise<string | undefined> {
    const full = join(this.#folder, member.path);
    try {
      return await this.#make(member, full);
    } catch (error) {
      if (error instanceof ArchiveDamage || error instanceof UserError) throw error;
      throw unpackTrouble(error, member.path);
    }
  }

  async #make(member: ArchiveMember, full: string): Promise<string | undefined> {
    const { path, type, target } = member;
    if (type === "folder") {
      await this.#folderAt(full);
      return undefined;
    }
    await this.#folderAt(dirname(full));
    if (type === "symlink") {
      this.#links.push({ path, target: target ?? "" });
      return undefined;
    }
    if (type === "hardlink") {
      await this.#linkTo(full, path, target ?? "");
      return undefined;
    }
    if (type !== "file") return undefined;
    return await this.#file(member, full);
  }

  async #linkTo(full: string, path: string, target: string): Promise<void> {
    const first = join(this.#folder, target);
    const facts = await lstat(first).catch(() => undefined);
    if (!facts?.isFile()) {
      throw new ArchiveDamage(`holds ${path}, a link to ${target}, which is not in it`);
    }
    await link(first, full);
  }

  async #file(member: ArchiveMember, full: string): Promise<string> {
    await this.#ensureRoom(member.size);
    // A file that changed while it was read is there twice; the later one counts.
    if (this.#onePer.has(member.path)) await unlink(full);
    this.#onePer.add(member.path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(full, flags, 0o600);
    try {
      return await member.sum(async (piece) => {
        await file.writeFile(piece);
      });
    } finally {
      await file.close();
    }
  }

  /** Makes symbolic links, last of all. */
  async finish(): Promise<void> {
    for (const { path, target } of this.#links) {
      try {
        await symlink(target, join(this.#folder, path));
      } catch (error) {
        throw unpackTrouble(error, path);
      }
    }
  }

  async #folderAt(full: string): Promise<void> {
    await mkdir(full, { recursive: true, mode: 0o700 });
  }

  async #ensureRoom(bytes: number): Promise<void> {
    if (this.#room === undefined || this.#room < bytes + LEFT_FREE) {
      const { bavail, bsize } = await statfs(this.#folder);
      this.#room = bavail * bsize;
    }
    this.#room -= bytes;
    if (this.#room < LEFT_FREE) throw noRoom(`${bytes} bytes more do not fit into ${this.#folder}`);
  }
}

function noRoom(cause: string): UserError {
  return new UserError({
    title: "There is no room to unpack the backup",
    cause: `${cause}.`,
    remedy: "Make room, or verify with tier: data, which reads everything and unpacks nothing.",
  });
}

function unpackTrouble(error: unknown, path: string): Error {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") return noRoom(`${path}: ${describe(error)}`);
  if (code === "ENAMETOOLONG" || code === "EINVAL") {
    return new ArchiveDamage(`holds a name that this machine cannot have: ${path.slice(0, 200)}`);
  }
  if (code === "EEXIST" || code === "ENOTDIR" || code === "EISDIR") {
    return new ArchiveDamage(`holds ${path} twice, or below what is no folder`);
  }
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * Reads a member of an unpacked folder again.
 *
 * @returns what differs, as a phrase; undefined when it is as listed.
 */
export async function reread(folder: string, member: Member): Promise<string | undefined> {
  const full = join(folder, member.path);
  const facts = await lstat(full).catch(() => undefined);
  if (facts === undefined) return "is not there after unpacking";
  if (member.type === "folder") return facts.isDirectory() ? undefined : "is no folder";
  if (member.type === "symlink") return facts.isSymbolicLink() ? undefined : "is no link";
  if (member.type !== "file") return facts.isFile() ? undefined : "is no file";
  if (facts.size !== member.size) return `has ${facts.size} bytes and should have ${member.size}`;
  const sum = createHash("sha256");
  for await (const chunk of createReadStream(full)) sum.update(chunk as Buffer);
  return sum.digest("hex") === member.sha256 ? undefined : "holds other bytes than it held";
}
