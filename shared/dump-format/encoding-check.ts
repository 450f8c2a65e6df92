import { isAscii, isUtf8 } from "node:buffer";

/** Where bytes first are no UTF-8. */
export interface BadBytes {
  readonly offset: number;
  readonly line: number;
  readonly bytes: string;
}

/** Looks through a text in chunks cut anywhere: is it UTF-8, is it ASCII, has it zero bytes? */
export class EncodingCheck {
  #carry: Buffer = Buffer.alloc(0);
  #offset = 0;
  badChunks = 0;
  zeroBytes = 0;
  firstBad: BadBytes | undefined;
  firstZero: { readonly offset: number; readonly line: number } | undefined;
  /** Whether there is anything beyond ASCII that is UTF-8. */
  beyondAscii = false;

  /** @param line the line that the chunk begins in. */
  push(chunk: Buffer, line: number): void {
    if (chunk.indexOf(0) !== -1) this.#zeros(chunk, line);
    const cut = chunk.length - incompleteAtEnd(chunk);
    const whole = this.#carry.length === 0 ? chunk.subarray(0, cut) : this.#withCarry(chunk, cut);
    this.beyondAscii ||= !isAscii(whole);
    if (!isUtf8(whole)) this.#bad(whole, this.#offset - this.#carry.length, line);
    this.#carry = Buffer.from(chunk.subarray(cut));
    this.#offset += chunk.length;
  }

  end(line: number): void {
    if (this.#carry.length > 0) this.#bad(this.#carry, this.#offset - this.#carry.length, line);
  }

  #withCarry(chunk: Buffer, cut: number): Buffer {
    return Buffer.concat([this.#carry, chunk.subarray(0, cut)]);
  }

  #zeros(chunk: Buffer, line: number): void {
    const at = chunk.indexOf(0);
    this.firstZero ??= { offset: this.#offset + at, line: line + linesBefore(chunk, at) };
    this.zeroBytes += chunk.reduce((sum, byte) => sum + (byte === 0 ? 1 : 0), 0);
  }

  #bad(bytes: Buffer, offset: number, line: number): void {
    this.badChunks += 1;
    if (this.firstBad !== undefined) return;
    const at = firstInvalid(bytes);
    this.firstBad = {
      offset: offset + at,
      line: line + linesBefore(bytes, at),
      bytes: bytes.subarray(at, at + 4).toString("hex"),
    };
  }
}

/** How many bytes at the end may be the beginning of a character that goes on. */
function incompleteAtEnd(chunk: Buffer): number {
  for (let back = 1; back <= 3 && back <= chunk.length; back++) {
    const byte = chunk[chunk.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

/** By halves: the longest beginning that is UTF-8. */
function firstInvalid(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const part = bytes.subarray(good, middle);
    const left = incompleteAtEnd(part);
    if (left === part.length) {
      // Too short to cut between characters: one by one.
      for (let end = good + 1; end <= bad; end++) {
        if (isUtf8(bytes.subarray(good, end))) good = end;
      }
      return good;
    }
    if (isUtf8(part.subarray(0, part.length - left))) good = middle - left;
    else bad = middle;
  }
  return good;
}

function linesBefore(bytes: Buffer, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1 && at < end; at = bytes.indexOf(10, at + 1))
    lines += 1;
  return lines;
}
