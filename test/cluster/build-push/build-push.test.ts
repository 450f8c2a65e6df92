import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, failureOf, Runner, runStep, snapshot } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { challenge, FaultRegistry, type Rule, tokenRules } from "../registry/fault-registry.ts";
import { builderOf } from "./builder.ts";

const source = bundleOf("build-push");

jest.setTimeout(60_000);

let bed: Endpoints;
let environment: Record<string, string>;
const prefix = `build-push-${randomBytes(4).toString("hex")}`;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image", "node-image"]);
  environment = builderOf(bed);
}, 30 * 60_000);

// The registry keeps blobs until it is taken down with the bed; names go at once.
afterAll(async () => {
  const answer = await fetch(`http://${bed.registry}/v2/_catalog?n=1000`);
  const { repositories } = (await answer.json()) as { repositories: string[] };
  for (const name of repositories.filter((each) => each.startsWith(prefix))) {
    const tags = await fetch(`http://${bed.registry}/v2/${name}/tags/list`);
    for (const tag of ((await tags.json()) as { tags: string[] | null }).tags ?? []) {
      const digest = await digestAt(`${bed.registry}/${name}`, tag);
      await fetch(`http://${bed.registry}/v2/${name}/manifests/${digest}`, { method: "DELETE" });
    }
  }
});

/** The digest in the registry, asked without any of the action's code. */
async function digestAt(repository: string, reference: string): Promise<string | null> {
  const [host, ...path] = repository.split("/");
  const accept = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
  ].join(", ");
  const url = `http://${host}/v2/${path.join("/")}/manifests/${reference}`;
  const answer = await fetch(url, { method: "HEAD", headers: { accept } });
  return answer.headers.get("docker-content-digest");
}

const scratch = { Dockerfile: "FROM scratch\nCOPY hello /hello\n", hello: "hello" };
const registry = () => `${bed.registry}/${prefix}`;
const parse = (text: string | undefined) => JSON.parse(text ?? "null");

describe("what is built", () => {
  it("is what the registry attests", async () => {
    await using runner = await Runner.create(scratch);
    const run = await runStep(source, {
      runner,
      inputs: { registry: registry(), name: "one" },
      environment,
    });
    expect(run.stdout).toContain("one: the registry holds");
    expect(run).toMatchObject({ exitCode: 0, outputs: { verdict: "passed", cause: "" } });
    // What it leaves is what it says that it leaves.
    expect(run.leftovers.map((name) => join(runner.temp, name))).toEqual([
      run.outputs["images-file"],
    ]);
    const digest = await digestAt(`${registry()}/one`, "0123456789abcdef0123456789abcdef01234567");
    expect(digest).toMatch(/^sha256:/);
    expect(parse(run.outputs.digests)).toEqual({ one: digest });
    expect(parse(run.outputs.images)).toEqual({
      one: {
        repository: `${registry()}/one`,
        tag: "0123456789abcdef0123456789abcdef01234567",
        tags: ["0123456789abcdef0123456789abcdef01234567"],
        digest,
        reference: `${registry()}/one@${digest}`,
        ref: `${registry()}/one:0123456789abcdef0123456789abcdef01234567@${digest}`,
        platforms: ["linux/amd64"],
        size: expect.any(Number),
        status: "built",
        key: expect.stringMatching(/^[0-9a-f]{64}$/),
        mirrors: [],
      },
    });
    expect(parse(run.outputs.changed)).toEqual(["one"]);
    expect(run.summary).toMatch(/^## ✅ 1 service built; all proven at the registry/);
    expect(run.summary).toContain("```mermaid");
  });

  it("may be several services with tags, platforms, arguments and secrets of their own", async () => {
    await using runner = await Runner.create({
      ...scratch,
      "api/Dockerfile.api": [
        `FROM ${bed.busyboxImage} AS base`,
        "ARG GREETING",
        'RUN --mount=type=secret,id=key,required=true test "$GREETING" = "two words" && test "$(sha256sum < /run/secrets/key)" = "10fd93e00c1bdccff1ba9cb6919df45fcd7264eb96f173c36eb6934e18e5ef86  -"',
        "FROM base AS unused",
        "RUN false",
      ].join("\n"),
    });
    const services = JSON.stringify([
      { name: "web", platforms: ["linux/amd64", "linux/arm64"], tags: ["1", "latest"] },
      {
        name: "team/api",
        context: "api",
        dockerfile: "Dockerfile.api",
        target: "base",
        "build-args": { GREETING: "two words" },
        secrets: { key: "THE_KEY" },
      },
    ]);
    const given = { registry: registry(), services, tags: "v1" };
    const run = await runStep(source, {
      runner,
      inputs: given,
      environment: { ...environment, THE_KEY: "sesame-open" },
    });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    const images = parse(run.outputs.images);
    expect(images.web).toMatchObject({
      tags: ["1", "latest"],
      platforms: ["linux/amd64", "linux/arm64"],
      digest: await digestAt(`${registry()}/web`, "latest"),
    });
    expect(images["team/api"].digest).toBe(await digestAt(`${registry()}/team/api`, "v1"));
    expect(run.stdout.replace(/^::add-mask::.*$/gm, "")).not.toContain("sesame-open");
  });

  it("needs no builder where BuildKit's address is given", async () => {
    await using runner = await Runner.create(scratch);
    const given = { registry: registry(), name: "remote", buildkit: bed.buildkit };
    const { PATH = "" } = environment;
    const run = await runStep(source, { runner, inputs: given, environment: { PATH } });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(run.leftovers.filter((name) => !name.startsWith("images-"))).toEqual([]);
  });

  it("may be the sample service, from a base image of one's own", async () => {
    await using runner = await Runner.create();
    const context = join(import.meta.dirname, "..", "..", "..", "examples", "quickstart");
    const given = {
      registry: registry(),
      name: "quickstart",
      "build-args": `BASE_IMAGE=${bed.nodeImage}`,
    };
    const run = await runStep(source, {
      runner,
      inputs: given,
      environment: { ...environment, GITHUB_WORKSPACE: context },
    });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(parse(run.outputs.images).quickstart.size).toBeGreaterThan(10_000_000);
  });

  it("stays where it is when nothing is to be pushed", async () => {
    await using runner = await Runner.create(scratch);
    const given = { registry: registry(), name: "unpushed", push: "false" };
    const run = await runStep(source, { runner, inputs: given, environment });
    expect(run.outputs).toMatchObject({ verdict: "passed", images: "{}" });
    expect(
      await digestAt(`${registry()}/unpushed`, "0123456789abcdef0123456789abcdef01234567"),
    ).toBeNull();
    expect(run.summary).toContain("nothing was pushed, as asked");
  });
});

describe("what does not build", () => {
  it.each<[string, () => string, number, RegExp]>([
    [
      "an instruction that does not exist",
      () => "FROM scratch\n\nCOPPY a b\n",
      3,
      /unknown instruction: COPPY/,
    ],
    [
      "a file that is not there",
      () => "FROM scratch\nCOPY nothing /\n",
      2,
      /COPY nothing \/ failed: the build context has no nothing\.$/,
    ],
    [
      "a command that fails",
      () =>
        `FROM ${bed.busyboxImage}\nRUN echo so far so good; \\\n    echo out of luck >&2; exit 3\n`,
      2,
      /failed: exit code: 3\. Its last words: out of luck$/,
    ],
    [
      "a base image that is not there",
      () => `FROM ${bed.registry}/no/where:1\n`,
      1,
      /starts from .*not found/,
    ],
  ])("names %s with its line", async (_, dockerfile, line, cause) => {
    await using runner = await Runner.create({ "api/Dockerfile": dockerfile() });
    const given = { registry: registry(), name: "broken", context: "api" };
    const run = await runStep(source, { runner, inputs: given, environment });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.cause).toMatch(cause);
    expect(run.stdout).toMatch(
      new RegExp(`^::error title=broken%3A.*,file=api/Dockerfile,line=${line}::`, "m"),
    );
    expect(run.outputs).toMatchObject({ verdict: "failed", images: "{}", digests: "{}" });
    expect(run.summary).toMatch(/^## ❌ build-push: broken/);
    expect(run.leftovers).toEqual([]);
  });

  it("says so in the words that the README shows", async () => {
    await using runner = await Runner.create({
      "api/Dockerfile": `FROM ${bed.busyboxImage}\nRUN echo 'no such package: left-pad@9' >&2; exit 3\n`,
    });
    const inputs = { registry: registry(), name: "api", context: "api" };
    const run = await runStep(source, { runner, inputs, environment });
    const { said, kept } = snapshot("build-push", failureOf(run));
    expect(said).toBe(kept);
  });

  it("shows what the failed command printed, and lets it forge nothing", async () => {
    await using runner = await Runner.create({
      Dockerfile: `FROM ${bed.busyboxImage}\nRUN echo "::set-output name=cause::forged"; echo the reason; exit 1\n`,
    });
    const run = await runStep(source, {
      runner,
      inputs: { registry: registry(), name: "broken" },
      environment,
    });
    expect(run.stdout).toMatch(/^the reason$/m);
    expect(run.summary).toContain("the reason");
    expect(run.stdout).not.toMatch(/^\s*::set-output/m);
    expect(run.outputs.cause).toMatch(/^Dockerfile:2: RUN /);
  });

  it("does not keep the others from being proven, and no tag of any is moved", async () => {
    await using runner = await Runner.create({
      ...scratch,
      "Dockerfile.bad": "FROM scratch\nNO\n",
    });
    const services = "[{name: good}, {name: bad, dockerfile: Dockerfile.bad}]";
    const run = await runStep(source, {
      runner,
      inputs: { registry: registry(), services, tags: "1" },
      environment,
    });
    expect(run.exitCode).toBe(1);
    expect(run.outputs.cause).toMatch(
      /Dockerfile\.bad:2: .*\nNo tag was moved: .* by digest: .*\/good@sha256:\w+\./,
    );
    const { good } = parse(run.outputs.digests);
    expect(await digestAt(`${registry()}/good`, good)).toBe(good);
    expect(await digestAt(`${registry()}/good`, "1")).toBeNull();
    expect(parse(run.outputs.images).good).toMatchObject({ tag: "", tags: [] });
  });

  it("is ended at its timeout, which names the step", async () => {
    await using runner = await Runner.create({
      Dockerfile: `FROM ${bed.busyboxImage}\nRUN sleep 60\n`,
    });
    const given = { registry: registry(), name: "slow", timeout: "6s" };
    const run = await runStep(source, { runner, inputs: given, environment });
    expect(run.outputs.cause).toMatch(/ended after \d s, its timeout, at: RUN sleep 60/);
  });
});

describe("a BuildKit that cannot be reached", () => {
  it.each([
    [
      "tcp://127.0.0.1:1",
      /BuildKit at tcp:\/\/127\.0\.0\.1:1 did not answer.*ECONNREFUSED 127\.0\.0\.1:1/,
    ],
    ["unix:///nowhere/buildkitd.sock", /ENOENT.*\/nowhere\/buildkitd\.sock/],
  ])("is named: %s", async (buildkit, cause) => {
    await using runner = await Runner.create(scratch);
    const run = await runStep(source, {
      runner,
      inputs: { registry: registry(), name: "a", buildkit },
      environment,
    });
    expect(run.outputs.cause).toMatch(cause);
    expect(run.milliseconds).toBeLessThan(9_000);
    expect(run.leftovers).toEqual([]);
  });

  it("is not looked for under a builder's name that does not exist", async () => {
    await using runner = await Runner.create(scratch);
    const run = await runStep(source, {
      runner,
      inputs: { registry: registry(), name: "a", builder: "none" },
      environment,
    });
    expect(run.outputs.cause).toMatch(/knows no builder "none"/);
  });
});

describe("a registry that", () => {
  const isOurs: (rule: Rule) => Rule = (rule) => (asked, before) =>
    asked.ours ? rule(asked, before) : undefined;

  it.each<[string, Rule, RegExp]>([
    ["is down before the build", isOurs(() => ({ status: 503 })), /answered 503/],
    [
      "forbids the upload",
      ({ method, url }) =>
        method === "POST" && url.includes("/uploads/") ? { status: 403 } : undefined,
      /403 Forbidden.* The scope that is missing is repository:.*push/,
    ],
    [
      "loses the manifest",
      isOurs(({ url }) => (url.includes("/manifests/") ? { status: 404 } : undefined)),
      /the push was reported as done, but the registry has no manifest sha256:/,
    ],
    [
      "fails when asked for the manifest",
      isOurs(({ url }) => (url.includes("/manifests/") ? { status: 500 } : undefined)),
      /manifests\/key-\w+ answered 500/,
    ],
    [
      "serves another image",
      isOurs(({ url, method }) =>
        method !== "PUT" && url.endsWith("/manifests/1")
          ? { path: "/v2/testbed/busybox/manifests/1" }
          : undefined,
      ),
      /doubted:1 .*sha256:\w{64}.*sha256:\w{64}/,
    ],
  ])("%s fails the step with that cause", async (_, rule, cause) => {
    await using faulty = await FaultRegistry.start(bed.registry, rule);
    await using runner = await Runner.create(scratch);
    const given = { registry: `${faulty.host}/${prefix}`, name: "doubted", tags: "1" };
    const run = await runStep(source, { runner, inputs: given, environment });
    expect(run.outputs.cause).toMatch(cause);
    expect(run.exitCode).toBe(1);
    const tags = Object.values<{ tags: string[] }>(parse(run.outputs.images || "{}"));
    expect(tags.flatMap((image) => image.tags)).toEqual([]);
    expect(run.outputs["images-file"]).toBe("");
    expect(run.leftovers).toEqual([]);
  });

  it("wants credentials gets those of the inputs, and nobody else sees the password", async () => {
    const password = "correct horse battery";
    const rules = tokenRules({ username: "me", password });
    await using faulty: FaultRegistry = await FaultRegistry.start(bed.registry, (asked) => {
      // BuildKit asks for its token with a POST first, as Docker's own service has it.
      if (asked.method === "POST" && asked.url.startsWith("/token")) return { status: 404 };
      const fault = rules(asked);
      if (typeof fault !== "object" || !("status" in fault) || fault.status !== 401) return fault;
      return asked.url.startsWith("/token") ? fault : { ...fault, headers: challenge(faulty.host) };
    });
    await using runner = await Runner.create(scratch);
    const argv = join(runner.folder, "argv");
    const docker = join(runner.folder, "bin", "docker");
    await runner.write(
      "../bin/docker",
      `#!/bin/sh\nprintf '%s\\n' "$@" >> ${argv}\nenv >> ${argv}\nexec "$(PATH=$REAL_PATH command -v docker)" "$@"\n`,
      0o755,
    );
    const { PATH = "" } = environment;
    const paths = { PATH: `${join(docker, "..")}:${PATH}`, REAL_PATH: PATH };
    const given = { registry: `${faulty.host}/${prefix}`, name: "guarded", tags: "1" };
    const run = await runStep(source, {
      runner,
      inputs: { ...given, username: "me", password },
      environment: { ...environment, ...paths },
    });
    expect(run.outputs).toMatchObject({ verdict: "passed", cause: "" });
    const written = run.outputs["images-file"] ?? "";
    expect(await readFile(written, "utf8")).not.toContain(password);
    await rm(written);
    const seen = await readFile(argv, "utf8");
    expect(seen).toContain("bake");
    const shown = run.stdout.replace(/^::add-mask::.*$/gm, "");
    const all = [seen, shown, run.summary, JSON.stringify(run.outputs)].join("\n");
    expect(all).not.toContain(password);
    expect(all).not.toContain(Buffer.from(`me:${password}`).toString("base64"));
    expect(run.leftovers).toEqual([basename(written)]);

    const refused = await runStep(source, {
      runner,
      inputs: { ...given, username: "me", password: "wrong-word" },
      environment: { ...environment, ...paths },
    });
    expect(refused.outputs.cause).toMatch(
      /as me and answered 401 .*repository:.*\/guarded:pull,push/,
    );
  });
});

describe("a cancelled job", () => {
  it("ends the build, leaves nothing behind and says what was pushed", async () => {
    await using runner = await Runner.create({
      ...scratch,
      "Dockerfile.slow": `FROM ${bed.busyboxImage}\nRUN echo begun ${prefix}; sleep 120\n`,
    });
    const services = "[{name: quick}, {name: slow, dockerfile: Dockerfile.slow}]";
    const given = { registry: registry(), services, tags: "1" };
    const seen = new Set<string>();
    let killed = 0;
    const run = await runStep(source, {
      runner,
      inputs: given,
      environment,
      onLine: (line, child) => {
        if (line.includes("quick: pushed ")) seen.add("quick");
        if (line.includes(`| begun ${prefix}`)) seen.add("slow");
        if (seen.size < 2 || killed > 0) return;
        killed = Date.now();
        child.kill("SIGINT");
      },
    });
    expect(killed).toBeGreaterThan(0);
    expect(Date.now() - killed).toBeLessThan(5_000);
    expect(run.exitCode).toBe(1);
    expect(run.outputs.verdict).toBe("cancelled");
    expect(run.outputs.cause).toMatch(/^The job was cancelled\. /);
    expect(await digestAt(`${registry()}/quick`, "1")).toBeNull();
    expect(run.leftovers).toEqual([]);
  });
});
