import { Readable } from "node:stream";
import { describe, expect, it } from "@jest/globals";
import { type ImageSource, LeakSearch } from "../../../shared/leaks/index.ts";
import { instructionsOf } from "../../../shared/leaks/stored-papers.ts";
import { tarOf } from "./tar.ts";

const secret = "s3cr3t-Value-12345";
const PROVENANCE = "https://slsa.dev/provenance/v1";

/** A registry that holds what it is given, by names instead of digests. */
function holding(contents: Readonly<Record<string, unknown>>): ImageSource {
  const bytesOf = (name: string) => {
    const content = contents[name];
    return Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  };
  return {
    manifest: async (_, reference) =>
      reference in contents ? { text: bytesOf(reference).toString() } : undefined,
    openBlob: async (_, digest) =>
      digest in contents ? Readable.from([bytesOf(digest)], { objectMode: false }) : undefined,
  };
}

interface Given {
  readonly annotations?: object;
  readonly config?: object;
  readonly statement?: unknown;
  readonly predicate?: string;
  readonly publicArguments?: readonly string[];
}

async function search(given: Given) {
  const { annotations = {}, config = {}, statement = {}, predicate = PROVENANCE } = given;
  const source = holding({
    index: { manifests: [{ digest: "image" }, { digest: "attestation" }], annotations },
    image: { config: { digest: "config" }, layers: [{ digest: "layer" }] },
    config,
    layer: tarOf([{ path: "a", content: "b" }]),
    attestation: {
      config: { digest: "empty" },
      layers: [
        {
          digest: "statement",
          mediaType: "application/vnd.in-toto+json",
          annotations: { "in-toto.io/predicate-type": predicate },
        },
      ],
    },
    empty: {},
    statement,
  });
  const { publicArguments = [] } = given;
  const leaks = new LeakSearch({
    secrets: [{ name: "the secret it", value: secret }],
    publicArguments,
  });
  return await leaks.search("path", "index", source, new AbortController().signal);
}

const buildArgument = (name: string, value: string) => ({
  predicate: {
    buildDefinition: {
      externalParameters: { request: { args: { [`build-arg:${name}`]: value } } },
    },
  },
});

describe("a secret is found", () => {
  it.each<[string, Given, string]>([
    ["an annotation", { annotations: { note: `x${secret}` } }, "the annotation note"],
    [
      "the environment",
      { config: { config: { Env: ["PATH=/bin", `NPM_TOKEN=${secret}`] } } },
      "the environment variable NPM_TOKEN of the image",
    ],
    ["a label", { config: { config: { Labels: { why: secret } } } }, "the label why of the image"],
    [
      "the history",
      {
        config: { history: [{ created_by: `RUN |1 T=${secret} /bin/sh -c x`, empty_layer: true }] },
      },
      "the image's history: RUN |1 T=*** /bin/sh -c x",
    ],
    [
      "the command, spelt another way",
      { config: { config: { Cmd: ["x", Buffer.from(secret).toString("base64")] } } },
      "the image's configuration at config.Cmd.1",
    ],
    [
      "a build argument of the provenance",
      { statement: buildArgument("VERSION", secret) },
      "the provenance, which records the build argument VERSION",
    ],
    [
      "the Dockerfile in the provenance",
      {
        statement: {
          predicate: { infos: [{ data: Buffer.from(`ENV T=${secret}\n`).toString("base64") }] },
        },
      },
      "the provenance at predicate.infos.0.data",
    ],
    [
      "a bill of materials",
      { predicate: "https://spdx.dev/Document", statement: { files: [secret] } },
      "the bill of materials at files.0",
    ],
    ["a key", { config: { config: { Labels: { [secret]: "" } } } }, "the label *** of the image"],
  ])("in %s", async (_, given, where) => {
    const { leaks } = await search(given);
    expect(leaks).toContainEqual({ secret: "the secret it", how: expect.any(String), where });
    expect(JSON.stringify(leaks)).not.toContain(secret);
  });

  it("nowhere in an image without one", async () => {
    const { leaks, notes, layers } = await search({});
    expect({ leaks, notes, layers }).toEqual({ leaks: [], notes: [], layers: 1 });
  });
});

describe("the papers of an image are refused", () => {
  it("for a build argument that looks like a secret, unless it is public", async () => {
    const statement = buildArgument("API_TOKEN", "anything");
    expect((await search({ statement })).leaks).toEqual([
      {
        secret: "the build argument API_TOKEN",
        how: "its name says that it is a secret",
        where: "the provenance",
      },
    ]);
    expect((await search({ statement, publicArguments: ["API_TOKEN"] })).leaks).toEqual([]);
    expect((await search({ statement: buildArgument("VERSION", "1.2") })).leaks).toEqual([]);
  });

  it.each([
    ["https://me:pa55word@git.example.com/a.git", true],
    ["git+https://x-access-token:abc@github.com/o/r.git#main", true],
    ["https://xxxxx:xxxxx@git.example.com/a.git", false],
    ["https://$USER:$PASSWORD@git.example.com", false],
    ["git@github.com:o/r.git", false],
    ["https://github.com/o/r.git#refs/heads/main", false],
    ["pkg:docker/127.0.0.1%3A5000/a@1?platform=linux%2Famd64", false],
  ])("for a password in the address %s: %s", async (uri, isRefused) => {
    const statement = { predicate: { buildDefinition: { resolvedDependencies: [{ uri }] } } };
    const { leaks } = await search({ statement });
    expect(leaks).toHaveLength(isRefused ? 1 : 0);
    expect(JSON.stringify(leaks)).not.toContain("pa55word");
  });
});

describe("a registry that does not have what it should", () => {
  it("is an error, no pass", async () => {
    const leaks = new LeakSearch({ secrets: [{ name: "it", value: secret }] });
    const { signal } = new AbortController();
    await expect(leaks.search("path", "none", holding({}), signal)).rejects.toMatchObject({
      cause: expect.stringMatching(/no manifest none/),
    });
    const source = holding({
      image: { config: { digest: "c" }, layers: [{ digest: "l" }] },
      c: {},
    });
    await expect(leaks.search("path", "image", source, signal)).rejects.toMatchObject({
      cause: expect.stringMatching(/no layer l/),
    });
  });
});

it("layers that several images share are searched once", async () => {
  let opened = 0;
  const source = holding({
    a: { config: { digest: "c" }, layers: [{ digest: "base" }, { digest: "own" }] },
    b: { config: { digest: "c" }, layers: [{ digest: "base" }] },
    c: {},
    base: tarOf([{ path: "etc/token", content: secret }]),
    own: tarOf([{ path: "x", content: "y" }]),
  });
  const counting: ImageSource = {
    manifest: source.manifest,
    openBlob: (path, digest, signal) => {
      if (digest !== "c") opened += 1;
      return source.openBlob(path, digest, signal);
    },
  };
  const secrets = [{ name: "it", value: secret }];
  const leaks = new LeakSearch({ secrets });
  const { signal } = new AbortController();
  const reports = await Promise.all(
    ["a", "b"].map((each) => leaks.search(each, each, counting, signal)),
  );
  expect(reports.map((report) => report.leaks.length)).toEqual([1, 1]);
  expect(opened).toBe(2);

  const skipping = new LeakSearch({ secrets });
  const skipped = await skipping.search("a", "a", counting, signal, new Set(["base"]));
  expect(skipped.leaks).toEqual([]);
  expect(skipped).toMatchObject({ notes: [], layers: 1, skipped: 1 });
});

describe("the instructions of layers", () => {
  const history = (...all: readonly [by: string, empty?: boolean, comment?: string][]) =>
    JSON.stringify({
      history: all.map(([created_by, empty_layer, comment]) => ({
        created_by,
        empty_layer,
        comment,
      })),
    });

  it.each([
    ["are those of the history", history(["A"], ["ENV", true], ["B"]), ["A", "B"]],
    ["are matched from the last on", history(["B"]), [undefined, "B"]],
    [
      "are none of those that BuildKit fills in",
      history(
        ["RUN x"],
        ["COPY . /", false, "buildkit.dockerfile.v0"],
        ["[2/2] COPY", false, "buildkit.exporter.image.v0"],
      ),
      ["RUN x", "COPY . /"],
    ],
    ["are unknown without a history", "{}", [undefined, undefined]],
    ["are unknown where it is no JSON", "x", [undefined, undefined]],
  ])("%s", (_, config, expected) => {
    expect(instructionsOf(config, 2)).toEqual(expected);
  });
});
