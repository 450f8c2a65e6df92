import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  type BuilderSettings,
  builderName,
  createArguments,
  imageOf,
  machinesOf,
  nodesOf,
} from "../../../../shared/buildkit/builder/settings.ts";

const settings: BuilderSettings = { driver: "kubernetes", options: {}, nodes: [], keep: true };

describe("the name of a builder that is made", () => {
  it("is the same for the same settings, in whatever order they are given", () => {
    const one = { ...settings, options: { namespace: "ci", image: "a/b:1" } };
    const other = { ...settings, options: { image: "a/b:1", namespace: "ci" } };
    expect(builderName(one)).toBe(builderName(other));
    expect(builderName(one)).toMatch(/^seaworthy-[0-9a-f]{8}$/);
  });

  it("is another for any other setting", () => {
    const names = [
      settings,
      { ...settings, driver: "docker-container" as const },
      { ...settings, options: { image: "a/b:1" } },
      { ...settings, config: "debug = true" },
      { ...settings, nodes: [{ platforms: ["linux/arm64"], options: {} }] },
      { ...settings, nodes: [{ platforms: [], options: { image: "a/b:2" } }] },
    ].map((each) => builderName(each));
    expect(new Set(names).size).toBe(names.length);
  });

  it("is the one that is given, and unique for one that is removed at the end", () => {
    expect(builderName({ ...settings, builder: "ours" })).toBe("ours");
    expect(builderName(settings, "ab12")).toBe("seaworthy-ab12");
    expect(builderName({ ...settings, builder: "ours" }, "ab12")).toBe("ours-ab12");
  });
});

describe("the nodes of a builder", () => {
  it("take the builder's options, and theirs before them", () => {
    const nodes = nodesOf({
      ...settings,
      options: { image: "a/b:1", replicas: "2" },
      nodes: [{ platforms: ["linux/arm64"], options: { replicas: "1" } }],
    });
    expect(nodes).toEqual([
      { platforms: ["linux/arm64"], options: { image: "a/b:1", replicas: "1" } },
    ]);
  });

  it("write nothing of the run into provenance, unless it is asked for", () => {
    const container = { ...settings, driver: "docker-container" as const };
    expect(nodesOf(container)[0]?.options).toEqual({ "provenance-add-gha": "false" });
    const asked = nodesOf({ ...container, options: { "provenance-add-gha": "true" } });
    expect(asked[0]?.options).toEqual({ "provenance-add-gha": "true" });
  });

  it.each([
    [{}, "moby/buildkit:buildx-stable-1"],
    [{ rootless: "true" }, "moby/buildkit:buildx-stable-1-rootless"],
    [{ rootless: "true", image: "own/image:1" }, "own/image:1"],
    [{ rootless: "false" }, "moby/buildkit:buildx-stable-1"],
  ])("run with %j the image %s", (options, image) => {
    expect(imageOf(options)).toBe(image);
  });
});

it("each pod of a node in a cluster counts as a machine", () => {
  const node = (options: Readonly<Record<string, string>>) => ({ options });
  expect(machinesOf([node({})])).toBe(1);
  expect(machinesOf([node({ replicas: "3" }), node({ replicas: "0" }), node({})])).toBe(5);
});

describe("the arguments of buildx create", () => {
  it("make the builder with its first node, and let the others join", () => {
    const nodes = [
      { platforms: ["linux/amd64"], options: { nodeselector: "arch=amd64,pool=ci" } },
      { platforms: ["linux/arm64", "linux/arm/v7"], options: {}, endpoint: "tcp://there:1" },
    ];
    expect(createArguments("b", "remote", nodes, "/private/config")).toEqual([
      [
        ...["create", "--name=b", "--node=b0", "--driver=remote", "--platform=linux/amd64"],
        '--driver-opt="nodeselector=arch=amd64,pool=ci"',
        "--buildkitd-config=/private/config",
      ],
      [
        ...["create", "--name=b", "--node=b1", "--append", "--platform=linux/arm64,linux/arm/v7"],
        ...["--buildkitd-config=/private/config", "tcp://there:1"],
      ],
    ]);
  });

  it("hold each option as one word, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const [args = []] = createArguments(
          "b",
          "kubernetes",
          [{ platforms: [], options: { labels: value } }],
          undefined,
        );
        expect(args).toHaveLength(5);
      }),
    );
  });
});
