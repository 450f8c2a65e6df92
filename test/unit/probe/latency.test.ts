import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  latenciesOf,
  latencyMismatches,
  parseLatencyLimit,
  percentile,
} from "../../../shared/probe/latency.ts";

describe("a limit of latency", () => {
  it.each<[string, object]>([
    ["p95 < 300ms over 50 requests", { percentile: 95, below: 300, requests: 50 }],
    ["p99.9<1.5s", { percentile: 99.9, below: 1_500, requests: undefined }],
    ["median < 20 ms over 1 request", { percentile: 50, below: 20, requests: 1 }],
    ["  max < 2s ", { percentile: 100, below: 2_000, requests: undefined }],
  ])("%s", (text, expected) => {
    expect(parseLatencyLimit(text)).toEqual(expected);
  });

  it.each<[string, RegExp]>([
    ["", /another form/],
    ["p95 > 300ms", /another form/],
    ["p95 < 300", /another form/],
    ["p0 < 1s", /more than 0/],
    ["p101 < 1s", /at most 100/],
    ["p95 < 0ms", /no time/],
    ["p95 < 1s over 0 requests", /1 to 1000/],
    ["p95 < 1s over 5000 requests", /1 to 1000/],
  ])("is not %j", (text, problem) => {
    expect(() => parseLatencyLimit(text)).toThrow(problem);
  });
});

describe("a percentile by nearest rank", () => {
  // The example that texts on the method give: five values, percentiles 5 to 100.
  it.each([
    [5, 15],
    [30, 20],
    [40, 20],
    [50, 35],
    [100, 50],
  ])("p%i of five values is %i", (p, expected) => {
    expect(percentile([15, 20, 35, 40, 50], p)).toBe(expected);
  });

  it.each([
    [20, 95, 19],
    [50, 95, 48],
    [100, 99, 99],
    [1_000, 99.9, 999],
    [19, 95, 19],
  ])("of 1 to %i, p%d, is %i", (count, p, expected) => {
    const values = Array.from({ length: count }, (_, at) => at + 1);
    expect(percentile(values, p)).toBe(expected);
  });

  it("is the smallest value that enough of them do not exceed", () => {
    const values = fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (unsorted, p) => {
        const sorted = unsorted.toSorted((a, b) => a - b);
        const value = percentile(sorted, p);
        const share = (limit: number) => sorted.filter((each) => each <= limit).length * 100;
        expect(sorted).toContain(value);
        expect(share(value)).toBeGreaterThanOrEqual(p * sorted.length);
        expect(share(value - 1)).toBeLessThan(p * sorted.length);
      }),
    );
  });
});

it("figures are in order, whatever the order of the values", () => {
  expect(latenciesOf([5, 1, 4, 2, 3])).toEqual({ requests: 5, min: 1, median: 3, p95: 5, max: 5 });
  expect(latenciesOf([])).toBeUndefined();
});

it("a limit is kept below it, not at it", () => {
  const limit = [parseLatencyLimit("p50 < 10ms")];
  expect(latencyMismatches(limit, [9.99])).toEqual([]);
  expect(latencyMismatches(limit, [10])).toEqual([
    "p50 of 1 request took 10 ms, expected less than 10 ms",
  ]);
});
