import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, it } from "@jest/globals";
import fc from "fast-check";
import { searchLayer } from "../../../shared/leaks/layer-search.ts";
import { Matcher } from "../../../shared/leaks/matcher.ts";
import { needlesOf } from "../../../shared/leaks/needles.ts";
import { tarOf } from "./tar.ts";

const secret = fc
  .string({ unit: "grapheme-ascii", minLength: 10, maxLength: 60 })
  .filter((text) => text.trim() === text && new Set(text).size > 5 && /\w{3}/.test(text));

const spellings: readonly ((text: string) => string | Buffer)[] = [
  (text) => text,
  (text) => JSON.stringify({ key: text }),
  (text) => new URLSearchParams({ key: text }).toString(),
  (text) => encodeURIComponent(text),
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(`user:${text}`).toString("base64url"),
  (text) => Buffer.from(text).toString("hex"),
  (text) => Buffer.from(text, "utf16le"),
];

const packings: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => bytes,
  (bytes) => gzipSync(bytes),
  (bytes) => zstdCompressSync(bytes),
];

const filler = fc.uint8Array({ maxLength: 3_000 }).map((bytes) => Buffer.from(bytes));

it("a secret is found wherever it stands in a layer, however spelt and packed", async () => {
  await fc.assert(
    fc.asyncProperty(
      secret,
      fc.constantFrom(...spellings),
      fc.constantFrom(...packings),
      fc.constantFrom(...packings),
      filler,
      filler,
      fc.integer({ min: 1, max: 4_000 }),
      async (value, spell, packFile, packLayer, before, after, size) => {
        const content = packFile(
          Buffer.concat([before, Buffer.from(spell(value) as string), after]),
        );
        const layer = packLayer(
          tarOf([{ path: "a", content: before }, { path: "b/it", content }, { path: "c" }]),
        );
        const { needles } = needlesOf([{ name: "it", value }]);
        const matcher = new Matcher(needles.map(({ bytes }) => bytes));
        const pieces = Array.from({ length: Math.ceil(layer.length / size) }, (_, at) =>
          layer.subarray(at * size, (at + 1) * size),
        );
        const stream = Readable.from(pieces, { objectMode: false });
        const { hits } = await searchLayer(stream, matcher, new AbortController().signal);
        expect(hits.map(({ path }) => path)).toContain("b/it");
      },
    ),
    { numRuns: 200 },
  );
});
