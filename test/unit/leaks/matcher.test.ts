import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { ByteSearch } from "../../../shared/leaks/byte-search.ts";
import { Matcher } from "../../../shared/leaks/matcher.ts";

/** Every place of every needle, found the plain way. */
function places(needles: readonly Buffer[], data: Buffer): string[] {
  return needles
    .flatMap((needle, index) => {
      const found: string[] = [];
      for (let at = data.indexOf(needle); at >= 0; at = data.indexOf(needle, at + 1)) {
        found.push(`${index}@${at}`);
      }
      return found;
    })
    .sort();
}

// Few different bytes make for many matches that overlap, and nearly match.
const bytes = (min: number, max: number) =>
  fc
    .array(fc.constantFrom(0, 97, 98, 255), { minLength: min, maxLength: max })
    .map((list) => Buffer.from(list));
const needleLists = fc.array(bytes(2, 7), { minLength: 1, maxLength: 6 });

describe("a matcher", () => {
  it("finds what a plain search finds", () => {
    fc.assert(
      fc.property(needleLists, bytes(0, 200), (needles, data) => {
        const found: string[] = [];
        new Matcher(needles).scan(data, (needle, at) => found.push(`${needle}@${at}`));
        expect(found.sort()).toEqual(places(needles, data));
      }),
    );
  });

  it("finds long needles, and nothing without needles", () => {
    const needle = Buffer.alloc(1_000, "xyz");
    const data = Buffer.concat([Buffer.alloc(5_000, "xy"), needle, Buffer.alloc(100)]);
    const found: number[] = [];
    new Matcher([needle, Buffer.from("none-of-it")]).scan(data, (_, at) => found.push(at));
    expect(found).toEqual([data.indexOf(needle)]);
    new Matcher([]).scan(data, () => found.push(-1));
    expect(found).not.toContain(-1);
  });
});

describe("a search of bytes that come in pieces", () => {
  it("finds each place once, wherever the pieces are cut", () => {
    fc.assert(
      fc.property(needleLists, fc.array(bytes(0, 12), { maxLength: 30 }), (needles, pieces) => {
        const found: string[] = [];
        const search = new ByteSearch(new Matcher(needles), (needle, at) =>
          found.push(`${needle}@${at}`),
        );
        for (const piece of pieces) {
          search.push(piece);
          // As streams do that use their memory again.
          piece.fill(97);
        }
        expect(found.length).toBe(new Set(found).size);
      }),
    );
  });

  it("finds what the whole has", () => {
    fc.assert(
      fc.property(
        needleLists,
        bytes(0, 300),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
        (needles, data, sizes) => {
          const found: string[] = [];
          const search = new ByteSearch(new Matcher(needles), (needle, at) =>
            found.push(`${needle}@${at}`),
          );
          for (let at = 0, turn = 0; at < data.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            const piece = Buffer.from(data.subarray(at, at + size));
            search.push(piece);
            piece.fill(1);
            at += size;
          }
          expect(found.sort()).toEqual(places(needles, data));
        },
      ),
    );
  });
});
