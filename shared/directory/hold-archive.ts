import { createHash } from "node:crypto";
import type { OpenedBackup } from "../backup/index.ts";
import type { Choice } from "./choice.ts";
import { differenceOf, type FoundMember, Held } from "./hold-members.ts";
import type { DirectoryFingerprint, Member } from "./member.ts";
import { readArchive } from "./read-archive.ts";
import { readListing } from "./read-together.ts";

/** Members up to which differences are named one by one: for that all have to be in memory. */
const MOST_NAMED = 200_000;

/** Members of a listing or of an archive, in whatever order: two that are alike have the same sum. */
class Sums {
  all = 0n;
  owners = 0n;
  members = 0;
  files = 0;
  hasOwners = true;

  add(path: string, member: FoundMember | Member, target = member.target ?? ""): void {
    const { type, size, mode, mtime, sha256 = "" } = comparable(member);
    this.all ^= numberOf([path, type, size, mode, mtime, target, sha256]);
    this.owners ^= numberOf([path, member.uid, member.gid]);
    if (member.uid === undefined) this.hasOwners = false;
    this.members += 1;
    if (type === "file" && target === "") this.files += 1;
  }

  /** A file under each of its names, whichever of them was read as the file. */
  addNames(names: readonly string[], file: FoundMember | Member | undefined): void {
    const sorted = names.toSorted();
    const [first] = sorted;
    for (const name of sorted) this.add(name, file ?? UNKNOWN, first);
    if (file !== undefined) this.files += 1;
  }
}

/** Without what not every tar restores: times of folders and links, and modes of links. */
function comparable<T extends FoundMember | Member>(member: T): T {
  if (member.type === "folder") return { ...member, mtime: 0 };
  return member.type === "symlink" ? { ...member, mtime: 0, mode: 0 } : member;
}

const UNKNOWN: FoundMember = {
  ...{ type: "hardlink", size: 0, mode: 0, mtime: 0, uid: 0, gid: 0 },
};

function numberOf(values: readonly unknown[]): bigint {
  const sum = createHash("sha256").update(JSON.stringify(values)).digest("hex");
  return BigInt(`0x${sum}`);
}

/**
 * Holds what a tar reads of a restored folder against the listing of the backup. The order of its
 * members is that of the folder, so members are summed; only where sums differ is each looked at.
 *
 * @param open has the folder read once more.
 */
export async function holdArchive(
  backup: OpenedBackup,
  fingerprint: DirectoryFingerprint,
  { choice, open }: { choice: Choice; open: () => Promise<AsyncIterable<Buffer>> },
  signal: AbortSignal,
): Promise<Held> {
  const groups = await groupsIn(backup, fingerprint, choice, signal);
  const expected = new Sums();
  for await (const member of expectedOf(backup, fingerprint, choice, signal)) {
    const links = groups.get(member.path);
    if (links !== undefined) expected.addNames([member.path, ...links], member);
    else if (member.type !== "hardlink") expected.add(member.path, member);
  }
  const found = await summed(await open(), choice, groups);
  const held = new Held();
  if (expected.all === found.all) {
    held.sound = expected.members;
    held.files = expected.files;
    if (expected.hasOwners && expected.owners !== found.owners) held.othersOwn = expected.members;
    return held;
  }
  if (expected.members > MOST_NAMED) {
    held.differs(fingerprint.root, `Of its ${expected.members} members some differ.`);
    return held;
  }
  await nameDifferences(held, { backup, fingerprint, choice, open }, signal);
  return held;
}

/** Of files with several names: the first that is restored, and the others. */
async function groupsIn(
  backup: OpenedBackup,
  fingerprint: DirectoryFingerprint,
  choice: Choice,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const groups = new Map<string, string[]>();
  for await (const { path, type, target } of expectedOf(backup, fingerprint, choice, signal)) {
    if (type !== "hardlink") continue;
    const first = choice.placeOf(target ?? "") ?? "";
    groups.set(first, [...(groups.get(first) ?? []), path]);
  }
  return groups;
}

/** Sums what a tar reads; which of a file's names it takes for the file depends on its order. */
async function summed(
  bytes: AsyncIterable<Buffer>,
  choice: Choice,
  groups: ReadonlyMap<string, readonly string[]>,
): Promise<Sums> {
  const several = new Set([...groups].flatMap(([first, links]) => [first, ...links]));
  const sums = new Sums();
  const files = new Map<string, FoundMember>();
  const links = new Map<string, string[]>();
  for await (const { path, found } of foundIn(bytes, choice)) {
    const { type, target = "" } = found;
    if (type === "hardlink") links.set(target, [...(links.get(target) ?? []), path]);
    else if (type === "file" && several.has(path)) files.set(path, found);
    else sums.add(path, found);
  }
  for (const [path, found] of files) {
    sums.addNames([path, ...(links.get(path) ?? [])], found);
    links.delete(path);
  }
  // Links to what has no other name in the backup.
  for (const [target, names] of links) sums.addNames([target, ...names], undefined);
  return sums;
}

async function* expectedOf(
  backup: OpenedBackup,
  fingerprint: DirectoryFingerprint,
  choice: Choice,
  signal: AbortSignal,
): AsyncGenerator<Member> {
  for await (const member of readListing(backup, fingerprint, signal)) {
    const path = choice.placeOf(member.path);
    if (path === undefined || member.type === "fifo" || member.type === "device") continue;
    // The first of a file's names that is restored is the file.
    const isFirst = member.type === "hardlink" && choice.placeOf(member.target ?? "") === path;
    if (!isFirst) yield { ...member, path };
  }
}

interface FoundAt {
  readonly path: string;
  readonly found: FoundMember;
}

async function* foundIn(bytes: AsyncIterable<Buffer>, choice: Choice): AsyncGenerator<FoundAt> {
  for await (const member of readArchive(bytes)) {
    const { path, type, size, mode, mtime, uid, gid, target } = member;
    const sha256 = type === "file" ? await member.sum() : undefined;
    // Folders around what was chosen.
    if (type === "folder" && choice.placeOf(path) === undefined) continue;
    yield { path, found: { type, size, mode, mtime, uid, gid, target, sha256 } };
  }
}

/** Looks at each member, to say which differ and how. */
async function nameDifferences(
  held: Held,
  {
    backup,
    fingerprint,
    choice,
    open,
  }: {
    backup: OpenedBackup;
    fingerprint: DirectoryFingerprint;
    choice: Choice;
    open: () => Promise<AsyncIterable<Buffer>>;
  },
  signal: AbortSignal,
): Promise<void> {
  const expected = new Map<string, Member>();
  for await (const member of expectedOf(backup, fingerprint, choice, signal)) {
    expected.set(member.path, member);
  }
  for await (const { path, found } of foundIn(await open(), choice)) {
    const member = expected.get(path);
    expected.delete(path);
    if (member === undefined) held.differs(path, "It is not in the backup.");
    else if (member.type !== "hardlink" && found.type !== "hardlink") {
      const wrong = differenceOf(comparable(member), comparable(found));
      if (wrong !== undefined) held.differs(path, wrong);
      else held.sound += 1;
    }
  }
  for (const path of expected.keys()) held.differs(path, "It is not there.");
  if (held.isSound) held.differs(fingerprint.root, "Files with several names have others.");
}
