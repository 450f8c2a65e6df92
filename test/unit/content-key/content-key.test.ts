import { describe, expect, it } from "@jest/globals";
import {
  type ContentKey,
  contentKeyOf,
  type KeySubject,
  type Outside,
} from "../../../shared/content-key/index.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

/** Without a file: its context is on the network, and named by its content. */
const subject: KeySubject = {
  context: `https://github.com/owner/shop.git#${commit}`,
  dockerfile: "Dockerfile",
  dockerfileText:
    "ARG V=24\nFROM node:$V AS build\nCOPY . /\nFROM scratch\nCOPY --from=build / /\n",
  buildArgs: { V: "24" },
  secrets: ["npm"],
  ssh: ["default"],
  platforms: ["linux/amd64", "linux/arm64"],
  contexts: { tools: `docker-image://tools@${digest("1")}` },
  settings: { label: "one" },
};

const outside = (more: Partial<Outside> = {}): Outside => ({
  resolve: async (image) => digest(image === "node:24" ? "a" : "b"),
  builder: "buildkit v0.34.2 linux/amd64",
  signal: new AbortController().signal,
  ...more,
});

const key = async (more: Partial<KeySubject> = {}, from: Partial<Outside> = {}): Promise<string> =>
  (await contentKeyOf({ ...subject, ...more }, outside(from))).key;

describe("a content key", () => {
  it("is 64 hexadecimal digits, and the same for the same", async () => {
    expect(await key()).toMatch(/^[0-9a-f]{64}$/);
    expect(await key()).toBe(await key());
  });

  it.each<[string, Partial<KeySubject>]>([
    ["the context", { context: `https://github.com/owner/shop.git#${commit.replace("0", "f")}` }],
    ["a part of it", { context: `https://github.com/owner/shop.git#${commit}:web` }],
    ["the Dockerfile", { dockerfileText: `${subject.dockerfileText}# text\n` }],
    ["the target", { target: "build" }],
    ["a build argument", { buildArgs: { V: "22" } }],
    ["a build argument's letters", { buildArgs: { V: "24 " } }],
    ["one more build argument", { buildArgs: { V: "24", W: "" } }],
    ["a secret", { secrets: ["pip"] }],
    ["no secret", { secrets: [] }],
    ["no SSH", { ssh: [] }],
    ["a platform", { platforms: ["linux/amd64"] }],
    ["no platform", { platforms: [] }],
    ["a named context", { contexts: { tools: `docker-image://tools@${digest("2")}` } }],
    ["the name of a context", { contexts: { tool: `docker-image://tools@${digest("1")}` } }],
    ["a setting", { settings: { label: "two" } }],
    ["a secret in place of an SSH key", { secrets: ["npm", "default"], ssh: [] }],
  ])("changes with %s", async (_, more) => {
    expect(await key(more)).not.toBe(await key());
  });

  it("changes with a base image, the frontend and the builder", async () => {
    expect(await key({}, { resolve: async () => digest("c") })).not.toBe(await key());
    expect(await key({}, { builder: "buildkit v0.35.0 linux/amd64" })).not.toBe(await key());
    const frontend = { dockerfileText: `# syntax=docker/dockerfile:1\n${subject.dockerfileText}` };
    const moved = async (image: string) => digest(image === "node:24" ? "a" : "d");
    expect(await key(frontend, { resolve: moved })).not.toBe(await key(frontend));
  });

  it.each<[string, Partial<KeySubject>]>([
    ["the order of platforms", { platforms: ["linux/arm64", "linux/amd64"] }],
    ["other words for a platform", { platforms: ["linux/x86_64", "linux/arm64/v8"] }],
    ["where the Dockerfile is", { dockerfile: "/elsewhere/Dockerfile" }],
  ])("does not change with %s", async (_, more) => {
    expect(await key(more)).toBe(await key());
  });

  it("is never that of two parts put together in another way", async () => {
    const one = await key({ buildArgs: { A: "b=c" } });
    expect(await key({ buildArgs: { "A=b": "c" } })).not.toBe(one);
  });
});

describe("what a key is made of", () => {
  it("names images and no values of arguments", async () => {
    const found = await contentKeyOf(
      { ...subject, buildArgs: { V: "24", TOKEN: "hush" } },
      outside(),
    );
    expect(found.images).toEqual([
      { name: "node:24", platforms: ["linux/amd64", "linux/arm64"], digest: digest("a") },
    ]);
    expect(found.inputs["image node:24"]).toBe(digest("a"));
    expect(JSON.stringify(found)).not.toContain("hush");
  });

  it("asks for an image once for all builds of a step, and never for one by digest", async () => {
    const asked: string[] = [];
    const from = outside({
      resolve: async (image) => {
        asked.push(image);
        return digest("a");
      },
    });
    const pinned = {
      ...subject,
      dockerfileText: `FROM a@${digest("7")}\nCOPY --from=node:24 / /\n`,
    };
    await Promise.all([subject, subject, pinned].map((one) => contentKeyOf(one, from)));
    expect(asked).toEqual(["node:24"]);
  });

  it("takes the builder's own platform where none is given", async () => {
    const asked: string[] = [];
    const resolve = async (image: string) => {
      asked.push(image);
      return digest("a");
    };
    const more = { platforms: [], dockerfileText: "FROM base:$TARGETARCH\n" };
    await key(more, { resolve, builder: "buildkit v1 linux/arm64" });
    expect(asked).toEqual(["base:arm64"]);
  });

  it("holds the key of another target", async () => {
    const other = (text: string) => ({ key: text, unseen: [] }) as unknown as ContentKey;
    const contexts = { base: "target:base" };
    const from = (text: string) => ({ keyOf: async () => other(text) });
    expect(await key({ contexts }, from("one"))).not.toBe(await key({ contexts }, from("two")));
    const { unseen } = await contentKeyOf({ ...subject, contexts }, outside());
    expect(unseen).toHaveLength(1);
  });
});

describe("a build that cannot be known beforehand", () => {
  it.each<[string, Partial<KeySubject>]>([
    ["a context by branch", { context: "https://github.com/owner/shop.git#main" }],
    ["a context that is an archive", { context: "https://example.com/shop.tar.gz" }],
    ["a context in the old short form", { context: "github.com/owner/shop" }],
    ["a named context by branch", { contexts: { lib: "https://github.com/owner/lib.git" } }],
    ["a download", { dockerfileText: "FROM a\nADD https://example.com/x /x\n" }],
  ])("says why: %s", async (_, more) => {
    const { unseen } = await contentKeyOf({ ...subject, ...more }, outside());
    expect(unseen).toHaveLength(1);
  });

  it("is none with a full commit", async () => {
    expect((await contentKeyOf(subject, outside())).unseen).toEqual([]);
  });
});
