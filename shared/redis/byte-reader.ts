import { Crc64 } from "./crc64.ts";
import { RdbDamage } from "./damage.ts";

/** Who gets bytes as they stand, while somebody else reads what they mean. */
export interface ByteKeeper {
  /** Waits only where it has to put them somewhere. */
  add(bytes: Buffer): Promise<void> | undefined;
}

/**
 * Takes a stream of bytes apart, and sums up what was taken. Reading is synchronous as long as the
 * bytes are at hand: `need` fetches them. Nothing is ever allocated on the word of a length: memory
 * grows only with bytes that have really come.
 */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #crc = new Crc64();
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Up to where the checksum has seen the buffer. */
  #summed = 0;
  /** The offset of the buffer's beginning. */
  #base = 0;
  #ended = false;
  #keeper: ByteKeeper | undefined;
  /** Up to where the keeper has got the buffer. */
  #kept = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** How many bytes have been taken. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** How many bytes are at hand. */
  get buffered(): number {
    return this.#buffer.length - this.#at;
  }

  /** Of all bytes that have been taken. */
  get checksum(): bigint {
    this.#sum();
    return this.#crc.value;
  }

  /** Gets so many bytes to hand, or fewer where the stream ends before. */
  async need(count: number): Promise<void> {
    if (this.buffered >= count || this.#ended) return;
    const parts = [this.#buffer.subarray(this.#at)];
    if (this.#keeper !== undefined) await this.#keep(this.#keeper);
    this.#kept = 0;
    this.#sum();
    this.#base += this.#at;
    this.#at = 0;
    this.#summed = 0;
    let length = parts[0]?.length ?? 0;
    while (length < count) {
      const { done, value } = await this.#chunks.next();
      if (done) {
        this.#ended = true;
        break;
      }
      parts.push(value);
      length += value.length;
    }
    const filled = parts.filter((part) => part.length > 0);
    this.#buffer = filled.length === 1 && filled[0] ? filled[0] : Buffer.concat(filled);
  }

  /** Whether nothing is left. */
  async atEnd(): Promise<boolean> {
    await this.need(1);
    return this.buffered === 0;
  }

  /** @throws {RdbDamage} where the bytes are not there. */
  byte(): number {
    const byte = this.#buffer[this.#at];
    if (byte === undefined) throw this.cut();
    this.#at += 1;
    return byte;
  }

  /** A view of the next bytes, which must be at hand. */
  take(count: number): Buffer {
    if (this.buffered < count) throw this.cut();
    const part = this.#buffer.subarray(this.#at, this.#at + count);
    this.#at += count;
    return part;
  }

  async bytes(count: number): Promise<Buffer> {
    if (this.buffered < count) await this.need(count);
    return this.take(count);
  }

  /** The next bytes in pieces, as they come. */
  async *pieces(count: number): AsyncGenerator<Buffer> {
    let left = count;
    while (left > 0) {
      if (this.buffered === 0) await this.need(1);
      if (this.buffered === 0) throw this.cut();
      const part = this.take(Math.min(left, this.buffered));
      left -= part.length;
      yield part;
    }
  }

  /** From here on, all that is taken is given to somebody too, until they are let go. */
  startKeeping(keeper: ByteKeeper): void {
    this.#keeper = keeper;
    this.#kept = this.#at;
  }

  async stopKeeping(): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    if (keeper !== undefined) await this.#keep(keeper);
  }

  async #keep(keeper: ByteKeeper): Promise<void> {
    const waiting = keeper.add(this.#buffer.subarray(this.#kept, this.#at));
    this.#kept = this.#at;
    if (waiting !== undefined) await waiting;
  }

  damage(what: string): RdbDamage {
    return new RdbDamage(what, this.offset);
  }

  cut(): RdbDamage {
    return new RdbDamage("ends in the middle", this.#base + this.#buffer.length);
  }

  #sum(): void {
    this.#crc.update(this.#buffer.subarray(this.#summed, this.#at));
    this.#summed = this.#at;
  }
}
