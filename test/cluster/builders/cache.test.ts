import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Runner } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { OwnBuildKit } from "../buildkit/own-buildkit.ts";
import { ActionsCache } from "./actions-cache.ts";
import { buildPush, cachedSteps, manifestAt, ownPrefix, passed } from "./harness.ts";

jest.setTimeout(120_000);

let bed: Endpoints;
/** Two, so that what the second finds is not what it remembers. */
let [first, second]: [OwnBuildKit, OwnBuildKit] = [] as never;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image"]);
  [first, second] = await Promise.all([OwnBuildKit.start(), OwnBuildKit.start()]);
}, 30 * 60_000);

afterAll(async () => {
  await Promise.all([first, second].map((each) => each?.[Symbol.asyncDispose]()));
});

const prefix = ownPrefix("cache");
const dockerfile = (name: string) =>
  [
    `FROM ${bed.busyboxImage} AS made`,
    `RUN echo ${prefix} ${name} > /made`,
    `FROM ${bed.busyboxImage}`,
    "COPY --from=made /made /made",
    "RUN cat /made > /read",
    "COPY last /last",
    "",
  ].join("\n");

/** Builds by the one, changes what the last step copies, and builds by the other. */
async function voyage(name: string, cache: string, environment: Record<string, string> = {}) {
  const runner = await Runner.create({ Dockerfile: dockerfile(name), last: "one" });
  const inputs = { registry: `${bed.registry}/${prefix}`, name, cache };
  const one = await buildPush(bed, runner, { ...inputs, buildkit: first.address }, environment);
  passed(one);
  await runner.write("last", "two");
  const two = await buildPush(bed, runner, { ...inputs, buildkit: second.address }, environment);
  passed(two);
  return { runner, one, two };
}

describe("the steps of a build are found by another BuildKit", () => {
  it("not without a cache", async () => {
    const { runner, two } = await voyage("none", "off");
    await using _ = runner;
    expect(cachedSteps(two)).toEqual([0, 4]);
  });

  it("in the registry, at the tag buildcache", async () => {
    const { runner, one, two } = await voyage("registry", "registry");
    await using _ = runner;
    expect(cachedSteps(one)).toEqual([0, 4]);
    // All but the last, those of the other stage among them.
    expect(cachedSteps(two)).toEqual([3, 4]);
    const kept = await manifestAt(`${bed.registry}/${prefix}/registry:buildcache`);
    // The form that every registry takes.
    expect(kept?.mediaType).toBe("application/vnd.oci.image.manifest.v1+json");
  });

  it("in another repository of the registry", async () => {
    const place = `${bed.registry}/${prefix}/kept`;
    const { runner, two } = await voyage("elsewhere", `registry:${place}`);
    await using _ = runner;
    expect(cachedSteps(two)).toEqual([3, 4]);
    expect(await manifestAt(`${place}:elsewhere`)).toBeDefined();
    expect(await manifestAt(`${bed.registry}/${prefix}/elsewhere:buildcache`)).toBeUndefined();
  });

  it("in the image itself, as far as its own stage goes", async () => {
    const { runner, two } = await voyage("inline", "inline");
    await using _ = runner;
    const [cached, total] = cachedSteps(two);
    expect(total).toBe(4);
    expect(cached).toBeGreaterThanOrEqual(2);
  });

  it("in a folder, which does not grow", async () => {
    const runner = await Runner.create();
    const folder = join(runner.folder, "kept");
    const { runner: other, two } = await voyage("local", `local:${folder}`);
    await using _ = runner;
    await using __ = other;
    expect(cachedSteps(two)).toEqual([3, 4]);
    // The new one in the place of the old one, and nothing beside it.
    expect(await readdir(folder)).toEqual(["local"]);
    const blobs = await readdir(join(folder, "local", "blobs", "sha256"));
    const third = await buildPush(bed, other, {
      registry: `${bed.registry}/${prefix}`,
      name: "local",
      cache: `local:${folder}`,
      rebuild: "always",
      buildkit: second.address,
    });
    passed(third);
    const again = await readdir(join(folder, "local", "blobs", "sha256"));
    expect(again).toHaveLength(blobs.length);
  });
});

describe("GitHub's cache", () => {
  it("is found by another BuildKit, by the token of the runner", async () => {
    await using service = await ActionsCache.start();
    const { environment } = service;
    const { runner, two } = await voyage("github", "gha:main", environment);
    await using _ = runner;
    expect(cachedSteps(two)).toEqual([3, 4]);
    expect([...service.authorizations]).toEqual([`Bearer ${environment.ACTIONS_RUNTIME_TOKEN}`]);
  });
});

describe("a cache that cannot be had", () => {
  it("is a warning where a runner has no GitHub's cache", async () => {
    await using runner = await Runner.create({ Dockerfile: dockerfile("gha"), last: "one" });
    const run = await buildPush(bed, runner, {
      registry: `${bed.registry}/${prefix}`,
      name: "gha",
      cache: "gha",
      buildkit: first.address,
    });
    passed(run);
    expect(run.stdout).toMatch(/::warning title=No cache::The cache gha is not used/);
  });

  it("does not fail the build where it cannot be written", async () => {
    await using runner = await Runner.create({ Dockerfile: dockerfile("lost"), last: "one" });
    const run = await buildPush(bed, runner, {
      registry: `${bed.registry}/${prefix}`,
      name: "lost",
      cache: "registry:127.0.0.1:1/nobody/there",
      buildkit: first.address,
    });
    passed(run);
    expect(run.outputs.verdict).toBe("passed");
    expect(run.stdout).toMatch(/^lost: warning: The cache could not be written: /m);
    expect(run.stdout).toMatch(/^lost: warning: The cache could not be read: /m);
  });

  it("is an error where the input means nothing", async () => {
    await using runner = await Runner.create({ Dockerfile: dockerfile("odd"), last: "one" });
    const run = await buildPush(bed, runner, {
      registry: `${bed.registry}/${prefix}`,
      name: "odd",
      cache: "regsitry",
    });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.cause).toContain('cache: "regsitry" is none of off, inline, registry');
  });
});
