import { createHash, type Hash, randomBytes } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, UserError } from "../../failure/index.ts";
import { partSize } from "./part-size.ts";
import type { Body } from "./wire.ts";

/** Larger parts go by way of the disk, so that memory stays the same whatever the size. */
const MOST_IN_MEMORY = 16 * 1024 * 1024;
const CHUNK = 512 * 1024;

/** A part of an object: summed, and able to be sent more than once. */
export interface Part extends Body {
  /** Counted from 0. */
  readonly index: number;
  /** It is the last one. */
  readonly last: boolean;
  readonly md5: Buffer;
  /** Lets go of what it holds on the disk. */
  close(): Promise<void>;
}

interface Cutting {
  readonly equal: boolean;
  /** Folder for parts that are too large for memory. */
  readonly temporary: string;
  /** Whether the server is to be shown MD5 sums, for it knows no better ones. */
  readonly wantsMd5: () => boolean;
}

/**
 * Cuts a stream into parts, the next one not before it is asked for. There is always one, if an
 * empty one.
 */
export async function* partsOf(
  content: AsyncIterable<Buffer | string>,
  cutting: Cutting,
): AsyncGenerator<Part> {
  let before = 0;
  const blocks = new Blocks();
  let vessel = newVessel(0, 0, cutting, blocks);
  try {
    for await (const chunk of content) {
      let rest = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
      while (rest.length > 0) {
        // Only when more comes it is clear that the full one was not the last.
        if (vessel.room === 0) {
          const { index } = vessel;
          before += vessel.size;
          yield await vessel.part(false);
          vessel = newVessel(index + 1, before, cutting, blocks);
        }
        const taken = rest.subarray(0, vessel.room);
        await vessel.add(taken);
        rest = rest.subarray(taken.length);
      }
    }
    yield await vessel.part(true);
  } finally {
    await vessel.discard();
  }
}

/** What a part is gathered in. */
interface Vessel {
  readonly index: number;
  readonly size: number;
  readonly room: number;
  add(bytes: Buffer): Promise<void>;
  part(last: boolean): Promise<Part>;
  discard(): Promise<void>;
}

/**
 * Memory for parts, used again and again: what is thrown away lies about until the garbage is
 * collected, which large buffers hardly hasten.
 */
class Blocks {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK);
  }

  give(blocks: Buffer[]): void {
    this.#free.push(...blocks.splice(0));
  }
}

function newVessel(index: number, before: number, cutting: Cutting, blocks: Blocks): Vessel {
  const size = partSize(index, before, cutting.equal);
  const sums = new Sums(cutting.wantsMd5());
  return size <= MOST_IN_MEMORY
    ? new MemoryVessel(index, size, sums, blocks)
    : new DiskVessel(index, size, sums, cutting.temporary);
}

class Sums {
  readonly #sha256 = createHash("sha256");
  readonly #md5: Hash | undefined;

  constructor(withMd5: boolean) {
    this.#md5 = withMd5 ? createHash("md5") : undefined;
  }

  add(bytes: Buffer): void {
    this.#sha256.update(bytes);
    this.#md5?.update(bytes);
  }

  digests(): { readonly sha256: Buffer; readonly md5: Buffer } {
    return { sha256: this.#sha256.digest(), md5: this.#md5?.digest() ?? Buffer.alloc(0) };
  }
}

class MemoryVessel implements Vessel {
  readonly index: number;
  readonly size: number;
  readonly #sums: Sums;
  readonly #all: Blocks;
  readonly #blocks: Buffer[] = [];
  #bytes = 0;

  constructor(index: number, size: number, sums: Sums, all: Blocks) {
    this.index = index;
    this.size = size;
    this.#sums = sums;
    this.#all = all;
  }

  get room(): number {
    return this.size - this.#bytes;
  }

  async add(bytes: Buffer): Promise<void> {
    this.#sums.add(bytes);
    // Copied: a small piece may hold on to a large buffer, or be one that is used again.
    for (let rest = bytes; rest.length > 0; ) {
      const used = this.#bytes % CHUNK;
      if (used === 0) this.#blocks.push(this.#all.take());
      const copied = rest.copy(this.#blocks.at(-1) ?? rest, used);
      this.#bytes += copied;
      rest = rest.subarray(copied);
    }
  }

  async part(last: boolean): Promise<Part> {
    const blocks = this.#blocks;
    const bytes = this.#bytes;
    return {
      ...{ index: this.index, last, bytes, ...this.#sums.digests() },
      async *open() {
        for (const [at, block] of blocks.entries()) yield block.subarray(0, bytes - at * CHUNK);
      },
      close: async () => this.#all.give(blocks),
    };
  }

  async discard(): Promise<void> {}
}

class DiskVessel implements Vessel {
  readonly index: number;
  readonly size: number;
  readonly #sums: Sums;
  readonly #folder: string;
  #file: FileHandle | undefined;
  #bytes = 0;

  constructor(index: number, size: number, sums: Sums, folder: string) {
    this.index = index;
    this.size = size;
    this.#sums = sums;
    this.#folder = folder;
  }

  get room(): number {
    return this.size - this.#bytes;
  }

  async add(bytes: Buffer): Promise<void> {
    this.#sums.add(bytes);
    try {
      this.#file ??= await anonymousFile(this.#folder);
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at);
        at += bytesWritten;
      }
    } catch (error) {
      throw new UserError(
        {
          title: "The runner's disk cannot take a part of the upload",
          cause: `${this.#folder}: a part of ${this.size} bytes is kept there while it is sent: ${describe(error)}.`,
          remedy: "Free space on the runner, or let RUNNER_TEMP be on a larger disk.",
        },
        { reason: error },
      );
    }
    this.#bytes += bytes.length;
  }

  async part(last: boolean): Promise<Part> {
    const file = this.#file;
    const bytes = this.#bytes;
    // The part is to close it now.
    this.#file = undefined;
    return {
      ...{ index: this.index, last, bytes, ...this.#sums.digests() },
      open: () => bytesOf(file, bytes),
      close: async () => file?.close(),
    };
  }

  async discard(): Promise<void> {
    await this.#file?.close();
  }
}

/** It has no name any more when it is used: nothing stays of it, however the process ends. */
async function anonymousFile(folder: string): Promise<FileHandle> {
  const path = join(folder, `seaworthy-${randomBytes(8).toString("hex")}.part`);
  const file = await open(path, "wx+", 0o600);
  await unlink(path);
  return file;
}

async function* bytesOf(file: FileHandle | undefined, bytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes; ) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, bytes - at));
    const read = await file?.read(buffer, 0, buffer.length, at);
    if (read === undefined || read.bytesRead === 0)
      throw new Error("the kept part ended too early");
    at += read.bytesRead;
    yield buffer.subarray(0, read.bytesRead);
  }
}
