import { decimal } from "./rdb-text.ts";

/** What is wrong with a packed value, as a phrase; the reader adds where. */
export class PackedDamage extends Error {}

/** @throws {PackedDamage} */
function ensure(right: boolean, what: string): asserts right {
  if (!right) throw new PackedDamage(what);
}

/** A little-endian number of so many bytes with a sign, as text. */
function signed(bytes: Buffer, at: number, size: number): Buffer {
  return decimal(size === 8 ? bytes.readBigInt64LE(at) : bytes.readIntLE(at, size));
}

/**
 * The elements of a listpack.
 *
 * Source: listpack specification, github.com/antirez/listpack.
 *
 * @throws {PackedDamage}
 */
export function* listpack(bytes: Buffer): Generator<Buffer> {
  ensure(bytes.length >= 7, "holds a listpack that is cut short");
  ensure(bytes.readUInt32LE(0) === bytes.length, "holds a listpack of another length than it says");
  const count = bytes.readUInt16LE(4);
  let at = 6;
  let seen = 0;
  while (at < bytes.length && bytes[at] !== 0xff) {
    const { element, size } = listpackElement(bytes, at);
    ensure(at + size <= bytes.length - 1, "holds a listpack whose element runs over its end");
    const backward = backwardLength(size);
    ensure(
      readsBackward(bytes, at + size, backward, size),
      "holds a listpack whose elements do not join",
    );
    yield element;
    seen += 1;
    at += size + backward;
  }
  ensure(at === bytes.length - 1, "holds a listpack without its end");
  ensure(count === 0xffff || count === seen, "holds a listpack with another count than it says");
}

function listpackElement(bytes: Buffer, at: number): { element: Buffer; size: number } {
  const first = bytes[at] as number;
  const numeric = (size: number) => {
    ensure(at + 1 + size < bytes.length, "holds a listpack that is cut short");
    return { element: signed(bytes, at + 1, size), size: 1 + size };
  };
  const textual = (head: number, length: number) => {
    ensure(at + head + length < bytes.length, "holds a listpack that is cut short");
    return { element: bytes.subarray(at + head, at + head + length), size: head + length };
  };
  ensure(
    at + 5 < bytes.length || first < 0xe0 || first > 0xf0,
    "holds a listpack that is cut short",
  );
  if (first < 0x80) return { element: decimal(first), size: 1 };
  if (first < 0xc0) return textual(1, first & 0x3f);
  ensure(
    at + (first === 0xf0 ? 5 : 2) < bytes.length || first < 0xc0,
    "holds a listpack that is cut short",
  );
  if (first < 0xe0) {
    const value = ((first & 0x1f) << 8) | (bytes[at + 1] as number);
    return { element: decimal(value >= 4096 ? value - 8192 : value), size: 2 };
  }
  if (first < 0xf0) return textual(2, ((first & 0x0f) << 8) | (bytes[at + 1] as number));
  switch (first) {
    case 0xf0:
      return textual(5, bytes.readUInt32LE(at + 1));
    case 0xf1:
      return numeric(2);
    case 0xf2:
      return numeric(3);
    case 0xf3:
      return numeric(4);
    case 0xf4:
      return numeric(8);
  }
  throw new PackedDamage("holds a listpack with an unknown encoding");
}

/** How many bytes the length of an element takes after it, for reading backward. */
function backwardLength(size: number): number {
  if (size < 128) return 1;
  if (size < 16_383) return 2;
  if (size < 2_097_151) return 3;
  return size < 268_435_455 ? 4 : 5;
}

function readsBackward(bytes: Buffer, at: number, length: number, size: number): boolean {
  let value = 0;
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return false;
    // All but the first byte, which is the last when read backward, say that more follows.
    if (byte >= 128 !== index > 0) return false;
    value = value * 128 + (byte & 0x7f);
  }
  return value === size;
}

/**
 * The elements of a ziplist, as servers before 7.0 wrote them.
 *
 * Source: Redis RDB file format, "Ziplist".
 *
 * @throws {PackedDamage}
 */
export function* ziplist(bytes: Buffer): Generator<Buffer> {
  ensure(bytes.length >= 11, "holds a ziplist that is cut short");
  ensure(bytes.readUInt32LE(0) === bytes.length, "holds a ziplist of another length than it says");
  const count = bytes.readUInt16LE(8);
  let at = 10;
  let before = 0;
  let seen = 0;
  let last = 10;
  while (at < bytes.length && bytes[at] !== 0xff) {
    const wide = bytes[at] === 0xfe;
    ensure(at + (wide ? 6 : 2) < bytes.length, "holds a ziplist that is cut short");
    const previous = wide ? bytes.readUInt32LE(at + 1) : (bytes[at] as number);
    ensure(previous === before, "holds a ziplist whose elements do not join");
    const head = wide ? 5 : 1;
    const { element, size } = ziplistElement(bytes, at + head);
    yield element;
    seen += 1;
    last = at;
    before = head + size;
    at += before;
  }
  ensure(at === bytes.length - 1, "holds a ziplist without its end");
  ensure(bytes.readUInt32LE(4) === last, "holds a ziplist whose last element is elsewhere");
  ensure(count === 0xffff || count === seen, "holds a ziplist with another count than it says");
}

function ziplistElement(bytes: Buffer, at: number): { element: Buffer; size: number } {
  const first = bytes[at] as number;
  const within = (size: number) =>
    ensure(at + size < bytes.length, "holds a ziplist whose element runs over its end");
  const textual = (head: number, length: number) => {
    within(head + length);
    return { element: bytes.subarray(at + head, at + head + length), size: head + length };
  };
  const numeric = (size: number) => {
    within(1 + size);
    return { element: signed(bytes, at + 1, size), size: 1 + size };
  };
  switch (first >> 6) {
    case 0:
      return textual(1, first & 0x3f);
    case 1:
      within(2);
      return textual(2, ((first & 0x3f) << 8) | (bytes[at + 1] as number));
    case 2:
      within(5);
      return textual(5, bytes.readUInt32BE(at + 1));
  }
  const sizes: Readonly<Record<number, number>> = { 192: 2, 208: 4, 224: 8, 240: 3, 254: 1 };
  const size = sizes[first];
  if (size !== undefined) return numeric(size);
  ensure(first >= 0xf1 && first <= 0xfd, "holds a ziplist with an unknown encoding");
  return { element: decimal((first & 0x0f) - 1), size: 1 };
}

/**
 * The members of a packed set of integers.
 *
 * @throws {PackedDamage}
 */
export function* intset(bytes: Buffer): Generator<Buffer> {
  ensure(bytes.length >= 8, "holds a set of integers that is cut short");
  const size = bytes.readUInt32LE(0);
  ensure(size === 2 || size === 4 || size === 8, "holds a set of integers of an unknown width");
  const count = bytes.readUInt32LE(4);
  ensure(
    8 + count * size === bytes.length,
    "holds a set of integers of another length than it says",
  );
  let before: bigint | undefined;
  for (let at = 8; at < bytes.length; at += size) {
    const value = size === 8 ? bytes.readBigInt64LE(at) : BigInt(bytes.readIntLE(at, size));
    ensure(before === undefined || value > before, "holds a set of integers out of order");
    before = value;
    yield decimal(value);
  }
}

/**
 * Fields and values in turn of a hash as Redis 2.4 wrote it.
 *
 * @throws {PackedDamage}
 */
export function* zipmap(bytes: Buffer): Generator<Buffer> {
  let at = 1;
  const length = () => {
    const first = bytes[at];
    ensure(first !== undefined && first !== 255, "holds a zipmap that is cut short");
    if (first < 254) {
      at += 1;
      return first;
    }
    ensure(at + 5 <= bytes.length, "holds a zipmap that is cut short");
    at += 5;
    return bytes.readUInt32LE(at - 4);
  };
  const piece = (size: number) => {
    ensure(at + size <= bytes.length, "holds a zipmap that is cut short");
    at += size;
    return bytes.subarray(at - size, at);
  };
  while (at < bytes.length && bytes[at] !== 255) {
    yield piece(length());
    const size = length();
    const free = bytes[at] ?? 0;
    at += 1;
    yield piece(size);
    at += free;
  }
  ensure(at === bytes.length - 1, "holds a zipmap without its end");
}
