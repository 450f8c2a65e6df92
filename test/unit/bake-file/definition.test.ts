import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { csvFields, csvLine, csvMapping } from "../../../shared/bake-file/csv.ts";
import { type PrintedDefinition, targetsIn } from "../../../shared/bake-file/definition.ts";
import type { BakeFileTarget } from "../../../shared/bake-file/target.ts";

const environment = { npm: "x", SOURCE_DATE_EPOCH: "5" };

function read(definition: PrintedDefinition) {
  const placeOf = () => undefined;
  return targetsIn(definition, { environment, placeOf, directory: "/w" });
}

/** The one target that buildx prints so. */
function only(printed: Record<string, unknown>): BakeFileTarget {
  const definition = { group: { default: { targets: ["api"] } }, target: { api: printed } };
  const [target] = read(definition);
  if (target === undefined) throw new Error("no target");
  return target;
}

describe("a target", () => {
  it("has defaults", () => {
    expect(only({})).toEqual({
      name: "api",
      linked: false,
      at: undefined,
      context: ".",
      contexts: {},
      dockerfile: "Dockerfile",
      dockerfileInline: undefined,
      target: undefined,
      args: {},
      labels: {},
      annotations: {},
      tags: [],
      secrets: {},
      ssh: [],
      platforms: [],
      cacheFrom: [],
      cacheTo: [],
      noCache: undefined,
      noCacheFilter: [],
      pull: undefined,
      network: undefined,
      extraHosts: {},
      shmSize: undefined,
      ulimits: [],
      entitlements: [],
      provenance: undefined,
      sbom: undefined,
      exporter: {},
      refusals: [],
    });
  });

  it.each<[string, Record<string, unknown>, Partial<BakeFileTarget>]>([
    [
      "folders of its own",
      { context: "cwd://a", dockerfile: "cwd://D" },
      { context: "/w/a", dockerfile: "/w/D" },
    ],
    [
      "the folder itself",
      { contexts: { a: "cwd://", b: "target:b" } },
      { contexts: { a: "/w", b: "target:b" } },
    ],
    [
      "what looks like a template",
      { args: { A: "x$${y}%%{z}$$" } },
      { args: { A: "x\u0024{y}%{z}$$" } },
    ],
    [
      "a Dockerfile in it",
      { "dockerfile-inline": "RUN a $${B}" },
      { dockerfileInline: "RUN a \u0024{B}" },
    ],
    ["arguments without a value", { args: { A: null, B: "" } }, { args: { B: "" } }],
    ["the environment's epoch", { args: { SOURCE_DATE_EPOCH: "5", A: "1" } }, { args: { A: "1" } }],
    [
      "an epoch of its own",
      { args: { SOURCE_DATE_EPOCH: "6" } },
      { args: { SOURCE_DATE_EPOCH: "6" } },
    ],
    [
      "annotations",
      { annotations: ["index,manifest:a=b=c", "d=e"] },
      { annotations: { "index,manifest:a": "b=c", d: "e" } },
    ],
    [
      "secrets",
      { secret: [{ id: "a", env: "A" }, { id: "b", src: "f" }, { id: "npm" }, { id: "file" }] },
      {
        secrets: {
          a: { variable: "A" },
          b: { file: "f" },
          npm: { variable: "npm" },
          file: { file: "file" },
        },
      },
    ],
    [
      "secrets as older versions print them",
      { secret: ["id=a,env=A", "type=file,id=b,src=f", 'type=env,id=c,"src=C"'] },
      { secrets: { a: { variable: "A" }, b: { file: "f" }, c: { variable: "C" } } },
    ],
    [
      "keys",
      { ssh: [{ id: "default" }, { id: "k", paths: ["p"] }] },
      {
        ssh: [
          { id: "default", paths: [] },
          { id: "k", paths: ["p"] },
        ],
      },
    ],
    [
      "keys as older versions print them",
      { ssh: ["default", "k=p,q"] },
      {
        ssh: [
          { id: "default", paths: [] },
          { id: "k", paths: ["p", "q"] },
        ],
      },
    ],
    [
      "platforms in one text",
      { platforms: ["linux/amd64,linux/arm64"] },
      { platforms: ["linux/amd64", "linux/arm64"] },
    ],
    [
      "caches",
      {
        "cache-from": [{ type: "gha", scope: "a,b" }, "user/app:cache"],
        "cache-to": ["type=inline"],
      },
      {
        cacheFrom: ['type=gha,"scope=a,b"', "type=registry,ref=user/app:cache"],
        cacheTo: ["type=inline"],
      },
    ],
    ["flags", { pull: true, "no-cache": false }, { pull: true, noCache: false }],
    ["provenance", { attest: [{ type: "provenance", mode: "max" }] }, { provenance: "max" }],
    ["no provenance", { attest: ["type=provenance,disabled=true"] }, { provenance: "off" }],
    ["no list of parts", { attest: [{ type: "sbom", disabled: true }] }, { sbom: false }],
    [
      "outputs that a push makes anyway",
      {
        output: [
          { type: "docker" },
          { type: "image", push: "true" },
          { type: "registry", "oci-mediatypes": "true" },
        ],
      },
      { exporter: {} },
    ],
    [
      "packing of its own",
      { output: ["type=image,compression=zstd,compression-level=9"] },
      { exporter: { compression: "zstd", "compression-level": "9" } },
    ],
    ["a description", { description: "x" }, {}],
    ["the usual call", { call: "build" }, {}],
  ])("may have %s", (_, printed, expected) => {
    expect(only(printed)).toMatchObject({ ...expected, refusals: [] });
  });

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ output: [{ type: "local", dest: "out" }] }, "output", /^type=local makes no image/],
    [{ output: ["out"] }, "output", /^type=local makes no image/],
    [{ output: [{ type: "cacheonly" }] }, "output", /^type=cacheonly makes no image/],
    [{ output: [{ type: "image", name: "x" }] }, "output", /^name the image in tags/],
    [
      { output: [{ type: "image", "oci-mediatypes": "false" }] },
      "output",
      /^oci-mediatypes=false is not/,
    ],
    [{ attest: [{ type: "sbom", generator: "x" }] }, "attest", /^generator of sbom/],
    [{ attest: [{ type: "other" }] }, "attest", /^type=other is not known/],
    [{ call: "check" }, "call", /^check builds nothing/],
    [{ policy: [{ Files: [] }] }, "policy", /^it is not carried over/],
    [{ resources: { memory: "1g" } }, "resources", /^it is not carried over/],
    [{ "yet-unknown": 1 }, "yet-unknown", /^it is not carried over/],
  ])("is refused with %j", (printed, key, problem) => {
    expect(only(printed).refusals).toEqual([{ key, problem: expect.stringMatching(problem) }]);
  });
});

describe("which targets were asked for", () => {
  const names = (definition: PrintedDefinition) =>
    read(definition).map(({ name, linked }) => (linked ? `(${name})` : name));

  it.each<[string, PrintedDefinition, string[]]>([
    [
      "those of the group",
      { group: { default: { targets: ["b", "a"] } }, target: { a: {}, b: {} } },
      ["a", "b"],
    ],
    [
      "those of groups in it",
      { group: { default: { targets: ["g"] }, g: { targets: ["a"] } }, target: { a: {} } },
      ["a"],
    ],
    [
      "not what they link to",
      {
        group: { default: { targets: ["a"] } },
        target: { a: {}, b: { output: [{ type: "cacheonly" }] } },
      },
      ["a", "(b)"],
    ],
    [
      "a target called default",
      { group: { default: { targets: ["default"] } }, target: { default: {} } },
      ["default"],
    ],
    [
      "a target called like a group's",
      { group: { default: { targets: ["constructor"] } }, target: { constructor: {} } },
      ["constructor"],
    ],
    ["none", { group: { default: { targets: null } }, target: {} }, []],
  ])("is told of %s", (_, definition, expected) => {
    expect(names(definition)).toEqual(expected);
  });

  it("keeps what is linked from being refused for the output that buildx gives it", () => {
    const target = { a: {}, b: { output: [{ type: "cacheonly" }] } };
    const found = read({ group: { default: { targets: ["a"] } }, target });
    expect(found.flatMap(({ refusals }) => refusals)).toEqual([]);
  });
});

it("writes lines of CSV that it reads again", () => {
  const key = fc.stringMatching(/^[a-z-]{1,8}$/);
  const value = fc.string({ minLength: 1 }).filter((text) => !/[\n\r]/.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(key, value), { selector: ([name]) => name }), (pairs) => {
      expect(csvMapping(csvLine(pairs))).toEqual(Object.fromEntries(pairs));
    }),
  );
});

it("reads fields as they were quoted", () => {
  expect(csvFields('a,"b,c","d""e"')).toEqual(["a", "b,c", 'd"e']);
});
