import type { Readable } from "node:stream";
import { findingOf, type OpenedBackup } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import { privateFolder } from "../process/index.ts";
import { type Examination, type Finding, holds, type Tier } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { ListingReader } from "./listing.ts";
import {
  ARCHIVE,
  count,
  type DirectoryFingerprint,
  LISTING,
  type Member,
  noTotals,
  type Totals,
} from "./member.ts";
import { ArchiveDamage, type ArchiveMember, readArchive } from "./read-archive.ts";
import { reread, Unpacking } from "./unpack.ts";

/** So many members that differ are named; the others are counted. */
const MOST_FINDINGS = 50;

export interface DirectoryExamineOptions {
  readonly tier: Tier;
  /** Where a private folder may be made; the system's for such when left out. */
  readonly scratch?: string | undefined;
  /** Of an archive without a listing: the fewest files that it must have. */
  readonly leastFiles?: number | undefined;
}

/**
 * Verifies a backup of a folder: every member's every byte against the listing, which is held to
 * the fingerprint; at `full` unpacked and read again.
 *
 * @throws {UserError} where nothing can be said at all.
 */
export async function examineDirectory(
  backup: OpenedBackup,
  options: DirectoryExamineOptions,
  world: World,
): Promise<Examination> {
  const fingerprint = directoryFingerprint(await backup.fingerprint(world.signal));
  return await inFolder(options, async (folder) => {
    const look = new Look(fingerprint, folder === undefined ? undefined : new Unpacking(folder));
    await look.compare(backup, world.signal);
    if (folder !== undefined && !look.broken) {
      const listing = await backup.open(fingerprint.listing.part, world.signal);
      await look.rereadAll(folder, new ListingReader(listing));
    }
    return look.examination(options.tier);
  });
}

/**
 * Verifies a tar archive that anything else made: it is read, and unpacked at `full`; what should
 * be in it nobody knows.
 *
 * @throws {UserError} where nothing can be said at all.
 */
export async function examineTar(
  file: { readonly name: string; open(signal: AbortSignal): Promise<Readable> },
  options: DirectoryExamineOptions,
  world: World,
): Promise<Examination> {
  const totals = noTotals();
  const findings: Finding[] = [];
  await inFolder(options, async (folder) => {
    const unpacking = folder === undefined ? undefined : new Unpacking(folder);
    try {
      for await (const member of readArchive(await file.open(world.signal))) {
        if (unpacking === undefined) await member.sum();
        else await unpacking.put(member);
        count(totals, member);
      }
      await unpacking?.finish();
    } catch (error) {
      world.signal.throwIfAborted();
      findings.push(damageIn(error, file.name));
    }
  });
  const { leastFiles } = options;
  if (leastFiles !== undefined && totals.files < leastFiles && findings.length === 0) {
    const what = `It holds ${totals.files} files, and at least ${leastFiles} are expected.`;
    findings.push(damage("file-count", file.name, what));
  }
  return {
    findings,
    items: [
      {
        name: file.name,
        expected: undefined,
        found: totals.files,
        same: undefined,
        bytes: totals.bytes,
      },
    ],
    unit: "files",
    reached: findings.length > 0 ? "integrity" : options.tier,
    unknown: [
      "There is no listing of the folder: whether the archive holds all that was there, and unchanged, is not known.",
    ],
  };
}

async function inFolder<T>(
  { tier, scratch }: DirectoryExamineOptions,
  work: (folder: string | undefined) => Promise<T>,
): Promise<T> {
  if (!holds(tier, "full")) return await work(undefined);
  await using folder = await privateFolder("seaworthy-directory-", scratch);
  return await work(folder.path);
}

/** @throws {UserError} when it is of another kind, or of a version that is not known here. */
export function directoryFingerprint(value: unknown): DirectoryFingerprint {
  const found = value as Partial<DirectoryFingerprint> | null;
  if (found?.kind === "directory" && found.schema === 1 && found.listing !== undefined) {
    return found as DirectoryFingerprint;
  }
  throw new UserError({
    title: "The fingerprint of the backup cannot be used",
    cause: "It is none of a folder, or was made by a newer version of this action.",
    remedy: "Use the version of the action that made the backup, or a newer one.",
  });
}

const TRAITS = ["type", "size", "mode", "mtime", "uid", "gid", "target", "sha256"] as const;

function isDifferent(trait: (typeof TRAITS)[number], expected: Member, found: Member): boolean {
  // Listings of earlier versions do not have owners.
  const isUnknown = (trait === "uid" || trait === "gid") && expected[trait] === undefined;
  return !isUnknown && expected[trait] !== found[trait];
}

function damage(detector: string, subject: string, what: string): Finding {
  return { detector, tier: "integrity", weight: "damage", subject, what };
}

/**
 * The finding for what broke.
 *
 * @throws the error itself, where it is none of the backup's.
 */
export function damageIn(error: unknown, name: string): Finding {
  if (error instanceof ArchiveDamage) return damage("archive", name, `${error.message}.`);
  if (error instanceof SyntaxError) {
    return damage("listing", LISTING, "The listing of the members cannot be read.");
  }
  const finding = findingOf(error);
  if (finding === undefined) throw error;
  return finding;
}

/** An archive and its listing, read side by side. */
class Look {
  readonly #fingerprint: DirectoryFingerprint;
  readonly #unpacking: Unpacking | undefined;
  readonly #findings: Finding[] = [];
  readonly #found: Totals = noTotals();
  #differing = 0;
  #hasOwners = true;
  #seconds: number | undefined;
  broken = false;

  constructor(fingerprint: DirectoryFingerprint, unpacking: Unpacking | undefined) {
    this.#fingerprint = fingerprint;
    this.#unpacking = unpacking;
  }

  async compare(backup: OpenedBackup, signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const { listing: listed } = this.#fingerprint;
    let current = listed.part;
    try {
      const listing = new ListingReader(await backup.open(listed.part, signal));
      current = ARCHIVE;
      const archive = readArchive(await backup.open(ARCHIVE, signal));
      await this.#sideBySide(listing, archive);
      await this.#unpacking?.finish();
      if (listing.sha256 !== listed.sha256) {
        const what = "The listing of the members is not the one that was made with the archive.";
        this.#add("listing", listed.part, what);
      }
      this.#compareTotals();
    } catch (error) {
      signal.throwIfAborted();
      this.broken = true;
      this.#findings.push(damageIn(error, current));
    }
    if (this.#unpacking !== undefined) this.#seconds = (performance.now() - began) / 1000;
  }

  async #sideBySide(
    listing: AsyncIterable<Member>,
    archive: AsyncGenerator<ArchiveMember>,
  ): Promise<void> {
    const expected = listing[Symbol.asyncIterator]();
    try {
      for await (const member of archive) {
        const next = await expected.next();
        if (next.done === true) {
          await this.#consume(member);
          this.#add("member", member.path, "It is in the archive, and not in the listing.");
          continue;
        }
        await this.#member(next.value, member);
        if (this.broken) return;
      }
      for (let next = await expected.next(); next.done !== true; next = await expected.next()) {
        this.#add("member", next.value.path, "It is in the listing, and not in the archive.");
      }
    } finally {
      await expected.return?.();
    }
  }

  async #consume(member: ArchiveMember): Promise<string | undefined> {
    if (this.#unpacking !== undefined) return await this.#unpacking.put(member);
    return member.type === "file" ? await member.sum() : undefined;
  }

  async #member(expected: Member, member: ArchiveMember): Promise<void> {
    const sha256 = await this.#consume(member);
    count(this.#found, { ...member, ...(expected.superseded ? { superseded: true } : {}) });
    if (expected.path !== member.path) {
      // From here on each would stand beside another's.
      const what = `The archive has ${member.path} where the listing has this.`;
      this.#add("member", expected.path, what);
      this.broken = true;
      return;
    }
    if (expected.uid === undefined) this.#hasOwners = false;
    const found: Member = { ...member, ...(sha256 === undefined ? {} : { sha256 }) };
    const different = TRAITS.filter((trait) => isDifferent(trait, expected, found));
    const [first] = different;
    if (first === undefined) return;
    const sentence =
      first === "sha256"
        ? "It holds other bytes than it held."
        : `Its ${first} is ${found[first] ?? "none"} and was ${expected[first] ?? "none"}.`;
    this.#add("member", expected.path, sentence);
  }

  #compareTotals(): void {
    for (const trait of ["files", "folders", "links", "bytes"] as const) {
      if (this.#found[trait] === this.#fingerprint[trait] || this.broken) continue;
      const what = `It has ${this.#found[trait]} ${trait}, and had ${this.#fingerprint[trait]}.`;
      this.#add("file-count", this.#fingerprint.root, what);
    }
  }

  /** Reads the unpacked folder again, as whoever restores it would find it. */
  async rereadAll(folder: string, listing: AsyncIterable<Member>): Promise<void> {
    for await (const member of listing) {
      if (member.superseded) continue;
      const trouble = await reread(folder, member);
      if (trouble === undefined) continue;
      this.#add("restored-file", member.path, `It ${trouble}.`, "full");
    }
  }

  #add(detector: string, subject: string, what: string, tier: Tier = "integrity"): void {
    this.#differing += 1;
    if (this.#differing > MOST_FINDINGS) return;
    this.#findings.push({ detector, tier, weight: "damage", subject, what });
  }

  examination(tier: Tier): Examination {
    const { root, files, bytes } = this.#fingerprint;
    const more = this.#differing - MOST_FINDINGS;
    if (more > 0) this.#findings.push(damage("member", root, `${more} more members differ.`));
    return {
      findings: this.#findings,
      items: [
        {
          name: root,
          expected: files,
          found: this.#found.files,
          same: this.#findings.length === 0,
          bytes,
        },
      ],
      unit: "files",
      reached: this.broken ? "integrity" : tier,
      unknown: [
        "Extended attributes and access control lists are not kept, and not compared.",
        ...(this.#hasOwners ? [] : ["Owners are not in the listing, and were not compared."]),
        ...(holds(tier, "full") ? [] : ["Whether the folder can be unpacked was not tried."]),
      ],
      ...(this.#seconds === undefined ? {} : { restoreSeconds: this.#seconds }),
    };
  }
}
