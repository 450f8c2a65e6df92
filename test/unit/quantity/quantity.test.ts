import { describe, expect, it } from "@jest/globals";
import { bytesInWords, countInWords, secondsInWords } from "../../../shared/quantity/index.ts";

describe("quantities in words", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1 kB"],
    [999_499, "999 kB"],
    [999_500, "1 MB"],
    [172_345_678, "172 MB"],
    [1_660_000_000, "1.66 GB"],
    [5e18, "5000 PB"],
  ])("%d bytes are %s", (bytes, words) => expect(bytesInWords(bytes)).toBe(words));

  it.each([
    [0, "0 ms"],
    [0.8204, "820 ms"],
    [0.9996, "1 s"],
    [12.44, "12.4 s"],
    [59.96, "1 min"],
    [200, "3 min 20 s"],
    [3_600, "1 h"],
    [5_400, "1 h 30 min"],
    [187_200, "2 d 4 h"],
    [-5, "-5 s"],
  ])("%d seconds are %s", (seconds, words) => expect(secondsInWords(seconds)).toBe(words));

  it("sets thousands apart", () => expect(countInWords(1_234_567)).toBe("1,234,567"));
});
