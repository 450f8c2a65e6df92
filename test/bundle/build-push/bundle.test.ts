import { existsSync } from "node:fs";
import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";

const bundle = bundleOf("build-push");

jest.setTimeout(30_000);

// Nobody listens there: whoever gets this far has accepted the inputs.
const registry = "127.0.0.1:1/me";
const files = { Dockerfile: "FROM scratch\n", "api/Dockerfile": "FROM scratch\n" };

describe("the bundle", () => {
  it("names every wrong input, exits 1 and leaves nothing", async () => {
    await using runner = await Runner.create(files);
    const run = await runStep(bundle, {
      runner,
      inputs: { nam: "api", sbom: "maybe", timeout: "30" },
    });
    expect(run.exitCode).toBe(1);
    for (const words of ["did you mean name", "sbom", "the unit is missing"]) {
      expect(run.outputs.cause).toContain(words);
    }
    expect(run.outputs.verdict).toBe("failed");
    expect(run.stdout).toContain("::error title=3 inputs are wrong::");
    expect(run.leftovers).toEqual([]);
  });

  it.each([
    [
      "a context that is not there",
      { name: "api", context: "nope" },
      /context: there is no folder "nope"/,
    ],
    [
      "a context outside",
      { name: "api", context: "/etc" },
      /context: "\/etc" is outside the workspace/,
    ],
    ["a context that climbs out", { name: "api", context: "../.." }, /outside the workspace/],
    ["a context that is a file", { name: "api", context: "Dockerfile" }, /is no folder/],
    ["a context elsewhere", { name: "api", context: "https://example.org/x.git" }, /is an address/],
    [
      "a missing Dockerfile",
      { name: "api", dockerfile: "Dockerfile.prod" },
      /no file "Dockerfile.prod"/,
    ],
    ["a Dockerfile outside", { name: "api", dockerfile: "/etc/passwd" }, /outside the workspace/],
    [
      "a secret that is not set",
      { name: "api", secrets: "npm: NPM_TOKEN" },
      /NPM_TOKEN is not set/,
    ],
    [
      "a secret's file that is not there",
      { name: "api", secrets: "k: {file: x}" },
      /its file cannot be read/,
    ],
  ])("refuses %s", async (_, inputs, cause) => {
    await using runner = await Runner.create(files);
    const run = await runStep(bundle, { runner, inputs: { registry, ...inputs } });
    expect(run.outputs.cause).toMatch(cause);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).not.toContain("at file:");
    expect(run.leftovers).toEqual([]);
  });

  it("follows links before it believes that a folder is in the workspace", async () => {
    await using runner = await Runner.create(files);
    await symlink("/etc", join(runner.workspace, "linked"));
    await symlink("/etc/passwd", join(runner.workspace, "api", "Dockerfile.linked"));
    const services =
      "[{name: a, context: linked}, {name: b, context: api, dockerfile: Dockerfile.linked}]";
    const { outputs } = await runStep(bundle, { runner, inputs: { registry, services } });
    expect(outputs.cause).toMatch(/services\.0 \(a\): context: "linked" is outside.*link to \/etc/);
    expect(outputs.cause).toMatch(/services\.1 \(b\): dockerfile: .*link to \/etc\/passwd/);
  });

  it.each([
    "a;$(touch x)",
    "a`touch x`",
    "::set-output name=cause::forged",
    "a\n::error::forged",
    "a%0A::error::x",
  ])("takes the name %j for text", async (name) => {
    await using runner = await Runner.create(files);
    const run = await runStep(bundle, { runner, inputs: { registry, name } });
    expect(run.exitCode).toBe(1);
    expect(existsSync(join(runner.workspace, "x"))).toBe(false);
    const commands = run.stdout.split(/\r\n|\r|\n/).filter((line) => /^\s*::/.test(line));
    expect(commands).toHaveLength(1);
    expect(commands[0]).toMatch(/^::error title=One input is wrong::name: /);
    expect(Object.keys(run.outputs).sort()).toEqual([
      "cause",
      "changed",
      "digests",
      "images",
      "images-file",
      "matrix",
      "seconds",
      "verdict",
    ]);
  });

  it("says which address of the registry nobody answers at", async () => {
    await using runner = await Runner.create(files);
    await runner.write("bin/docker", "#!/bin/sh\nexit 1\n", 0o755);
    await runner.write("bin/buildx", "#!/bin/sh\nexit 1\n", 0o755);
    const PATH = join(runner.workspace, "bin");
    const run = await runStep(bundle, {
      runner,
      inputs: { registry, name: "api" },
      environment: { PATH },
    });
    expect(run.outputs.cause).toMatch(
      /http:\/\/127\.0\.0\.1:1\/v2\/: connect ECONNREFUSED 127\.0\.0\.1:1/,
    );
    expect(run.leftovers).toEqual([]);
  });

  it("says what to install when there is no buildx", async () => {
    await using runner = await Runner.create(files);
    const run = await runStep(bundle, {
      runner,
      inputs: { registry, name: "api" },
      environment: { PATH: "/nowhere" },
    });
    expect(run.outputs.cause).toBe("Neither docker nor buildx is on the PATH.");
    expect(run.stdout).toContain("setup-buildx-action");
  });

  it("says which folder cannot be written to", async () => {
    await using runner = await Runner.create(files);
    const environment = { RUNNER_TEMP: join(runner.folder, "gone") };
    const run = await runStep(bundle, { runner, inputs: { registry, name: "api" }, environment });
    expect(run.outputs.cause).toMatch(/\/gone: ENOENT/);
    expect(run.stdout).toContain("title=The runner's folder for temporary files cannot be used");
  });

  it("shows a password nowhere", async () => {
    await using runner = await Runner.create(files);
    const login = { username: "me", password: "correct-horse" };
    const run = await runStep(bundle, {
      runner,
      inputs: {
        registry,
        name: "api",
        ...login,
        tags: "correct-horse!",
      },
    });
    expect(run.outputs.cause).toContain('"***!"');
    const shown = run.stdout.replace(/^::add-mask::.*$/gm, "");
    expect(`${shown}${run.summary}${JSON.stringify(run.outputs)}`).not.toContain("correct-horse");
  });

  it("shows no secret that was put where it does not belong, and says where that is", async () => {
    await using runner = await Runner.create(files);
    const services = "[{name: api, secrets: {npm: 'the-first-secret'}, tags: 1}]";
    const secrets = "npm: the-second-secret";
    const run = await runStep(bundle, { runner, inputs: { registry, services, secrets } });
    expect(run.outputs.cause).toMatch(
      /services: .*service 1, secrets, npm: give the name of an environment variable/,
    );
    expect(run.outputs.cause).toMatch(/service 1, tags: put it in quotes/);
    const shown = run.stdout.replace(/^::add-mask::.*$/gm, "");
    expect(`${shown}${run.summary}${JSON.stringify(run.outputs)}`).not.toMatch(
      /the-(first|second)-secret/,
    );
  });
});
