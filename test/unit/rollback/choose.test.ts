import { describe, expect, it } from "@jest/globals";
import { type Candidate, chooseRevision } from "../../../actions/rollback/choose.ts";
import { type Wanted, wantedOf } from "../../../actions/rollback/wanted.ts";

const digest = `sha256:${"a".repeat(64)}`;

function revision(number: number, parts: Partial<Candidate> = {}): Candidate {
  return { revision: number, current: false, same: false, images: [], details: [], ...parts };
}

const current = (number: number, parts: Partial<Candidate> = {}) =>
  revision(number, { ...parts, current: true, same: true });
const previous: Wanted = { by: "previous" };

describe("the revision to go back to", () => {
  it.each<[string, Candidate[], Wanted, number]>([
    ["the newest before the current", [current(3), revision(2), revision(1)], previous, 2],
    [
      "one whose pods still run before a newer one that has none",
      [current(3), revision(2), revision(1, { ready: 3 })],
      previous,
      1,
    ],
    [
      "not one that somebody went back from",
      [current(4), revision(3, { spoilt: "it crashed" }), revision(2)],
      previous,
      2,
    ],
    [
      "not one that asks for the same",
      [current(3), revision(2, { same: true }), revision(1)],
      previous,
      1,
    ],
    ["by its number", [current(3), revision(2), revision(1)], { by: "revision", revision: 1 }, 1],
    [
      "by a number that it had before",
      [current(5), revision(4, { formerly: [1, 2] }), revision(3)],
      { by: "revision", revision: 2 },
      4,
    ],
    [
      "by its number although somebody went back from it",
      [current(3), revision(2, { spoilt: "it crashed" })],
      { by: "revision", revision: 2 },
      2,
    ],
    [
      "by its version, the newest of it",
      [current(4), revision(3, { version: "v1" }), revision(2, { version: "v1" })],
      { by: "version", version: "v1" },
      3,
    ],
    [
      "by the digest of an image",
      [current(3), revision(2), revision(1, { images: [`web@${digest}`] })],
      { by: "digest", digest },
      1,
    ],
  ])("%s", (_, revisions, wanted, expected) => {
    expect(chooseRevision("deployment/web", revisions, wanted).revision).toBe(expected);
  });

  it.each<[string, Candidate[], Wanted, RegExp]>([
    ["the first revision", [current(1)], previous, /no earlier revision\./],
    [
      "only bad ones before it",
      [current(2), revision(1, { spoilt: "it crashed" })],
      previous,
      /that was good/,
    ],
    ["no such number", [current(2)], { by: "revision", revision: 7 }, /does not have a revision 7/],
    ["no such version", [current(2)], { by: "version", version: "v9" }, /version v9/],
    ["the current one", [current(2), revision(1)], { by: "revision", revision: 2 }, /already/],
    [
      "the version that runs",
      [current(2, { version: "v2" }), revision(1)],
      { by: "version", version: "v2" },
      /already/,
    ],
  ])("is refused for %s", (_, revisions, wanted, words) => {
    expect(() => chooseRevision("deployment/web", revisions, wanted)).toThrow(
      expect.objectContaining({ cause: expect.stringMatching(words) }),
    );
  });
});

describe("what the user wants", () => {
  it.each([
    ["previous", { by: "previous" }],
    ["7", { by: "revision", revision: 7 }],
    ["v1.4.2", { by: "version", version: "v1.4.2" }],
    ["1.4.2+build.7", { by: "version", version: "1.4.2+build.7" }],
    ["version=2026", { by: "version", version: "2026" }],
    [digest, { by: "digest", digest }],
    [`ghcr.io/shop/web@${digest}`, { by: "digest", digest }],
    ["sha256:12", undefined],
    ["0", { by: "version", version: "0" }],
    ["-1", undefined],
    ["", undefined],
  ])("%j", (text, expected) => {
    expect(wantedOf(text)).toEqual(expected);
  });
});
