import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { type OpenedBackup, Progress } from "../backup/index.ts";
import type { Finding } from "../proof/index.ts";
import type { ObjectTraits, TargetBucket } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { Cutter } from "./cutter.ts";
import type { BucketFingerprint, Entry, Pack } from "./entry.ts";
import { ownEntries, type RestorePlan, sumOf } from "./plan.ts";

/** What came of writing objects. */
export interface RestoredObjects {
  readonly findings: readonly Finding[];
  /** Objects that were sent, and their bytes. */
  readonly sent: number;
  readonly sentBytes: number;
  /** Objects that are as they were, those that were right before included. */
  readonly right: number;
}

/** Parts that are read at a time. */
const LANES = 4;
/** Smaller objects of a part are sent several at a time, from memory. */
const SMALL = 1024 * 1024;
const SMALL_TOGETHER = 4;

/**
 * Writes the objects that are not there yet, or hold something else, several at a time, and holds
 * the server's word on each: its SHA-256, else the object is read again. Nothing is removed.
 *
 * @throws {UserError} where the bucket refuses. What was sent by then stays, and is right.
 */
export async function restoreObjects(
  backup: OpenedBackup,
  { packs }: Pick<BucketFingerprint, "packs">,
  { target, plan }: { target: TargetBucket; plan: RestorePlan },
  world: World,
): Promise<RestoredObjects> {
  using sending = new Sending(backup, target, plan, world);
  const next = packs.values();
  const stop = new AbortController();
  const signal = AbortSignal.any([world.signal, stop.signal]);
  let first: { readonly error: unknown } | undefined;
  const lane = async () => {
    try {
      for (const pack of next) await sending.pack(pack, signal);
    } catch (error) {
      first ??= { error };
      stop.abort(error);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  sending.tell();
  world.signal.throwIfAborted();
  if (first !== undefined) throw first.error;
  const { findings, sent, sentBytes } = sending;
  return { findings, sent, sentBytes, right: plan.right.size + sent };
}

class Sending implements Disposable {
  readonly #backup: OpenedBackup;
  readonly #target: TargetBucket;
  readonly #plan: RestorePlan;
  readonly #world: World;
  readonly #progress: Progress;
  readonly findings: Finding[] = [];
  sent = 0;
  sentBytes = 0;
  /** Large objects are sent one at a time: each is sent in parts side by side. */
  #large: Promise<unknown> = Promise.resolve();

  constructor(backup: OpenedBackup, target: TargetBucket, plan: RestorePlan, world: World) {
    this.#backup = backup;
    this.#target = target;
    this.#plan = plan;
    this.#world = world;
    this.#progress = new Progress("Restored", undefined, world);
    this.#progress.expect(plan.bytes);
  }

  [Symbol.dispose](): void {
    this.#progress[Symbol.dispose]();
  }

  tell(): void {
    const { right, objects } = this.#plan;
    this.#world.log.info(
      `${this.sent} objects were sent, ${right.size} were right already, of ${objects}`,
    );
  }

  async pack(pack: Pack, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const entries = await ownEntries(this.#backup, pack, signal);
    if (!entries.some((entry) => this.#keyFor(entry) !== undefined)) return;
    const stream = await this.#backup.open(pack.part, signal);
    const content = new Cutter(stream);
    const going = new Set<Promise<void>>();
    try {
      for (const entry of entries) {
        if (entry.marker === true) continue;
        const key = this.#keyFor(entry);
        const pieces = content.cut(entry.size);
        if (key === undefined) for await (const _ of pieces);
        else if (entry.size > SMALL) await this.#sendLarge(key, entry, pieces, signal);
        else {
          const bytes = await gathered(pieces);
          const sending = this.#send(key, entry, bytes, signal).finally(() =>
            going.delete(sending),
          );
          sending.catch(() => {});
          going.add(sending);
          if (going.size >= SMALL_TOGETHER) await Promise.race(going);
        }
      }
      await Promise.all(going);
    } finally {
      stream.destroy();
      await Promise.allSettled(going);
    }
  }

  /** Undefined for what is not sent. */
  #keyFor(entry: Entry): string | undefined {
    const key = this.#plan.keyOf(entry);
    return key === undefined || this.#plan.right.has(key) ? undefined : key;
  }

  async #sendLarge(
    key: string,
    entry: Entry,
    pieces: AsyncIterable<Buffer>,
    signal: AbortSignal,
  ): Promise<void> {
    const sending = this.#large.then(() =>
      this.#send(key, entry, Readable.from(pieces, { objectMode: false }), signal),
    );
    this.#large = sending.catch(() => {});
    await sending;
  }

  async #send(
    key: string,
    entry: Entry,
    content: Readable | Buffer,
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    if (Buffer.isBuffer(content) && sha256Of(content) !== entry.sha256) {
      this.#add(key, "The backup holds other bytes of it than were listed.");
      return;
    }
    const { bytes, sha256 } = await this.#target.write(key, content, traitsOf(entry), { signal });
    this.#progress.add(bytes);
    if (bytes !== entry.size || sha256 !== entry.sha256) {
      this.#add(key, "The backup holds other bytes of it than were listed.");
      return;
    }
    // A server that tells sums has told this one's. Of others only the bytes themselves do.
    if (this.#target.tellsSums !== true && (await sumOf(this.#target, key, signal)) !== sha256) {
      this.#add(key, "It holds other bytes than were sent.");
      return;
    }
    this.sent += 1;
    this.sentBytes += bytes;
  }

  #add(subject: string, what: string): void {
    this.findings.push({
      detector: "restored-object",
      tier: "full",
      weight: "damage",
      subject,
      what,
    });
  }
}

function traitsOf({ type, headers, metadata, tags }: Entry): ObjectTraits {
  return {
    ...(type === undefined ? {} : { type }),
    ...(headers === undefined ? {} : { headers }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(tags === undefined ? {} : { tags }),
  };
}

async function gathered(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  // Copied: a small piece may hold on to a large buffer, or be one that is used again.
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Lists the target once more: whether all that was restored is there, as large as it was. */
export async function holdListing(
  backup: OpenedBackup,
  { packs }: Pick<BucketFingerprint, "packs">,
  { target, plan }: { target: TargetBucket; plan: RestorePlan },
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const there = new Map<string, number>();
  for await (const { key, bytes } of target.list(false, signal)) there.set(key, bytes);
  const findings: Finding[] = [];
  const add = (subject: string, what: string) => {
    findings.push({ detector: "object-count", tier: "full", weight: "damage", subject, what });
  };
  for (const pack of packs) {
    for (const entry of await ownEntries(backup, pack, signal)) {
      const key = plan.keyOf(entry);
      if (key === undefined) continue;
      const size = there.get(key);
      if (size === undefined) add(key, "It was written, and is not there: somebody removed it.");
      else if (size !== entry.size) add(key, "It was written, and somebody has replaced it since.");
    }
  }
  return findings;
}
