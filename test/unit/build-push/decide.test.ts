import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  decide,
  flawOf,
  KEY_LABEL,
  type Known,
  keyTag,
  type Rebuild,
} from "../../../actions/build-push/decide.ts";
import type { ContentKey } from "../../../shared/content-key/index.ts";
import { tagProblem } from "../../../shared/images/index.ts";
import { storedImage } from "./passage.ts";

const key: ContentKey = {
  key: "c".repeat(64),
  inputs: { Dockerfile: "new", context: "same" },
  unseen: [],
  images: [],
  advice: [],
  files: 1,
  bytes: 1,
};

const nothing: Known = {
  asked: undefined,
  key,
  keyed: undefined,
  flaw: undefined,
  tagged: undefined,
  before: undefined,
  beforeInputs: undefined,
  unknown: undefined,
};

const image = storedImage("a");

describe("a service", () => {
  it.each<[string, Partial<Known>, Rebuild, string, RegExp]>([
    [
      "is reused when its image is there",
      { keyed: [image] },
      "changed",
      "reuse",
      /nothing .* changed/,
    ],
    ["is built when asked for", { keyed: [image] }, "always", "build", /rebuild: always/],
    [
      "is built when its cache is not wanted",
      { keyed: [image], asked: "no-cache is asked for" },
      "changed",
      "build",
      /no-cache/,
    ],
    ["is kept when only its tags count", { tagged: [image] }, "missing", "keep", /tags are there/],
    ["is reused under new tags", { keyed: [image] }, "missing", "reuse", /nothing/],
    ["is built when a tag is missing", {}, "missing", "build", /no image of it/],
    ["is built when nothing is there", {}, "changed", "build", /no image of it/],
    [
      "is built when the network is part of it",
      { keyed: [image], key: { ...key, unseen: ["line 3 adds https://x"] } },
      "changed",
      "build",
      /^line 3 adds https:\/\/x$/,
    ],
    [
      "is built when its image is not whole",
      { flaw: "the image under its key is not whole" },
      "changed",
      "build",
      /not whole/,
    ],
    [
      "is built when its key is not known",
      { key: undefined, unknown: "the registry is down" },
      "changed",
      "build",
      /not known .*: the registry is down/,
    ],
    [
      "is built when the image before tells nothing",
      { before: image },
      "changed",
      "build",
      /does not say/,
    ],
    [
      "says what changed",
      { before: image, beforeInputs: { Dockerfile: "old", context: "same" } },
      "changed",
      "build",
      /Dockerfile/,
    ],
    [
      "is built when its image went away",
      { before: image, beforeInputs: key.inputs },
      "changed",
      "build",
      /no longer/,
    ],
  ])("%s", (_, known, rebuild, kind, why) => {
    const decision = decide({ ...nothing, ...known }, rebuild);
    expect(decision.kind).toBe(kind);
    expect(decision.why.join("; ")).toMatch(why);
    expect(decision.images).toEqual(kind === "build" ? [] : [image]);
  });

  it("is never reused without a whole image under a key that sees everything", () => {
    const maybe = <T>(value: T) => fc.option(fc.constant(value), { nil: undefined });
    const known = fc.record({
      asked: maybe("asked"),
      key: fc.constantFrom(undefined, key, { ...key, unseen: ["why"] }),
      keyed: maybe([image]),
      flaw: maybe("a flaw"),
      tagged: maybe([image]),
      before: maybe(image),
      beforeInputs: maybe(key.inputs),
      unknown: maybe("unknown"),
    });
    const rebuild = fc.constantFrom<Rebuild>("always", "changed", "missing");
    fc.assert(
      fc.property(known, rebuild, (given, how) => {
        const { kind, why } = decide(given, how);
        expect(why.length).toBeGreaterThan(0);
        if (kind === "keep") expect(how).toBe("missing");
        if (kind !== "reuse") return;
        expect(how).not.toBe("always");
        expect(given).toMatchObject({ asked: undefined, flaw: undefined, unknown: undefined });
        expect(given.keyed).toBeDefined();
        expect(given.key?.unseen).toEqual([]);
      }),
    );
  });
});

describe("an image under a key", () => {
  const wanted = { key: "k", provenance: true, sbom: false };
  const labels = { [KEY_LABEL]: "k" };
  const provenance = "https://slsa.dev/provenance/v1";
  it.each([
    [storedImage("a", { labels, attestations: [provenance] }), wanted, undefined],
    [storedImage("a", { attestations: [provenance] }), wanted, /another key/],
    [storedImage("a", { labels: { [KEY_LABEL]: "other" } }), wanted, /another key/],
    [storedImage("a", { labels }), wanted, /no provenance/],
    [storedImage("a", { labels }), { ...wanted, provenance: false }, undefined],
    [
      storedImage("a", { labels, attestations: [provenance] }),
      { ...wanted, sbom: true },
      /no bill/,
    ],
  ])("%#: is held to what was asked for", (stored, asked, flaw) => {
    if (flaw === undefined) expect(flawOf(stored, asked)).toBeUndefined();
    else expect(flawOf(stored, asked)).toMatch(flaw);
  });

  it("has a legal tag", () => {
    expect(tagProblem(keyTag(key.key))).toBeUndefined();
  });
});
