import type { ByteCursor } from "./byte-cursor.ts";
import { BrokenCompression } from "./inflate.ts";

const HAS_SUM = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;
/** A name in a header is a file's name. */
const LONGEST_TEXT = 65_536;

/**
 * Takes the header of a gzip member.
 *
 * Source: RFC 1952, section 2.3.
 *
 * @throws {BrokenCompression} where it is none.
 */
export async function readGzipHeader(cursor: ByteCursor): Promise<void> {
  const head = await need(cursor, 10);
  if (head[2] !== 8) throw new BrokenCompression(`its method ${head[2]} is not deflate`);
  const flags = head[3] ?? 0;
  if ((flags & 0xe0) !== 0) throw new BrokenCompression("its header has flags that do not exist");
  if ((flags & HAS_EXTRA) !== 0) {
    const size = (await need(cursor, 2)).readUInt16LE(0);
    await need(cursor, size);
  }
  if ((flags & HAS_NAME) !== 0) await skipText(cursor);
  if ((flags & HAS_COMMENT) !== 0) await skipText(cursor);
  if ((flags & HAS_SUM) !== 0) await need(cursor, 2);
}

async function skipText(cursor: ByteCursor): Promise<void> {
  for (let bytes = 0; bytes < LONGEST_TEXT; bytes++) {
    if ((await need(cursor, 1))[0] === 0) return;
  }
  throw new BrokenCompression("its header has a name that does not end");
}

async function need(cursor: ByteCursor, bytes: number): Promise<Buffer> {
  const taken = await cursor.take(bytes);
  if (taken.length < bytes) throw new BrokenCompression("unexpected end of file");
  return taken;
}
