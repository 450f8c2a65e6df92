import type { ByteReader } from "./byte-reader.ts";

/** How far back LZF can point. */
const WINDOW = 8192;
const PIECE = 128 * 1024;
/** The longest thing that one control byte stands for, in bytes of what is packed. */
const LONGEST_STEP = 33;

/**
 * Unpacks an LZF text as it streams by, and gives it on in pieces, of which each is valid until
 * the next.
 *
 * Source: the LZF format as liblzf documents it.
 *
 * @param packed bytes of the packed text.
 * @param length bytes of the unpacked one, as the file claims; memory does not depend on it.
 * @throws {RdbDamage} when it points back before its beginning, or is not as long as it claims.
 */
export async function* unpackLzf(
  reader: ByteReader,
  packed: number,
  length: number,
): AsyncGenerator<Buffer> {
  const window = Buffer.allocUnsafe(length <= PIECE ? length + 512 : PIECE + WINDOW + 512);
  let filled = 0;
  let given = 0;
  let total = 0;
  const end = reader.offset + packed;
  while (reader.offset < end) {
    if (reader.buffered < LONGEST_STEP)
      await reader.need(Math.min(LONGEST_STEP, end - reader.offset));
    const before = filled;
    filled = step(reader, window, filled);
    total += filled - before;
    if (total > length) throw reader.damage("holds a packed text that is longer than it says");
    if (filled > window.length - 512) {
      yield window.subarray(given, filled);
      window.copyWithin(0, filled - WINDOW, filled);
      filled = WINDOW;
      given = WINDOW;
    }
  }
  if (reader.offset > end) throw reader.damage("holds a packed text that runs over its end");
  if (total !== length) throw reader.damage("holds a packed text that is shorter than it says");
  if (filled > given) yield window.subarray(given, filled);
}

/** One control byte and what belongs to it; gives how far the window is filled then. */
function step(reader: ByteReader, window: Buffer, filled: number): number {
  const control = reader.byte();
  if (control < 32) {
    const literal = reader.take(control + 1);
    literal.copy(window, filled);
    return filled + literal.length;
  }
  let count = (control >> 5) + 2;
  if (count === 9) count += reader.byte();
  const from = filled - (((control & 31) << 8) | reader.byte()) - 1;
  if (from < 0) throw reader.damage("holds a packed text that points before its beginning");
  // Byte by byte: what is copied may be what this copy writes.
  for (let at = 0; at < count; at += 1) window[filled + at] = window[from + at] as number;
  return filled + count;
}
