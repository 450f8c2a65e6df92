import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { cacheLine, cacheOf, csvField, parseCache } from "../../../shared/buildkit/cache.ts";

const service = { name: "api", repository: { host: "ghcr.io", path: "owner/api" } };
const ground = { environment: {}, mayPush: true };
const github = { ACTIONS_RUNTIME_TOKEN: "a token", ACTIONS_RESULTS_URL: "https://results" };

describe("the input cache", () => {
  it.each([
    ["off", { kind: "off" }],
    ["inline", { kind: "inline" }],
    [" registry ", { kind: "registry" }],
    ["registry:ghcr.io/owner/cache", { kind: "registry", repository: "ghcr.io/owner/cache" }],
    ["registry:127.0.0.1:5000/a/b", { kind: "registry", repository: "127.0.0.1:5000/a/b" }],
    ["gha", { kind: "gha" }],
    ["gha:main/2", { kind: "gha", scope: "main/2" }],
    ["local", { kind: "local" }],
    ["local:~/kept here", { kind: "local", folder: "~/kept here" }],
  ])("%s is understood", (text, setting) => {
    expect(parseCache(text)).toEqual(setting);
  });

  it.each([
    ["regsitry", "is none of off, inline"],
    ["", "is none of off, inline"],
    ["off:now", "off takes nothing after it"],
    ["registry:", "is no repository"],
    ["registry:ghcr.io/owner/cache:tag", "is no repository"],
    ["registry:ghcr.io/a,type=local", "is no repository"],
    ["gha:a,b", "the scope"],
    ["local:", "names no folder"],
  ])("%s is refused", (text, problem) => {
    expect(parseCache(text)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("never lets a comma through that would be another option", () => {
    fc.assert(
      fc.property(fc.constantFrom("registry:h/", "gha:"), fc.string(), (kind, text) => {
        const setting = parseCache(`${kind}${text}`);
        if ("problem" in setting) return;
        const made = cacheOf(setting, service, { ...ground, environment: github });
        for (const entry of made.from) expect(entry.split(",").length).toBe(2);
      }),
    );
  });
});

describe("where a build takes steps from and keeps them", () => {
  it("is nowhere with off", () => {
    expect(cacheOf({ kind: "off" }, service, ground)).toEqual({ from: [], to: [] });
  });

  it("is a tag beside the image, or one of the service in another repository", () => {
    expect(cacheOf({ kind: "registry" }, service, ground)).toEqual({
      from: ["type=registry,ref=ghcr.io/owner/api:buildcache"],
      to: [
        "type=registry,ref=ghcr.io/owner/api:buildcache,mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true",
      ],
    });
    const elsewhere = cacheOf({ kind: "registry", repository: "r.io/c" }, service, ground);
    expect(elsewhere.from).toEqual(["type=registry,ref=r.io/c:api"]);
  });

  it("is only read where nothing is pushed", () => {
    const reading = { ...ground, mayPush: false };
    expect(cacheOf({ kind: "registry" }, service, reading).to).toEqual([]);
    expect(cacheOf({ kind: "inline" }, service, reading).to).toEqual([]);
    expect(cacheOf({ kind: "inline" }, service, ground).to).toEqual(["type=inline"]);
  });

  it("is GitHub's cache under the service's name, with nothing secret in it", () => {
    const cache = cacheOf({ kind: "gha", scope: "main" }, service, {
      ...ground,
      environment: github,
    });
    expect(cache).toEqual({
      from: ["type=gha,scope=main-api"],
      to: ["type=gha,scope=main-api,mode=max,ignore-error=true"],
    });
    expect(cacheOf({ kind: "gha" }, service, ground)).toMatchObject({
      from: [],
      to: [],
      absent: expect.stringContaining("ACTIONS_RUNTIME_TOKEN"),
    });
  });

  it("is a folder that is written anew, and read where it is there", () => {
    const local = { from: "/kept/api", to: "/kept/.api~1, 2" };
    expect(cacheOf({ kind: "local" }, service, { ...ground, local })).toEqual({
      from: ["type=local,src=/kept/api"],
      to: ['type=local,"dest=/kept/.api~1, 2",mode=max,ignore-error=true'],
    });
    const first = { ...local, from: undefined };
    expect(cacheOf({ kind: "local" }, service, { ...ground, local: first }).from).toEqual([]);
    expect(cacheOf({ kind: "local" }, service, ground)).toEqual({ from: [], to: [] });
  });
});

describe("the line of what was saved", () => {
  const use = (cached: number, total: number, bytes = 0) => ({
    name: "s",
    steps: { done: total, cached, total },
    bytes,
  });

  it.each([
    [[], undefined],
    [[use(0, 0)], undefined],
    [[use(0, 3)], "cache: 0 of 3 steps (0 %) were not run again"],
    [
      [use(2, 3, 1_250_000)],
      "cache: 2 of 3 steps (66 %) were not run again; 1.25 MB fetched for it",
    ],
    [
      [use(3, 3), use(1, 5)],
      "cache: 4 of 8 steps (50 %) were not run again; of 1 of 2 services not one",
    ],
  ])("of %j is: %s", (uses, line) => {
    expect(cacheLine(uses)).toBe(line);
  });
});

it("a field of CSV reads back as it was", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const field = csvField(text);
      const read = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
      expect(read).toBe(text);
    }),
  );
});
