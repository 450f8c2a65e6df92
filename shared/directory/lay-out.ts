import { constants, type Stats } from "node:fs";
import {
  chmod,
  type FileHandle,
  lchown,
  link,
  lutimes,
  mkdir,
  open,
  symlink,
  utimes,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { codeOf, describe, UserError } from "../failure/index.ts";
import type { Choice } from "./choice.ts";
import { ArchiveDamage, type ArchiveMember } from "./read-archive.ts";
import type { Listed } from "./read-together.ts";

/** A member whose traits are given to it when all else is there. */
type Late = Pick<ArchiveMember, "path" | "mode" | "mtime" | "uid" | "gid" | "target">;

/**
 * Makes members in a folder that was empty, with all their traits. Nothing is written through a
 * link: symbolic links are made last, each file is made anew, and paths do not lead out.
 */
export class LayOut {
  readonly #folder: string;
  readonly #choice: Choice;
  readonly #givesOwners: boolean;
  readonly #folders: Late[] = [];
  readonly #links: Late[] = [];
  /** Pipes and devices, which are not made. */
  readonly leftOut: string[] = [];

  constructor(folder: string, choice: Choice, givesOwners: boolean) {
    this.#folder = folder;
    this.#choice = choice;
    this.#givesOwners = givesOwners;
  }

  /**
   * Makes a member, if it is one to restore.
   *
   * @throws {ArchiveDamage} for what cannot be in an archive of ours; {UserError} where the file
   *   system does not take it.
   */
  async put({ expected, member }: Listed): Promise<void> {
    const path = expected.superseded ? undefined : this.#choice.placeOf(member.path);
    if (path === undefined) return;
    try {
      await this.#make({ ...member, path }, member);
    } catch (error) {
      throw explained(error, path, this.#folder);
    }
  }

  async #make(as: Late & Pick<ArchiveMember, "type">, member: ArchiveMember): Promise<void> {
    const full = join(this.#folder, as.path);
    if (as.path !== ".") await mkdir(dirname(full), { recursive: true, mode: 0o700 });
    switch (as.type) {
      case "folder":
        // It may be there already: the folder itself, or one made for what is in it.
        await mkdir(full, { recursive: true, mode: 0o700 });
        this.#folders.push(as);
        return;
      case "symlink":
        this.#links.push(as);
        return;
      case "hardlink":
        await link(join(this.#folder, this.#firstName(as)), full).catch(async (error: unknown) => {
          // The first of the names that are restored is a file of its own already.
          if (codeOf(error) !== "EEXIST" || this.#firstName(as) !== as.path) throw error;
        });
        return;
      case "file":
        await this.#file(full, member);
        return;
      default:
        this.leftOut.push(as.path);
    }
  }

  #firstName({ path, target = "" }: Late): string {
    const first = this.#choice.placeOf(target);
    if (first === undefined) throw new ArchiveDamage(`holds ${path}, a link to what is not in it`);
    return first;
  }

  async #file(full: string, member: ArchiveMember): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const file = await open(full, flags, 0o600);
    try {
      await member.sum(async (piece) => {
        await written(file, piece);
      });
      await this.#own(full, member);
      // After the owner, for a change of that takes special bits away.
      await file.chmod(member.mode);
      await file.utimes(member.mtime, member.mtime);
    } finally {
      await file.close();
    }
  }

  /** Makes symbolic links, then gives folders their traits, inner ones first. */
  async finish(signal: AbortSignal): Promise<void> {
    for (const each of this.#links) {
      signal.throwIfAborted();
      const full = join(this.#folder, each.path);
      try {
        await symlink(each.target ?? "", full);
        await this.#own(full, each);
        await lutimes(full, each.mtime, each.mtime);
      } catch (error) {
        throw explained(error, each.path, this.#folder);
      }
    }
    for (const each of this.#folders.reverse()) {
      const full = join(this.#folder, each.path);
      await this.#own(full, each);
      await chmod(full, each.mode);
      await utimes(full, each.mtime, each.mtime);
    }
  }

  /** As far as the account may: the comparison tells what came of it. */
  async #own(full: string, { uid, gid }: Late): Promise<void> {
    if (!this.#givesOwners) return;
    await lchown(full, uid, gid).catch((error: unknown) => {
      if (!["EPERM", "EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(codeOf(error) ?? "")) throw error;
    });
  }
}

/** Gives a folder that is there already the traits of another. */
export async function giveTraits(
  folder: string,
  { mode, uid, gid, mtimeMs }: Pick<Stats, "mode" | "uid" | "gid" | "mtimeMs">,
): Promise<void> {
  await lchown(folder, uid, gid).catch((error: unknown) => {
    if (codeOf(error) !== "EPERM") throw error;
  });
  await chmod(folder, mode & 0o7777);
  await utimes(folder, mtimeMs / 1_000, mtimeMs / 1_000);
}

async function written(file: FileHandle, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length; ) {
    const { bytesWritten } = await file.write(piece, at, piece.length - at);
    at += bytesWritten;
  }
}

function explained(error: unknown, path: string, folder: string): unknown {
  const code = codeOf(error);
  if (error instanceof ArchiveDamage || error instanceof UserError || code === undefined) {
    return error;
  }
  if (code === "EEXIST" || code === "ENOTDIR" || code === "EISDIR") {
    return new ArchiveDamage(`holds ${path} twice, or below what is no folder`);
  }
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const isName = code === "ENAMETOOLONG" || code === "EILSEQ" || code === "EINVAL";
  return new UserError(
    {
      title: isFull
        ? "There is no room for what is restored"
        : isName
          ? "The file system cannot hold a name of the backup"
          : "The folder could not be written",
      cause: `${path.slice(0, 300)} could not be made in ${folder}: ${describe(error)}.`,
      remedy: `${isFull ? "Make room, or restore to a larger disk." : isName ? "Restore to a file system that takes such names." : "See to it that this account may write there, and that the disk is sound."} What was there before is as it was.`,
    },
    { reason: error },
  );
}
