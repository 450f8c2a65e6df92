import { describe, expect, it } from "@jest/globals";
import { formatStatusSet, matchesStatus, parseStatusSet } from "../../../shared/http/index.ts";

describe("status sets", () => {
  it.each([
    [200, 200, true],
    [200, 201, false],
    ["2xx", 299, true],
    ["2XX", 300, false],
    ["200, 3xx", 308, true],
    ["200, 3xx", 201, false],
    [[204, "4xx"], 404, true],
    [[204, "4xx"], 500, false],
    [100, 100, true],
    ["5xx", 599, true],
  ])("%j allows %i: %s", (given, status, allowed) => {
    expect(matchesStatus(parseStatusSet(given), status)).toBe(allowed);
  });

  it.each([
    [99],
    [600],
    ["2x"],
    ["xx2"],
    ["ok"],
    [""],
    [[]],
    [true],
    [null],
    [{ from: 200 }],
    ["200,"],
    [200.5],
  ])("%j is refused", (given) => {
    expect(() => parseStatusSet(given)).toThrow(/status|empty/);
  });

  it("reads back as a person writes it", () => {
    expect(formatStatusSet(parseStatusSet(["2xx", 304]))).toBe("2xx or 304");
  });
});
