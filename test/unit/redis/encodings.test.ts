import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ByteReader } from "../../../shared/redis/byte-reader.ts";
import { Crc64 } from "../../../shared/redis/crc64.ts";
import { fingerprintRdb, type RdbReading } from "../../../shared/redis/fingerprint.ts";
import { unpackLzf } from "../../../shared/redis/lzf.ts";

/** RDBs written by hand, in forms that servers of today no longer write, or do not write yet. */
function bytes(...parts: readonly (number | string | Buffer | readonly number[])[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === "number") return Buffer.from([part]);
      return typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part);
    }),
  );
}

function text(content: string | Buffer): Buffer {
  const raw = Buffer.from(content);
  if (raw.length < 64) return bytes(raw.length, raw);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(raw.length);
  return bytes(0x80, length, raw);
}

function rdb(body: Buffer, header = "REDIS0011"): Buffer {
  const whole = bytes(header, 0xfe, 0, body, 0xff);
  const sum = new Crc64();
  sum.update(whole);
  const end = Buffer.alloc(8);
  end.writeBigUInt64LE(sum.value);
  return bytes(whole, end);
}

async function read(file: Buffer, size = 7): Promise<RdbReading> {
  async function* chunks() {
    for (let at = 0; at < file.length; at += size) yield file.subarray(at, at + size);
  }
  return await fingerprintRdb(chunks());
}

async function hashOf(type: number, value: Buffer, header?: string): Promise<string> {
  const reading = await read(rdb(bytes(type, text("key"), value), header));
  expect(reading.opaque).toBeUndefined();
  expect(reading.checksum).toBe("right");
  return reading.fingerprint.databases[0]?.hash ?? "";
}

function ziplist(...elements: readonly (string | number)[]): Buffer {
  let before = 0;
  let last = 10;
  let at = 10;
  const entries = elements.map((element) => {
    const content = typeof element === "number" ? integer(element) : string(element);
    const entry = bytes(before < 254 ? before : [0xfe, before & 255, before >> 8, 0, 0], content);
    before = entry.length;
    last = at;
    at += entry.length;
    return entry;
  });
  const head = Buffer.alloc(10);
  head.writeUInt32LE(at + 1, 0);
  head.writeUInt32LE(last, 4);
  head.writeUInt16LE(elements.length, 8);
  return bytes(head, ...entries, 0xff);
}

function string(content: string): Buffer {
  if (content.length < 64) return bytes(content.length, content);
  return bytes(0x40 | (content.length >> 8), content.length & 0xff, content);
}

function integer(value: number): Buffer {
  if (value >= 0 && value <= 12) return bytes(0xf1 + value);
  const wide = Buffer.alloc(4);
  wide.writeInt32LE(value);
  return value >= -128 && value < 128 ? bytes(0xfe, value & 0xff) : bytes(0xd0, wide);
}

function score(value: string): Buffer {
  return bytes(value.length, value);
}

function double(value: number): Buffer {
  const raw = Buffer.alloc(8);
  raw.writeDoubleLE(value);
  return raw;
}

describe("the same value has the same hash in every form", () => {
  const long = "x".repeat(300);

  test("of lists", async () => {
    const plain = await hashOf(1, bytes(4, text("a"), text("12"), text("-70000"), text(long)));
    const packed = ziplist("a", 12, -70_000, long);
    expect(await hashOf(10, text(packed))).toBe(plain);
    expect(await hashOf(14, bytes(2, text(ziplist("a", 12)), text(ziplist(-70_000, long))))).toBe(
      plain,
    );
    expect(
      await hashOf(18, bytes(4, 1, text("a"), 1, text("12"), 1, text("-70000"), 1, text(long))),
    ).toBe(plain);
    expect(await hashOf(1, bytes(4, text("12"), text("a"), text("-70000"), text(long)))).not.toBe(
      plain,
    );
  });

  test("of sets", async () => {
    const plain = await hashOf(2, bytes(3, text("1"), text("-2"), text("300")));
    expect(await hashOf(2, bytes(3, text("300"), 0xc0, 1, text("-2")))).toBe(plain);
    const integers = Buffer.alloc(14);
    integers.writeUInt32LE(2, 0);
    integers.writeUInt32LE(3, 4);
    for (const [index, value] of [-2, 1, 300].entries())
      integers.writeInt16LE(value, 8 + 2 * index);
    expect(await hashOf(11, text(integers))).toBe(plain);
  });

  test("of sorted sets", async () => {
    const plain = await hashOf(
      5,
      bytes(3, text("a"), double(1.5), text("b"), double(-0), text("c"), double(Infinity)),
    );
    expect(
      await hashOf(3, bytes(3, text("c"), 254, text("b"), score("0"), text("a"), score("1.5"))),
    ).toBe(plain);
    expect(await hashOf(12, text(ziplist("b", 0, "a", "1.5", "c", "inf")))).toBe(plain);
  });

  test("of hashes, with fields that expire and without", async () => {
    const plain = await hashOf(4, bytes(2, text("f"), text("1"), text("g"), text("v")));
    expect(await hashOf(13, text(ziplist("g", "v", "f", 1)))).toBe(plain);
    expect(await hashOf(9, text(bytes(2, 1, "f", 1, 0, "1", 1, "g", 1, 2, "v", 0, 0, 0xff)))).toBe(
      plain,
    );
    const never = Buffer.alloc(8, 0xff);
    const valkey = bytes(2, text("f"), text("1"), never, text("g"), text("v"), never);
    expect(await hashOf(22, valkey, "VALKEY080")).toBe(plain);
    const earliest = Buffer.alloc(8);
    earliest.writeBigUInt64LE(1000n);
    const relative = await hashOf(
      24,
      bytes(earliest, 2, 0, text("f"), text("1"), 6, text("g"), text("v")),
    );
    const absolute = await hashOf(
      22,
      bytes(2, 0, text("f"), text("1"), 0x43, 0xed, text("g"), text("v")),
    );
    expect(relative).toBe(absolute);
    expect(relative).not.toBe(plain);
  });
});

describe("what is newer than what is known", () => {
  test("is summed, and said not to be looked into", async () => {
    const reading = await read(
      rdb(bytes(0, text("a"), text("b"), 99, "anything at all"), "REDIS0019"),
    );
    expect(reading.opaque).toContain("values of type 99");
    expect(reading.fingerprint.whole).toBe(false);
    expect(reading.checksum).toBe("right");
  });

  test("is damage all the same where a byte is wrong", async () => {
    const file = rdb(bytes(0, text("a"), text("b"), 99, "anything at all"), "REDIS0019");
    file[30] = (file[30] ?? 0) ^ 1;
    await expect(read(file)).rejects.toThrow("checksum");
  });

  test("of modules is counted by the module's name", async () => {
    const id = Buffer.alloc(8);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const number = [..."ReJSON-RL"].reduce(
      (sum, letter) => (sum << 6n) | BigInt(letters.indexOf(letter)),
      0n,
    );
    id.writeBigUInt64BE((number << 10n) | 3n);
    const value = bytes(0x81, id, 5, text("{}"), 2, 7, 4, double(1), 0);
    const reading = await read(rdb(bytes(7, text("doc"), value)));
    expect(reading.modules).toEqual(["ReJSON-RL"]);
    expect(reading.fingerprint.databases[0]?.types.module?.count).toBe(1);
  });
});

describe("any bytes", () => {
  test("never do more than be refused", async () => {
    const start = rdb(bytes(0, text("a"), text("b")));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => {
        const outcome = await read(bytes(start.subarray(0, 11), Buffer.from(noise)), 64).catch(
          (error: Error) => error.name,
        );
        expect(["RdbDamage"]).toContain(typeof outcome === "string" ? outcome : "RdbDamage");
      }),
      { numRuns: 500 },
    );
  });

  test("packed text comes out as it went in", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 260 }),
        async (start, more) => {
          const literal = Buffer.from(start).subarray(0, 32);
          const far = literal.length - 1;
          const count = more + 3;
          const copy =
            count - 2 < 7
              ? bytes(((count - 2) << 5) | (far >> 8), far & 0xff)
              : bytes(0xe0 | (far >> 8), count - 9, far & 0xff);
          const packed = bytes(literal.length - 1, literal, copy);
          async function* chunks() {
            for (const byte of packed) yield Buffer.from([byte]);
          }
          const reader = new ByteReader(chunks());
          const parts: Buffer[] = [];
          for await (const part of unpackLzf(reader, packed.length, literal.length + count))
            parts.push(Buffer.from(part));
          const expected = Buffer.alloc(literal.length + count);
          for (let at = 0; at < expected.length; at += 1)
            expected[at] = literal[at % literal.length] ?? 0;
          expect(Buffer.concat(parts).equals(expected)).toBe(true);
        },
      ),
    );
  });
});
