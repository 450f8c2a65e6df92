import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type {
  Refused,
  Storage,
  StoredObject,
  WriteOptions,
} from "../../../shared/storage/index.ts";

interface Kept {
  bytes: Buffer;
  modified: number;
  lockedUntil?: number;
}

/** A storage in memory, whose objects tests change behind its back. */
export class MemoryStorage implements Storage {
  readonly place = "memory";
  readonly objects = new Map<string, Kept>();
  readonly removed: string[] = [];
  /** What is done before a write or a removal; it may throw. */
  before: (deed: "write" | "remove", name: string) => void | Promise<void> = () => {};
  now = () => Date.UTC(2026, 10, 22);

  put(name: string, bytes: Buffer | string, kept: Partial<Kept> = {}): void {
    this.objects.set(name, { bytes: Buffer.from(bytes), modified: this.now(), ...kept });
  }

  bytes(name: string): Buffer {
    const found = this.objects.get(name);
    if (found === undefined) throw new Error(`${name} is not there`);
    return found.bytes;
  }

  get names(): string[] {
    return [...this.objects.keys()].sort();
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject> {
    for (const name of this.names.filter((each) => each.startsWith(prefix))) {
      const found = await this.stat(name, signal);
      if (found !== undefined) yield found;
    }
  }

  async stat(name: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    signal.throwIfAborted();
    const kept = this.objects.get(name);
    if (kept === undefined) return undefined;
    const { bytes, modified, lockedUntil } = kept;
    return { name, bytes: bytes.length, modified, state: "ready", lockedUntil };
  }

  async write(name: string, content: Readable | Buffer, { signal }: WriteOptions) {
    await this.before("write", name);
    const bytes = Buffer.isBuffer(content) ? content : await aborting(content, signal);
    signal.throwIfAborted();
    if (this.objects.has(name)) throw new Error(`${name} is there already`);
    this.put(name, bytes);
    return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  }

  async read(name: string, { from = 0, to }: { from?: number; to?: number }): Promise<Readable> {
    const bytes = this.bytes(name).subarray(from, to);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += 10_007) chunks.push(bytes.subarray(at, at + 10_007));
    return Readable.from(chunks);
  }

  async remove(names: readonly string[], signal: AbortSignal): Promise<readonly Refused[]> {
    const refused: Refused[] = [];
    for (const name of names) {
      signal.throwIfAborted();
      await this.before("remove", name);
      const lockedUntil = this.objects.get(name)?.lockedUntil;
      if (lockedUntil !== undefined && lockedUntil > this.now()) {
        refused.push({ name, reason: "it is locked" });
        continue;
      }
      this.objects.delete(name);
      this.removed.push(name);
    }
    return refused;
  }
}

async function aborting(content: Readable, signal: AbortSignal): Promise<Buffer> {
  const stop = () => content.destroy(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  try {
    return await buffer(content);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
