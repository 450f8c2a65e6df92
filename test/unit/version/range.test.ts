import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseRange, satisfies } from "../../../shared/version/range.ts";
import { compareVersions, parseVersion } from "../../../shared/version/version.ts";

const holds = (range: string, version: string) =>
  satisfies(parseRange(range), parseVersion(version));

describe("a range", () => {
  it.each([
    ["1.34.1", ["1.34.1", "v1.34.1", "1.34.1+build"], ["1.34.0", "1.34.2", "1.34.1-rc.1"]],
    ["1.34", ["1.34.0", "1.34.99"], ["1.33.9", "1.35.0", "1.34.0-rc.1"]],
    ["v1.34", ["1.34.7"], ["1.35.0"]],
    ["1.34.x", ["1.34.0"], ["1.35.0"]],
    ["1.*", ["1.0.0", "1.99.0"], ["0.9.0", "2.0.0"]],
    ["1", ["1.0.0", "1.99.0"], ["2.0.0"]],
    ["^4.1", ["4.1.0", "4.99.1"], ["4.0.9", "5.0.0"]],
    ["^0.30.1", ["0.30.1", "0.30.9"], ["0.30.0", "0.31.0"]],
    ["^0.0.3", ["0.0.3"], ["0.0.4", "0.0.2"]],
    ["^0", ["0.0.0", "0.99.0"], ["1.0.0"]],
    ["~1.34.2", ["1.34.2", "1.34.9"], ["1.34.1", "1.35.0"]],
    ["~1.34", ["1.34.0"], ["1.35.0"]],
    ["~1", ["1.0.0", "1.99.0"], ["2.0.0"]],
    [">=1.33 <1.36", ["1.33.0", "1.35.9"], ["1.32.9", "1.36.0"]],
    [">= 1.33  < 1.36", ["1.33.0", "1.35.9"], ["1.36.0"]],
    [">1.34", ["1.35.0"], ["1.34.9"]],
    [">1.34.1", ["1.34.2"], ["1.34.1"]],
    ["<=1.34", ["1.34.9", "1.0.0"], ["1.35.0"]],
    ["<=1.34.1", ["1.34.1"], ["1.34.2"]],
    ["<1.34", ["1.33.9"], ["1.34.0"]],
    ["=1.34.1", ["1.34.1"], ["1.34.2"]],
    ["3 || ^4.2", ["3.1.0", "4.2.0"], ["4.1.0", "5.0.0"]],
    ["4.0.0-rc.1", ["4.0.0-rc.1"], ["4.0.0", "4.0.0-rc.2"]],
    ["17", ["17.10"], ["18.0", "16.9"]],
    ["17.10", ["17.10"], ["17.9", "17.1"]],
    ["latest", ["0.0.1", "99.0.0"], ["1.0.0-rc.1"]],
    ["", ["1.0.0"], ["1.0.0-alpha"]],
    [">x", [], ["1.0.0"]],
  ])("%j", (range, inside, outside) => {
    expect(inside.filter((version) => !holds(range, version))).toEqual([]);
    expect(outside.filter((version) => holds(range, version))).toEqual([]);
  });

  it.each([
    "one",
    "1.2.3.4",
    "1.2 - 1.3",
    ">",
    "^",
    "1..2",
    "||",
    "1.2 ||",
    "~^1",
    "latest 1",
    "-1",
  ])("%j is none", (text) => {
    expect(() => parseRange(text)).toThrow(/is no version/);
  });
});

describe("versions", () => {
  const inOrder = [
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.2.9",
    "1.2.10",
    "1.10.0",
    "17.9",
    "17.10",
  ];

  it("are ordered as semver says", () => {
    const sorted = [...inOrder].reverse().map(parseVersion).sort(compareVersions);
    expect(sorted.map(({ text }) => text)).toEqual(inOrder);
  });

  const number = fc.nat(30);
  const version = fc.tuple(number, number, number).map((numbers) => numbers.join("."));

  it("lie within exactly one of: before, at, after another", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const places = [`<${b}`, `=${b}`, `>${b}`].filter((range) => holds(range, a));
        expect(places).toHaveLength(1);
        expect(holds(`>=${b}`, a)).toBe(!holds(`<${b}`, a));
        expect(holds(`<=${b}`, a)).toBe(!holds(`>${b}`, a));
      }),
    );
  });

  it("within a caret or tilde are never older, and of the same major version", () => {
    fc.assert(
      fc.property(version, version, fc.constantFrom("^", "~"), (a, b, sign) => {
        if (!holds(`${sign}${b}`, a)) return;
        expect(compareVersions(parseVersion(a), parseVersion(b))).toBeGreaterThanOrEqual(0);
        expect(a.split(".")[0]).toBe(b.split(".")[0]);
      }),
    );
  });

  it("lie within themselves and the beginnings of themselves", () => {
    fc.assert(
      fc.property(version, (text) => {
        const [major, minor] = text.split(".");
        const ranges = [text, `^${text}`, `~${text}`, `${major}.${minor}`, `${major}`, "latest"];
        expect(ranges.filter((range) => !holds(range, text))).toEqual([]);
      }),
    );
  });
});
