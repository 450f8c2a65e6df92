import { statfs } from "node:fs/promises";
import type { OpenedBackup } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import type { Finding } from "../proof/index.ts";
import { bytesInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";
import type { Choice } from "./choice.ts";
import { damageIn } from "./examine.ts";
import { Held, holdMember } from "./hold-members.ts";
import { LayOut } from "./lay-out.ts";
import type { DirectoryFingerprint, Totals } from "./member.ts";
import { readListing, readTogether } from "./read-together.ts";

/** What was restored, and what came of comparing it. */
export interface RestoredMembers {
  readonly findings: readonly Finding[];
  /** Whether all of it is as it was. */
  readonly isSound: boolean;
  /** Files that are as they were. */
  readonly files: number;
  readonly expected: Totals;
  readonly unknown: readonly string[];
}

/** Room that a disk keeps, in bytes. */
const LEFT_FREE = 64 * 1024 * 1024;

/**
 * Restores members into a folder, which is empty and nobody else's, and holds each against its
 * listing: content, size, mode, time, links, and owners where the account may give files away.
 *
 * @throws {UserError} where there is no room, or the file system does not take it.
 */
export async function restoreMembers(
  backup: OpenedBackup,
  fingerprint: DirectoryFingerprint,
  { folder, choice, owners }: { folder: string; choice: Choice; owners: "keep" | "leave" },
  world: World,
): Promise<RestoredMembers> {
  const { signal } = world;
  await requireRoom(folder, choice.totals);
  const layOut = new LayOut(folder, choice, owners === "keep");
  const held = new Held();
  const broken: Finding[] = [];
  try {
    for await (const listed of readTogether(backup, fingerprint, signal)) await layOut.put(listed);
    await layOut.finish(signal);
    for await (const member of readListing(backup, fingerprint, signal)) {
      const path = choice.placeOf(member.path);
      const isMade = member.type !== "fifo" && member.type !== "device";
      if (isMade && path !== undefined) {
        await holdMember(folder, { ...member, path }, choice, held);
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    broken.push(damageIn(error, "files.tar"));
  }
  const [first] = layOut.leftOut;
  const notMade = first === undefined ? [] : [leftOutWords(layOut.leftOut.length, first)];
  return {
    findings: [...broken, ...held.findings],
    isSound: broken.length === 0 && held.isSound,
    ...{ files: held.files, expected: choice.totals },
    unknown: [
      "Extended attributes and access control lists are not kept, and were not restored.",
      ...notMade,
      ...(owners === "leave" ? ["Owners were left, as owners: leave says."] : []),
    ],
  };
}

export function leftOutWords(count: number, first: string): string {
  return `${count} pipes or devices, such as ${first}, were not made.`;
}

async function requireRoom(folder: string, { bytes, files, folders, links }: Totals) {
  const { bavail, bfree, bsize, files: most, ffree } = await statfs(folder);
  const room = (process.getuid?.() === 0 ? bfree : bavail) * bsize;
  const members = files + folders + links;
  // A file system that makes room for members as they come says that it has none.
  const isShort = most > 0 && ffree < members;
  if (room >= bytes + LEFT_FREE && !isShort) return;
  const what = isShort
    ? `${members} files and folders are to be restored, and it has room for ${ffree} more`
    : `${bytesInWords(bytes)} are to be restored, and ${bytesInWords(room)} are free`;
  throw new UserError({
    title: "There is no room for what is restored",
    cause: `On the file system of ${folder}, ${what}.`,
    remedy:
      "Make room, or restore to a larger disk: what is there stays until what is restored is proven, so both need room. Nothing was changed.",
  });
}
