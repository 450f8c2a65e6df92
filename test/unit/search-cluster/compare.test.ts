import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { compareContent } from "../../../shared/search-cluster/compare.ts";
import {
  addDocument,
  bucketsFor,
  type ContentSums,
  documentsIn,
  emptySums,
  readSums,
  writeSums,
} from "../../../shared/search-cluster/content.ts";
import { changes, lastingSettings } from "../../../shared/search-cluster/definition.ts";

type Documents = Readonly<Record<string, string>>;

function sumsOf(documents: Documents | readonly [string, string][], buckets = 64): ContentSums {
  const sums = emptySums(buckets);
  const list = Array.isArray(documents) ? documents : Object.entries(documents);
  for (const [id, source] of list) addDocument(sums, id, undefined, Buffer.from(source));
  return sums;
}

const papers = Object.fromEntries(
  Array.from({ length: 300 }, (_, number) => [`paper-${number}`, `{"number":${number}}`]),
);

function detectors(found: Documents, after: Documents = papers, operations = 0): string[] {
  const expected = { before: sumsOf(papers), after: sumsOf(after), operations };
  return compareContent("papers", expected, sumsOf(found)).map(({ detector }) => detector);
}

describe("documents of an index", () => {
  it("add up to the same in any order, and again after being written down", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (documents) => {
        const sums = sumsOf(documents);
        expect(sumsOf(Object.entries(documents).reverse())).toEqual(sums);
        expect(readSums(writeSums(sums))).toEqual(sums);
        expect(documentsIn(sums)).toBe(Object.keys(documents).length);
      }),
    );
  });

  it("are told apart by id, routing and source, however these run together", () => {
    const texts = new Set<bigint>();
    for (const [id, routing, source] of [
      ...[
        ["a", undefined, "b"],
        ["a", "b", ""],
        ["a", "", "b"],
        ["ab", undefined, ""],
      ],
      ...[
        ["a", undefined, "-b"],
        ["a-", undefined, "b"],
        ["a", "b", "c"],
        ["a", "bc", ""],
      ],
    ] as const) {
      const sums = emptySums(64);
      addDocument(sums, id ?? "", routing, Buffer.from(source ?? ""));
      texts.add(sums.sums.reduce((all, sum) => all + sum, 0n));
    }
    expect(texts.size).toBe(8);
  });

  it.each([
    [0, 64],
    [1_000, 64],
    [1_025, 128],
    [100_000, 8_192],
    [10_000_000, 65_536],
  ])("%d of them go into %d groups", (documents, buckets) => {
    expect(bucketsFor(documents)).toBe(buckets);
  });
});

describe("a restored index", () => {
  const without = ({ ...documents }: Documents, id: string) => {
    const { [id]: _gone, ...rest } = documents;
    return rest;
  };

  it("that has everything is as it was", () => expect(detectors(papers)).toEqual([]));

  it("that lacks a document, has one too many, or another content, is not", () => {
    expect(detectors(without(papers, "paper-8"))).toEqual(["document-count", "content"]);
    expect(detectors({ ...papers, more: "{}" })).toEqual(["document-count", "content"]);
    expect(detectors({ ...papers, "paper-8": "{}" })).toEqual(["content"]);
    expect(detectors({})).toEqual(["document-count", "content"]);
  });

  it("may be as it was at any time between both readings", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(330), fc.option(fc.string(), { nil: undefined })), {
          maxLength: 40,
        }),
        fc.nat(40),
        (writes, seen) => {
          const apply = (count: number) => {
            let documents: Documents = papers;
            for (const [number, source] of writes.slice(0, count)) {
              const id = `paper-${number}`;
              documents =
                source === undefined ? without(documents, id) : { ...documents, [id]: source };
            }
            return documents;
          };
          const after = apply(writes.length);
          // A document that came back to what it was shows in no reading: that is left aside here.
          const moment = apply(Math.min(seen, writes.length));
          const touched = new Set(writes.map(([number]) => `paper-${number}`));
          const cameBack = [...touched].some(
            (id) => papers[id] === after[id] && papers[id] !== moment[id],
          );
          fc.pre(!cameBack);
          expect(detectors(moment, after, writes.length)).toEqual([]);
        },
      ),
    );
  });

  it("that lost more beside what moved than the changes explain is not", () => {
    const after = { ...papers, "paper-1": "new" };
    const emptied = Object.fromEntries(Object.entries(papers).slice(150));
    expect(detectors(emptied, after, 1)).toContain("document-count");
  });
});

describe("definitions", () => {
  it("differ leaf by leaf, whatever the order of their names", () => {
    const one = { properties: { a: { type: "text" }, b: { type: "long" } } };
    const other = { properties: { b: { type: "keyword" }, a: { type: "text" } } };
    expect(changes(one, other, "mappings")).toEqual([
      { path: "mappings.properties.b.type", expected: '"long"', found: '"keyword"' },
    ]);
    expect(changes(one, { properties: { b: one.properties.b, a: one.properties.a } }, "m")).toEqual(
      [],
    );
  });

  it("leave out what says where an index is, and keep what it is", () => {
    const settings = {
      ...{ "index.uuid": "x", "index.number_of_replicas": "2", "index.version.created": "1" },
      ...{ "index.number_of_shards": "3", "index.analysis.analyzer.a.type": "custom" },
    };
    expect(Object.keys(lastingSettings(settings))).toEqual([
      "index.number_of_shards",
      "index.analysis.analyzer.a.type",
    ]);
  });
});
