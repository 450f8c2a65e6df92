import { createReadStream } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { ByteKeeper } from "./byte-reader.ts";
import { Crc64 } from "./crc64.ts";

/** What is longer waits in a file: the command has to say how long it is before it begins. */
const LONGEST_IN_MEMORY = 4 * 1024 * 1024;
const LIBRARY = 245;

/** A value as RESTORE takes it, made of the bytes that an RDB has of it. */
export class DumpPayload implements ByteKeeper {
  readonly #version: number;
  readonly #spool: string;
  readonly #crc = new Crc64();
  #parts: Buffer[] = [];
  #file: FileHandle | undefined;
  /** In bytes. */
  size = 0;

  /**
   * @param type of the value, the byte before it in the file.
   * @param version of the RDB.
   * @param spool the path of a file that may be made for a long one, and is removed again.
   */
  constructor(type: number, version: number, spool: string) {
    this.#version = version;
    this.#spool = spool;
    this.#put(Buffer.from([type]));
  }

  add(bytes: Buffer): Promise<void> | undefined {
    this.#put(bytes);
    return this.size > LONGEST_IN_MEMORY ? this.#spill() : undefined;
  }

  #put(bytes: Buffer): void {
    this.#crc.update(bytes);
    this.#parts.push(bytes);
    this.size += bytes.length;
  }

  async #spill(): Promise<void> {
    this.#file ??= await open(this.#spool, "w", 0o600);
    for (const part of this.#parts) await this.#file.writeFile(part);
    this.#parts = [];
  }

  /** Ends it by version and checksum; after that it can be sent. */
  async end(): Promise<void> {
    const version = Buffer.alloc(2);
    version.writeUInt16LE(this.#version);
    this.#put(version);
    const sum = Buffer.alloc(8);
    sum.writeBigUInt64LE(this.#crc.value);
    this.#put(sum);
    if (this.#file === undefined) return;
    await this.#spill();
    await this.#file.close();
  }

  get isLong(): boolean {
    return this.#file !== undefined;
  }

  /** One that is not long. */
  whole(): Buffer {
    return Buffer.concat(this.#parts);
  }

  pieces(): AsyncIterable<Buffer> {
    return createReadStream(this.#spool) as AsyncIterable<Buffer>;
  }

  async remove(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#file.close().catch(() => {});
    await rm(this.#spool, { force: true });
  }
}

/**
 * All libraries of functions as FUNCTION RESTORE takes them.
 *
 * Source: redis/redis, src/functions.c, "functionDumpCommand".
 */
export function functionsPayload(codes: readonly Buffer[], version: number): Buffer {
  const parts = codes.flatMap((code) => [Buffer.from([LIBRARY]), writtenLength(code.length), code]);
  const tail = Buffer.alloc(2);
  tail.writeUInt16LE(version);
  const content = Buffer.concat([...parts, tail]);
  const crc = new Crc64();
  crc.update(content);
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64LE(crc.value);
  return Buffer.concat([content, sum]);
}

/** The version at the end of what DUMP and FUNCTION DUMP give. */
export function versionOf(payload: Buffer): number | undefined {
  return payload.length < 10 ? undefined : payload.readUInt16LE(payload.length - 10);
}

/** Source: Redis RDB file format, "Length Encoding". */
function writtenLength(length: number): Buffer {
  if (length < 64) return Buffer.from([length]);
  if (length < 16_384) return Buffer.from([0x40 | (length >> 8), length & 0xff]);
  const bytes = Buffer.alloc(5, 0x80);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
