import { describe, expect, it } from "@jest/globals";
import { partsOf } from "../../../actions/build-push/bake-by-platform.ts";
import type { BakeTarget } from "../../../shared/buildkit/index.ts";

const target = (name: string, platforms: readonly string[], more: Partial<BakeTarget> = {}) => ({
  name,
  context: `/w/${name}`,
  dockerfile: `/w/${name}/Dockerfile`,
  dockerfileShown: `${name}/Dockerfile`,
  output: "push-by-digest" as const,
  platforms,
  ...more,
});
const both = ["linux/amd64", "linux/arm64"];

describe("the parts of a target on several machines", () => {
  it("are itself where it has one platform at most", () => {
    for (const platforms of [[], ["linux/arm64"]]) {
      const one = target("web", platforms);
      expect(partsOf(one, [one])).toEqual([one]);
    }
  });

  it("are one for each platform, each linked to the same part of what it is built on", () => {
    const base = target("base", both);
    const tools = target("tools", ["linux/amd64"]);
    const contexts = { base: "target:base", tools: "target:tools", other: "docker-image://x" };
    const web = target("web", both, { contexts });
    expect(partsOf(web, [base, tools, web])).toMatchObject([
      {
        name: "web (linux/amd64)",
        platforms: ["linux/amd64"],
        contexts: {
          base: "target:base (linux/amd64)",
          tools: "target:tools",
          other: contexts.other,
        },
      },
      {
        name: "web (linux/arm64)",
        platforms: ["linux/arm64"],
        contexts: { base: "target:base (linux/arm64)" },
      },
    ]);
  });

  it("keep a cache each", () => {
    const web = target("web", both, {
      cacheFrom: ["type=registry,ref=r.io/web:buildcache"],
      cacheTo: ["type=gha,scope=web,mode=max", "type=local,dest=/kept/web,mode=max"],
    });
    const [first, second] = partsOf(web, [web]);
    expect(first?.cacheFrom).toEqual(["type=registry,ref=r.io/web:buildcache-linux-amd64"]);
    expect(first?.cacheTo).toEqual([
      "type=gha,scope=web-linux-amd64,mode=max",
      "type=local,dest=/kept/web,mode=max",
    ]);
    expect(second?.cacheTo).toEqual(["type=gha,scope=web-linux-arm64,mode=max"]);
  });
});
