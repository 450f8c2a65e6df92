import type { OpenedBackup } from "../backup/index.ts";
import { ListingReader } from "./listing.ts";
import { ARCHIVE, type DirectoryFingerprint, type Member } from "./member.ts";
import { ArchiveDamage, type ArchiveMember, readArchive } from "./read-archive.ts";

/** A member as the listing has it, and as it comes in the archive. */
export interface Listed {
  readonly expected: Member;
  readonly member: ArchiveMember;
}

/**
 * Reads a backup's archive and its listing side by side, to the end of both.
 *
 * @throws {ArchiveDamage} where they are not of each other.
 */
export async function* readTogether(
  backup: OpenedBackup,
  { listing: { part, sha256 } }: DirectoryFingerprint,
  signal: AbortSignal,
): AsyncGenerator<Listed> {
  const listing = new ListingReader(await backup.open(part, signal));
  const listed = listing[Symbol.asyncIterator]();
  try {
    for await (const member of readArchive(await backup.open(ARCHIVE, signal))) {
      signal.throwIfAborted();
      const { value: expected, done } = await listed.next();
      if (done === true || expected.path !== member.path || expected.type !== member.type) {
        throw new ArchiveDamage(`holds ${member.path}, where its listing has something else`);
      }
      yield { expected, member };
    }
    const { value: left, done } = await listed.next();
    if (done !== true) throw new ArchiveDamage(`lacks ${left.path}, which its listing has`);
    if (listing.sha256 !== sha256) throw new ArchiveDamage("has a listing of another backup");
  } finally {
    await listed.return?.(undefined);
  }
}

/** Reads the listing alone, without members that a later one took the place of. */
export async function* readListing(
  backup: OpenedBackup,
  { listing: { part } }: DirectoryFingerprint,
  signal: AbortSignal,
): AsyncGenerator<Member> {
  for await (const member of new ListingReader(await backup.open(part, signal))) {
    signal.throwIfAborted();
    if (member.superseded !== true) yield member;
  }
}
