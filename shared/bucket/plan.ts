import { createHash } from "node:crypto";
import { matchesGlob } from "node:path";
import type { OpenedBackup } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import type { SeenObject, TargetBucket } from "../storage/index.ts";
import type { BucketFingerprint, Entry, Pack } from "./entry.ts";
import { readEntries } from "./read-entries.ts";

/** What a restore of a bucket has to do. */
export interface RestorePlan {
  /** Where an object of the backup belongs; undefined for one that is not restored. */
  keyOf(entry: Entry): string | undefined;
  /** Objects to restore, and their bytes. */
  readonly objects: number;
  readonly bytes: number;
  /** Keys of the target that are as they should be already. */
  readonly right: ReadonlySet<string>;
  /** Keys of the target that hold something else. */
  readonly replaced: readonly string[];
  /** Keys of the target that the backup does not have. */
  readonly removed: readonly string[];
  /** Earlier versions in the backup, which are not restored. */
  readonly earlier: number;
  /** Objects that cannot be removed now, each with its reason. */
  readonly locked: readonly string[];
}

const TOGETHER = 8;

/**
 * Compares a target with a backup, object by object; nothing is changed. What is there already is
 * only taken for right by its content: by its SHA-256, which the server tells or which is read.
 *
 * @param patterns of keys from the prefix on; all where there are none.
 * @throws {UserError} for a pattern that is of nothing, and for keys that no address can have.
 */
export async function planRestore(
  backup: OpenedBackup,
  fingerprint: BucketFingerprint,
  { target, patterns }: { target: TargetBucket; patterns: readonly string[] | undefined },
  signal: AbortSignal,
): Promise<RestorePlan> {
  const there = new Map<string, number>();
  for await (const { key, bytes } of target.list(false, signal)) there.set(key, bytes);
  const chosen = new KeyPatterns(patterns);
  const from = prefixOf(fingerprint.place);
  const keyOf = (entry: Entry): string | undefined => {
    if (entry.earlier === true || entry.marker === true) return undefined;
    const rest = entry.key.slice(from.length);
    return chosen.take(rest) ? `${target.prefix}${rest}` : undefined;
  };
  const right = new Set<string>();
  const replaced: string[] = [];
  let [objects, bytes, earlier] = [0, 0, 0];
  const compare = async ({ key, entry, size }: { key: string; entry: Entry; size: number }) => {
    if (await isRight(target, key, entry, size, signal)) right.add(key);
    else replaced.push(key);
  };
  for (const pack of fingerprint.packs) {
    const candidates: Parameters<typeof compare>[0][] = [];
    for (const entry of await ownEntries(backup, pack, signal)) {
      if (entry.earlier === true) earlier += 1;
      const key = keyOf(entry);
      if (key === undefined) continue;
      objects += 1;
      bytes += entry.size;
      const size = there.get(key);
      if (size !== undefined) candidates.push({ key, entry, size });
      there.delete(key);
    }
    await eachOf(candidates, compare);
  }
  if (chosen.unused !== undefined) throw nothingLike(chosen.unused, fingerprint);
  const removed = [...there.keys()].filter((key) => chosen.take(key.slice(target.prefix.length)));
  const locked: string[] = [];
  await eachOf(removed, async (key) => {
    const lock = (await target.look(key, false, signal))?.lock;
    if (lock !== undefined) locked.push(`${key}: ${lock}`);
  });
  return { keyOf, objects, bytes, right, replaced, removed, earlier, locked };
}

/** @throws {UserError} where the listing is not that of the part. */
export async function ownEntries(
  backup: OpenedBackup,
  pack: Pack,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const { entries, isOwn } = await readEntries(backup, pack, signal);
  if (isOwn) return entries;
  throw new UserError({
    title: "The backup is damaged",
    cause: `${pack.listing} is not the listing that was made with its part.`,
    remedy: "Give another backup, such as backup: proven.",
  });
}

async function isRight(
  target: TargetBucket,
  key: string,
  entry: Entry,
  size: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (size !== entry.size) return false;
  const seen = await target.look(key, entry.tags !== undefined, signal);
  if (seen === undefined || seen.bytes !== entry.size || !hasTraits(seen, entry)) return false;
  if (seen.sha256 === entry.sha256) return true;
  return seen.state === "ready" && (await sumOf(target, key, signal)) === entry.sha256;
}

/** The SHA-256 of what an object holds, read whole. */
export async function sumOf(
  target: TargetBucket,
  key: string,
  signal: AbortSignal,
): Promise<string> {
  const sum = createHash("sha256");
  const { content } = await target.read({ key, version: undefined }, signal);
  for await (const chunk of content) sum.update(chunk as Buffer);
  return sum.digest("hex");
}

/** Whether what is kept with an object is as it was. */
export function hasTraits(
  seen: Pick<SeenObject, "type" | "headers" | "metadata" | "tags">,
  { type, headers, metadata, tags }: Entry,
): boolean {
  const isSame = (a: object, b: object = {}) => sorted(a) === sorted(b);
  return (
    (type === undefined || seen.type === type) &&
    isSame(seen.headers, headers) &&
    isSame(seen.metadata, metadata) &&
    isSame(seen.tags, tags)
  );
}

function sorted(values: object): string {
  return JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `prod/` of `s3://bucket/prod`. */
function prefixOf(place: string): string {
  const prefix = place.replace(/^s3:\/\/[^/]*\/?/, "");
  return prefix === "" ? "" : `${prefix}/`;
}

/** Works on several at a time, and stops at the first that fails. */
async function eachOf<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const next = all.values();
  const lane = async () => {
    for (const each of next) await work(each);
  };
  await Promise.all(Array.from({ length: TOGETHER }, lane));
}

/** Patterns of keys; what is below a key that one names, as below a folder, is meant too. */
class KeyPatterns {
  readonly #patterns: readonly string[] | undefined;
  readonly #used = new Set<string>();

  constructor(patterns: readonly string[] | undefined) {
    this.#patterns = patterns?.map((each) => each.trim().replace(/^\.?\/|\/+$/g, ""));
  }

  take(key: string): boolean {
    if (this.#patterns === undefined) return true;
    const found = this.#patterns.find((pattern) => {
      const named = pattern.includes("/") ? pattern : `**/${pattern}`;
      return matchesGlob(key, named) || matchesGlob(key, `${named}/**`);
    });
    if (found !== undefined) this.#used.add(found);
    return found !== undefined;
  }

  /** A pattern that was of nothing. */
  get unused(): string | undefined {
    return this.#patterns?.find((pattern) => !this.#used.has(pattern));
  }
}

function nothingLike(pattern: string, { place }: BucketFingerprint): UserError {
  return new UserError({
    title: "The backup has no such object",
    cause: `Nothing in the backup of ${place} is like ${JSON.stringify(pattern)}.`,
    remedy:
      "Give keys from the prefix on, such as images/2026, or names at any depth, such as *.png. Nothing was changed.",
  });
}
