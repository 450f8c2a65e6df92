import { describe, expect, it } from "@jest/globals";
import { operationsBetween } from "../../../shared/search-cluster/indices.ts";
import { productIn } from "../../../shared/search-cluster/product.ts";
import { errorIn } from "../../../shared/search-cluster/refusal.ts";
import { restoredName, timeOfRestored } from "../../../shared/search-cluster/restore.ts";
import { parseWatermark, roomUnder } from "../../../shared/search-cluster/room.ts";
import { progress } from "../../../shared/search-cluster/snapshot.ts";

const banner = (number: string, distribution?: string) => ({ version: { number, distribution } });

describe("a server", () => {
  it.each([
    ["opensearch", banner("1.3.20", "opensearch")],
    ["opensearch", banner("2.19.1", "opensearch")],
    ["opensearch", banner("7.10.2")],
    ["elasticsearch", banner("7.17.29")],
    ["elasticsearch", banner("9.1.0")],
  ] as const)("as %s is known by what it says", (product, answer) => {
    expect(productIn(answer, product, "here").version).toBe(answer.version.number);
  });

  it.each([
    ["elasticsearch", banner("2.19.1", "opensearch"), "It is OpenSearch 2.19.1."],
    ["opensearch", banner("8.1.0"), "It is Elasticsearch 8.1.0."],
    ["elasticsearch", banner("6.8.0"), "the majors 7 to 9"],
    ["opensearch", banner("4.0.0", "opensearch"), "the majors 1 to 3"],
    ["opensearch", {}, "names no version"],
    ["opensearch", null, "names no version"],
  ] as const)("is refused as %s where it is another: %j", (product, answer, words) => {
    expect(() => productIn(answer, product, "here")).toThrow(words);
  });
});

describe("what a cluster says of an error", () => {
  it.each([
    [
      '{"error":{"type":"a","reason":"b","root_cause":[{"reason":"b"},{"reason":"c"}]}}',
      "a",
      ["b", "c"],
    ],
    [
      '{"error":{"type":"a","reason":"b","caused_by":{"type":"npe","reason":null}}}',
      "a",
      ["b", "npe"],
    ],
    ['{"error":"no handler"}', "", ["no handler"]],
    ["<html>", "", []],
  ])("is found in %s", (text, type, reasons) => {
    expect(errorIn(text)).toEqual({ type, reasons });
  });
});

describe("room below a watermark", () => {
  const nodes = [
    { name: "a", total: 1_000, free: 400 },
    { name: "b", total: 1_000, free: 100 },
  ];
  it.each([
    ["85%", 250],
    ["0.85", 250],
    ["100b", 300],
    ["1kb", 0],
  ])("%s is %d bytes", (text, bytes) => {
    const watermark = parseWatermark(text);
    expect(watermark && Math.round(roomUnder(watermark, nodes))).toBe(bytes);
  });
  it("is not made up of a text that says nothing", () =>
    expect(parseWatermark("much")).toBeUndefined());
});

describe("changes between two readings", () => {
  const numbers = (shards: Record<string, number>) =>
    new Map([["i", new Map(Object.entries(shards))]]);
  it.each([
    [{ 0: 5, 1: 7 }, { 0: 5, 1: 7 }, 0],
    [{ 0: 5, 1: 7 }, { 0: 6, 1: 9 }, 3],
    [{}, { 0: 1 }, 2],
    [{ 0: 5 }, { 0: 1 }, Number.MAX_SAFE_INTEGER],
  ])("%j to %j are %d", (before, after, operations) => {
    expect(operationsBetween(numbers(before), numbers(after), "i")).toBe(operations);
  });
});

describe("the name of a restored index", () => {
  it.each(["papers", ".ds-logs-000001", "x".repeat(250), "ü".repeat(120)])(
    "for %s fits, and tells its time",
    (index) => {
      const name = restoredName(index, 1_795_000_000_000);
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(name).toMatch(/^seaworthy-verify-/);
      expect(timeOfRestored(name)).toBe(1_795_000_000_000);
    },
  );
  it("is never mistaken", () => expect(timeOfRestored("seaworthy-verify-papers")).toBeUndefined());
});

it("progress of a snapshot tells shards, bytes, rate and what is left", () => {
  const status = {
    state: "STARTED",
    shards_stats: { done: 2, total: 8, failed: 0 },
    stats: { processed: { size_in_bytes: 100e6 }, incremental: { size_in_bytes: 400e6 } },
  };
  expect(progress(status, 10)).toMatch(/^Snapshot: 2 of 8 shards, .+ of .+, .+\/s, 30 s left\.$/);
});
