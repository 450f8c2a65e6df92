import { describe, expect, test } from "@jest/globals";
import { crc32c } from "../../../shared/postgres-archive/crc32c.ts";
import {
  lsnText,
  parseLsn,
  readSegmentName,
  segmentName,
} from "../../../shared/postgres-archive/segment.ts";
import { momentText, parseTarget } from "../../../shared/postgres-archive/target.ts";
import { stretchesOf } from "../../../shared/postgres-archive/timeline.ts";
import {
  chainOf,
  readArchive,
  type WalFile,
} from "../../../shared/postgres-archive/wal-archive.ts";

const SIZE = 16 * 2 ** 20;

function file(name: string): WalFile {
  return { name, modified: 0, open: async () => (async function* () {})() };
}

const name = (timeline: number, number: number) => segmentName({ timeline, number }, SIZE);

test("CRC-32C gives the values of RFC 3720", () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from("56789"), crc32c(Buffer.from("1234")))).toBe(0xe3069283);
});

test("positions and names of segments are read as they are written", () => {
  expect(lsnText(parseLsn("1A/2000028") ?? 0)).toBe("1A/2000028");
  expect(parseLsn("nothing")).toBeUndefined();
  expect(readSegmentName("0000000200000001000000FF", SIZE)).toEqual({ timeline: 2, number: 511 });
  expect(name(2, 511)).toBe("0000000200000001000000FF");
  expect(readSegmentName("000000020000000100000100", SIZE)).toBeUndefined();
});

describe("a moment", () => {
  test.each([
    ["2026-11-22T03:00:00Z", "2026-11-22 03:00:00.000000+00"],
    ["2026-11-22 04:00:00.123456+01", "2026-11-22 03:00:00.123456+00"],
    ["2026-11-22T00:30+05:30", "2026-11-21 19:00:00.000000+00"],
  ])("%s", (text, expected) => {
    expect(momentText(parseTarget(text)?.time ?? 0)).toBe(expected);
  });

  test.each(["2026-11-22T03:00:00", "yesterday", "2026-13-40T03:00:00Z"])(
    "%s is refused",
    (text) => {
      expect(() => parseTarget(text)).toThrow("offset from UTC");
    },
  );

  test("latest is the end", () => expect(parseTarget(" latest ")).toBeUndefined());
});

describe("the chain of segments", () => {
  const chain = (
    files: readonly string[],
    own: readonly string[],
    history?: string,
    timeline = 1,
  ) =>
    chainOf(readArchive(files.map(file), own.map(file), SIZE), {
      first: 2,
      stretches: stretchesOf(timeline, history) ?? [],
      segmentBytes: SIZE,
    });

  test("ends before a gap, and names what is missing", () => {
    const { segments, missing } = chain([name(1, 1), name(1, 2), name(1, 5)], []);
    expect(segments.map(({ number }) => number)).toEqual([2]);
    expect(missing).toEqual([name(1, 3), name(1, 4)]);
  });

  test("takes a whole segment before a partial one, and the archive's before the backup's", () => {
    const { segments } = chain(
      [`${name(1, 2)}.gz`, `${name(1, 3)}.partial`],
      [name(1, 2), name(1, 3)],
    );
    expect(segments.map(({ partial, ofBackup }) => [partial, ofBackup])).toEqual([
      [false, false],
      [false, true],
    ]);
  });

  test("goes over to a later timeline where its history says so", () => {
    const all = [2, 3, 4]
      .map((number) => name(1, number))
      .concat(name(2, 3), name(2, 4), name(2, 5));
    const { segments, missing } = chain(all, [], "1\t0/3000100\tno recovery target specified\n", 2);
    expect(segments.map(({ timeline, number }) => `${timeline}:${number}`)).toEqual([
      "1:2",
      "2:3",
      "2:4",
      "2:5",
    ]);
    expect(missing).toEqual([]);
  });

  test("a history that is none is told", () => {
    expect(stretchesOf(3, "2\t0/3000100\tx\n1\t0/4000100\tx\n")).toBeUndefined();
    expect(stretchesOf(2, "garbage\n")).toBeUndefined();
  });
});
