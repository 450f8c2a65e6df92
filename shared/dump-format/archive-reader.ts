import { isUtf8 } from "node:buffer";
import type { ByteCursor } from "./byte-cursor.ts";

/** The bytes are not what the format of archives allows. */
export class BrokenArchive extends Error {
  /** Where, in bytes from the beginning of the file. */
  readonly offset: number;
  /** Whether the file simply ended. */
  readonly cut: boolean;

  constructor(message: string, offset: number, cut = false) {
    super(message);
    this.offset = offset;
    this.cut = cut;
  }
}

/** Of an offset: it is known. The others are 1, not known yet, and 3, no data. */
const POSITION_SET = 2;
const LARGEST = 2 ** 31 - 1;
/** A definition beyond this is none. */
const LONGEST_TEXT = 256 * 1024 ** 2;

/** Reads numbers and texts as pg_dump writes them into archives. */
export class ArchiveReader {
  readonly cursor: ByteCursor;
  /** Where texts are that are no UTF-8. */
  readonly foreignTexts: number[] = [];
  intSize = 4;
  offsetSize = 8;

  constructor(cursor: ByteCursor) {
    this.cursor = cursor;
  }

  get offset(): number {
    return this.cursor.position;
  }

  async bytes(count: number): Promise<Buffer> {
    const at = this.offset;
    const taken = await this.cursor.take(count);
    if (taken.length < count) throw new BrokenArchive("the file ends", at + taken.length, true);
    return taken;
  }

  async byte(): Promise<number> {
    return (await this.bytes(1))[0] ?? 0;
  }

  /** A sign, and the bytes of the number from its lowest on. */
  async int(): Promise<number> {
    const at = this.offset;
    const bytes = await this.bytes(1 + this.intSize);
    return intIn(bytes, 0, this.intSize, at);
  }

  async text(): Promise<string | undefined> {
    const at = this.offset;
    const length = await this.int();
    if (length === -1) return undefined;
    if (length < 0 || length > LONGEST_TEXT) {
      throw new BrokenArchive(`a text has the length ${length}`, at);
    }
    const bytes = await this.bytes(length);
    if (bytes.includes(0)) throw new BrokenArchive("a text has a zero byte in it", at);
    if (!isUtf8(bytes)) this.foreignTexts.push(at);
    return bytes.toString("utf8");
  }

  async position(): Promise<{ state: number; offset: number }> {
    const at = this.offset;
    const state = await this.byte();
    if (state < 1 || state > 3) throw new BrokenArchive(`an offset has the state ${state}`, at);
    const bytes = await this.bytes(this.offsetSize);
    let offset = 0;
    for (let index = bytes.length - 1; index >= 0; index--)
      offset = offset * 256 + (bytes[index] ?? 0);
    if (state !== POSITION_SET && offset !== 0) {
      throw new BrokenArchive(`an offset that is not set is ${offset}`, at);
    }
    return { state, offset };
  }
}

/**
 * The number that stands at a place.
 *
 * @throws {BrokenArchive} where its sign is none.
 */
export function intIn(bytes: Buffer, at: number, size: number, offset: number): number {
  const sign = bytes[at] ?? 0;
  if (sign > 1) throw new BrokenArchive(`a number has the sign ${sign}`, offset);
  let value = 0;
  for (let index = size; index >= 1; index--) value = value * 256 + (bytes[at + index] ?? 0);
  if (value > LARGEST + sign) throw new BrokenArchive(`a number is ${value}`, offset);
  return sign === 1 ? -value : value;
}
