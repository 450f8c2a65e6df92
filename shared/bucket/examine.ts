import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { findingOf, type OpenedBackup } from "../backup/index.ts";
import { UserError } from "../failure/index.ts";
import { type Examination, type Finding, holds, type Tier } from "../proof/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { Cutter } from "./cutter.ts";
import type { BucketFingerprint, Entry, Pack } from "./entry.ts";
import { readEntries } from "./read-entries.ts";

/** So many objects that differ are named; the others are counted. */
const MOST_FINDINGS = 50;

export interface BucketExamineOptions {
  readonly tier: Tier;
  /** An empty place where the objects are restored for `full`, and removed again. */
  readonly scratch?: Storage | undefined;
}

/**
 * Verifies a backup of a bucket: every byte of every object against its SHA-256 in the listings,
 * which are held to the fingerprint; at `full` each is also restored into a scratch place, whose
 * own word on it is held against the listing.
 *
 * @throws {UserError} where nothing can be said at all.
 */
export async function examineBucket(
  backup: OpenedBackup,
  { tier, scratch }: BucketExamineOptions,
  world: World,
): Promise<Examination> {
  const fingerprint = bucketFingerprint(await backup.fingerprint(world.signal));
  const restores = holds(tier, "full") && scratch !== undefined;
  const look = new Look(restores ? scratch : undefined, world);
  const began = performance.now();
  try {
    for (const pack of fingerprint.packs) await look.pack(backup, pack);
  } finally {
    await look.tidy();
  }
  const reached = holds(tier, "full") && !restores ? "data" : tier;
  return {
    findings: look.findings,
    items: [
      {
        name: fingerprint.place,
        expected: fingerprint.objects,
        found: look.sound,
        same: look.findings.length === 0,
        bytes: fingerprint.bytes,
      },
    ],
    unit: "objects",
    reached: look.broken ? "integrity" : reached,
    unknown: [
      "Access rules, lifecycle and other settings of the bucket itself are not kept.",
      ...(restores ? [] : ["Whether the objects can be written back to a bucket was not tried."]),
    ],
    ...(restores ? { restoreSeconds: (performance.now() - began) / 1000 } : {}),
  };
}

/** @throws {UserError} when it is of another kind, or of a version that is not known here. */
export function bucketFingerprint(value: unknown): BucketFingerprint {
  const found = value as Partial<BucketFingerprint> | null;
  if (found?.kind === "bucket" && found.schema === 1 && Array.isArray(found.packs)) {
    return found as BucketFingerprint;
  }
  throw new UserError({
    title: "The fingerprint of the backup cannot be used",
    cause: "It is none of a bucket, or was made by a newer version of this action.",
    remedy: "Use the version of the action that made the backup, or a newer one.",
  });
}

class Look {
  readonly findings: Finding[] = [];
  /** Objects that are as they were. */
  sound = 0;
  broken = false;
  readonly #scratch: Storage | undefined;
  readonly #world: World;
  readonly #restored: string[] = [];
  #differing = 0;

  constructor(scratch: Storage | undefined, world: World) {
    this.#scratch = scratch;
    this.#world = world;
  }

  async pack(backup: OpenedBackup, pack: Pack): Promise<void> {
    const { signal } = this.#world;
    try {
      const { entries, isOwn } = await readEntries(backup, pack, signal);
      if (!isOwn) {
        this.#add(
          "listing",
          pack.listing,
          "The listing is not the one that was made with its part.",
        );
      } else if (entries.length !== pack.objects) {
        const what = `It names ${entries.length} objects, and had ${pack.objects}.`;
        this.#add("object-count", pack.listing, what);
      }
      const content = new Cutter(await backup.open(pack.part, signal));
      for (const entry of entries) await this.#object(entry, content);
      if (!(await content.atEnd())) {
        this.#add("object", pack.part, "It holds more than its listing names.");
      }
    } catch (error) {
      signal.throwIfAborted();
      const finding = error instanceof SyntaxError ? unreadable(pack) : findingOf(error);
      if (finding === undefined) throw error;
      this.broken = true;
      this.findings.push(finding);
    }
  }

  async #object(entry: Entry, content: Cutter): Promise<void> {
    if (entry.marker) {
      this.sound += 1;
      return;
    }
    const sum = createHash("sha256");
    const pieces = content.cut(entry.size, (piece) => sum.update(piece));
    const stored = await this.#restore(pieces);
    const name = entry.version === undefined ? entry.key : `${entry.key} (${entry.version})`;
    if (content.short) {
      this.#add("object", name, `It is cut short: ${entry.size} bytes are listed.`);
    } else if (sum.digest("hex") !== entry.sha256) {
      this.#add("object", name, "It holds other bytes than it held.");
    } else if (stored !== undefined && stored !== entry.sha256) {
      this.#add("restored-object", name, "Restored, it holds other bytes than it held.", "full");
    } else {
      this.sound += 1;
    }
  }

  /** Writes an object to the scratch place; gives the place's own word on it. */
  async #restore(pieces: AsyncIterable<Buffer>): Promise<string | undefined> {
    const scratch = this.#scratch;
    if (scratch === undefined) {
      for await (const _ of pieces);
      return undefined;
    }
    const name = `seaworthy-proof/${String(this.#restored.length + 1).padStart(9, "0")}`;
    this.#restored.push(name);
    const { signal } = this.#world;
    const content = Readable.from(pieces, { objectMode: false });
    await scratch.write(name, content, { signal });
    const sum = createHash("sha256");
    for await (const chunk of await scratch.read(name, { signal })) sum.update(chunk as Buffer);
    await scratch.remove([name], signal);
    this.#restored.pop();
    return sum.digest("hex");
  }

  /** Leaves nothing in the scratch place. */
  async tidy(): Promise<void> {
    if (this.#restored.length === 0) return;
    await this.#scratch?.remove(this.#restored, this.#world.aftermath);
  }

  #add(detector: string, subject: string, what: string, tier: Tier = "integrity"): void {
    this.#differing += 1;
    if (this.#differing <= MOST_FINDINGS) {
      this.findings.push({ detector, tier, weight: "damage", subject, what });
    }
  }
}

function unreadable({ listing }: Pack): Finding {
  return {
    detector: "listing",
    tier: "integrity",
    weight: "damage",
    subject: listing,
    what: "The listing of the objects cannot be read.",
  };
}
