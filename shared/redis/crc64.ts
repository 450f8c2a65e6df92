/** Tables for eight bytes at a time; each entry's halves stand in two tables of 32-bit words. */
const LOW = new Uint32Array(8 * 256);
const HIGH = new Uint32Array(8 * 256);
/** The polynomial of Jones, reflected, in two halves. Source: the Redis file format, version 5. */
const POLYNOMIAL = { low: 0xac4bc9b5, high: 0x95ac9329 } as const;

fillTables();

function fillTables(): void {
  for (let byte = 0; byte < 256; byte += 1) {
    let low = byte;
    let high = 0;
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = low & 1;
      low = ((low >>> 1) | (high << 31)) >>> 0;
      high >>>= 1;
      if (carry === 1) {
        low = (low ^ POLYNOMIAL.low) >>> 0;
        high = (high ^ POLYNOMIAL.high) >>> 0;
      }
    }
    LOW[byte] = low;
    HIGH[byte] = high;
  }
  for (let at = 256; at < 8 * 256; at += 1) {
    const low = LOW[at - 256] as number;
    const high = HIGH[at - 256] as number;
    const byte = low & 0xff;
    LOW[at] = ((low >>> 8) | (high << 24)) ^ (LOW[byte] as number);
    HIGH[at] = (high >>> 8) ^ (HIGH[byte] as number);
  }
}

/** The checksum at the end of an RDB, taken as the bytes stream by. */
export class Crc64 {
  #low = 0;
  #high = 0;

  update(bytes: Buffer): void {
    let low = this.#low;
    let high = this.#high;
    let at = 0;
    const whole = bytes.length - (bytes.length % 8);
    for (; at < whole; at += 8) {
      low ^= word(bytes, at);
      high ^= word(bytes, at + 4);
      const a = 1792 + (low & 0xff);
      const b = 1536 + ((low >>> 8) & 0xff);
      const c = 1280 + ((low >>> 16) & 0xff);
      const d = 1024 + (low >>> 24);
      const e = 768 + (high & 0xff);
      const f = 512 + ((high >>> 8) & 0xff);
      const g = 256 + ((high >>> 16) & 0xff);
      const h = high >>> 24;
      low = xored(LOW, a, b, c, d) ^ xored(LOW, e, f, g, h);
      high = xored(HIGH, a, b, c, d) ^ xored(HIGH, e, f, g, h);
    }
    for (; at < bytes.length; at += 1) {
      const place = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[place] as number);
      high = (high >>> 8) ^ (HIGH[place] as number);
    }
    this.#low = low;
    this.#high = high;
  }

  get value(): bigint {
    return (BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0);
  }
}

function xored(table: Uint32Array, a: number, b: number, c: number, d: number): number {
  return (table[a] as number) ^ (table[b] as number) ^ (table[c] as number) ^ (table[d] as number);
}

function word(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
