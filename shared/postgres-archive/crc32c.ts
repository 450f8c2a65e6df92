const POLYNOMIAL = 0x82f63b78;
const WIDE = 8;
const TABLES = tables();

function tables(): Int32Array {
  const made = new Int32Array(WIDE * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let sum = byte;
    for (let bit = 0; bit < 8; bit += 1)
      sum = (sum & 1) === 1 ? (sum >>> 1) ^ POLYNOMIAL : sum >>> 1;
    made[byte] = sum;
  }
  for (let at = 256; at < made.length; at += 1) {
    const before = made[at - 256] as number;
    made[at] = (before >>> 8) ^ (made[before & 255] as number);
  }
  return made;
}

/** The table's entry for a byte that is `distance` bytes before the end of eight. */
const of = (distance: number, byte: number) => TABLES[distance * 256 + byte] as number;

/**
 * CRC-32C, which PostgreSQL uses for WAL and for the files of a base backup; eight bytes at once.
 *
 * Source: RFC 3720, appendix B.4.
 *
 * @param sum of what came before; 0 at the beginning.
 */
export function crc32c(bytes: Uint8Array, sum = 0): number {
  let crc = ~sum;
  let at = 0;
  for (const whole = bytes.length - (bytes.length % WIDE); at < whole; at += WIDE) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      of(7, low & 255) ^
      of(6, (low >>> 8) & 255) ^
      of(5, (low >>> 16) & 255) ^
      of(4, low >>> 24) ^
      of(3, bytes[at + 4] as number) ^
      of(2, bytes[at + 5] as number) ^
      of(1, bytes[at + 6] as number) ^
      of(0, bytes[at + 7] as number);
  }
  for (; at < bytes.length; at += 1) crc = (crc >>> 8) ^ of(0, (crc ^ (bytes[at] as number)) & 255);
  return ~crc >>> 0;
}
