import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { changes, decodeInputs, encodeInputs } from "../../../shared/content-key/index.ts";

const hex = (digit: string) => digit.repeat(64);
const digest = (digit: string) => `sha256:${hex(digit)}`;

const before = {
  context: hex("1"),
  "part src/": hex("2"),
  "part package.json": hex("3"),
  Dockerfile: hex("4"),
  "image node:24": digest("a"),
  "argument VERSION": hex("5"),
  "secret npm": "given",
  platforms: "linux/amd64",
  builder: "buildkit v0.34.2",
};

describe("why a build sees something else", () => {
  it.each([
    ["nothing", {}, []],
    [
      "a base image",
      { "image node:24": digest("b") },
      ["the base image node:24 moved from sha256:aaaaaaaaaaaa to sha256:bbbbbbbbbbbb"],
    ],
    ["a build argument", { "argument VERSION": hex("6") }, ["the build argument VERSION changed"]],
    ["a new build argument", { "argument DEBUG": hex("6") }, ["the build argument DEBUG is new"]],
    ["a secret", { "secret pip": "given" }, ["the secret pip is new"]],
    [
      "a folder of the context",
      { context: hex("7"), "part src/": hex("8") },
      ["in the context src/ changed"],
    ],
    [
      "a new file of the context",
      { context: hex("7"), "part a": hex("8") },
      ["in the context a is new"],
    ],
    [
      "many files of the context",
      {
        context: hex("7"),
        ...Object.fromEntries([..."abcdef"].map((name) => [`part ${name}`, hex("8")])),
      },
      ["in the context a is new, b is new, c is new, d is new, and 2 more"],
    ],
    ["the Dockerfile", { Dockerfile: hex("9") }, ["the Dockerfile changed"]],
    [
      "the platforms",
      { platforms: "linux/amd64, linux/arm64" },
      ["the platforms changed from linux/amd64 to linux/amd64, linux/arm64"],
    ],
    ["the target", { target: "debug" }, ["the target is given now: debug"]],
    [
      "the builder",
      { builder: "buildkit v0.35.0" },
      ["the builder changed from buildkit v0.34.2 to buildkit v0.35.0"],
    ],
  ])("%s", (_, difference, sentences) => {
    const after = { ...before, ...difference };
    expect(changes(before, after)).toEqual(sentences);
    // What a label holds says the same.
    expect(changes(decodeInputs(encodeInputs(before)), after)).toEqual(sentences);
  });

  it("names an image that is needed no more", () => {
    const { "image node:24": _, ...after } = before;
    expect(changes(before, after)).toEqual(["it needs the base image node:24 no more"]);
  });

  it("is not known without a former image", () => {
    expect(changes(undefined, before)).toHaveLength(1);
  });
});

describe("a label", () => {
  it("stays below 4 KB, and never tells of a change where there is none", () => {
    const name = fc.oneof(
      fc.string({ maxLength: 60 }).map((text) => `part ${text}`),
      fc.string({ maxLength: 60 }).map((text) => `argument ${text}`),
      fc.string({ maxLength: 200 }).map((text) => `image ${text}`),
    );
    const inputs = fc.dictionary(name, fc.constantFrom(hex("1"), digest("2"), "text"), {
      maxKeys: 120,
    });
    fc.assert(
      fc.property(inputs, (some) => {
        const given = { ...some, context: hex("3"), builder: "v1" };
        const text = encodeInputs(given);
        expect(Buffer.byteLength(text)).toBeLessThan(4_000);
        expect(changes(decodeInputs(text), given)).toEqual([]);
      }),
    );
  });

  it.each(["", "null", "[]", "{", '"text"', "{}", '{"a":1}'])(
    "that holds %j tells nothing",
    (text) => {
      expect(decodeInputs(text)).toBeUndefined();
    },
  );
});
