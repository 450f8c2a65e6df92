import { statfs } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { OpenedBackup } from "../backup/index.ts";
import { describe, UserError } from "../failure/index.ts";
import { outputOf, type Place } from "../place/index.ts";
import type { Finding } from "../proof/index.ts";
import { bytesInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";
import type { Choice } from "./choice.ts";
import { damageIn } from "./examine.ts";
import { holdArchive } from "./hold-archive.ts";
import { Held, holdMember } from "./hold-members.ts";
import { LayOut } from "./lay-out.ts";
import type { DirectoryFingerprint, Totals } from "./member.ts";
import { ArchiveDamage } from "./read-archive.ts";
import { readListing, readTogether } from "./read-together.ts";
import { repacked } from "./repack.ts";

/** What was restored, and what came of comparing it. */
export interface RestoredMembers {
  readonly findings: readonly Finding[];
  /** Whether all of it is as it was. */
  readonly isSound: boolean;
  /** Files that are as they were. */
  readonly files: number;
  readonly expected: Totals;
  /** Whether the folder itself is a member, so that it has its traits. */
  readonly hasRoot: boolean;
  readonly unknown: readonly string[];
}

const NOT_RESTORED =
  "Extended attributes and access control lists are not kept, and were not restored.";
const LEFT = "Owners were left, as owners: leave says.";
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
  let hasRoot = false;
  try {
    for await (const listed of readTogether(backup, fingerprint, signal)) await layOut.put(listed);
    await layOut.finish(signal);
    for await (const member of readListing(backup, fingerprint, signal)) {
      const path = choice.placeOf(member.path);
      if (path === ".") hasRoot = true;
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
    ...{ files: held.files, expected: choice.totals, hasRoot },
    unknown: [NOT_RESTORED, ...notMade, ...(owners === "leave" ? [LEFT] : [])],
  };
}

function leftOutWords(count: number, first: string): string {
  return `${count} pipes or devices, such as ${first}, were not made.`;
}

/** Where a tar restores into a folder: a container of a pod. */
export interface RestoreThere {
  readonly place: Place;
  readonly folder: string;
  readonly choice: Choice;
  readonly owners: "keep" | "leave";
}

/**
 * Restores members into an empty folder of a container by its own tar, and has that read all of it
 * again, which is held against the listing: content, size, mode, time, links, and owners.
 *
 * @throws {UserError} where tar fails there: no room, no rights, no such program.
 */
export async function restoreThere(
  backup: OpenedBackup,
  fingerprint: DirectoryFingerprint,
  { place, folder, choice, owners }: RestoreThere,
  { signal }: Pick<World, "signal">,
): Promise<RestoredMembers> {
  const members = readTogether(backup, fingerprint, signal);
  const { content, leftOut, has } = repacked(members, choice);
  const args = ["-x", "-p", ...(owners === "leave" ? ["-o"] : []), "-f", "-", "-C", folder];
  const running = await place.start({ program: "tar", args, input: true }, signal);
  running.stdout.resume();
  let broken: unknown;
  await pipeline(content, running.stdin).catch((error: unknown) => {
    broken = error;
    running.end();
  });
  const ended = await running.ended;
  signal.throwIfAborted();
  if (ended.exitCode !== 0 || broken !== undefined) throw failedThere(folder, place, ended, broken);
  const open = async () => {
    const reading = await place.start(
      { program: "tar", args: ["-cf", "-", "-C", folder, "."] },
      signal,
    );
    return outputOf(reading, (how) => failedThere(folder, place, how, undefined));
  };
  const held = await holdArchive(backup, fingerprint, { choice, open }, signal);
  const [first] = leftOut;
  return {
    ...{ findings: held.findings, isSound: held.isSound, files: held.files },
    ...{ expected: choice.totals, hasRoot: has.root },
    unknown: [
      NOT_RESTORED,
      "Times of folders and links, which not every tar restores, were not compared.",
      ...(first === undefined ? [] : [leftOutWords(leftOut.length, first)]),
      ...(owners === "leave" ? [LEFT] : []),
    ],
  };
}

function failedThere(
  folder: string,
  { name }: Place,
  { message, stderr }: { readonly message: string; readonly stderr: string },
  broken: unknown,
): Error {
  if (broken instanceof UserError || broken instanceof ArchiveDamage) return broken;
  const said = stderr.trim().split("\n").at(0) || message || describe(broken);
  const isFull = /no space left|quota/i.test(stderr);
  return new UserError({
    title: isFull ? "There is no room for what is restored" : "The folder could not be written",
    cause: `tar in ${name}, into ${folder}: ${said.replace(/\.$/, "")}.`,
    remedy: `${isFull ? "Make the volume larger: what is there stays until what is restored is proven, so both need room." : "See what tar says: the account of the container has to be able to write there."} What was there before is there.`,
    evidence: stderr,
  });
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
