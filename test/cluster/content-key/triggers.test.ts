import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";

jest.setTimeout(90_000);

const source = bundleOf("build-push");
const run = promisify(execFile);

let bed: Endpoints;
let environment: Record<string, string>;
let registry: string;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image"]);
  environment = {
    PATH: `${bed.bin}:${process.env.PATH}`,
    DOCKER_CONFIG: bed.dockerConfig,
    BUILDX_BUILDER: "seaworthy",
  };
  registry = `${bed.registry}/content-key-${randomBytes(4).toString("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-content-key-"));
  await writeFile(join(folder, "Dockerfile"), `FROM ${bed.busyboxImage}\nONBUILD COPY b /b\n`);
  const args = [
    "build",
    "-q",
    "--builder",
    "seaworthy",
    "--push",
    "-t",
    `${registry}/base:1`,
    folder,
  ];
  await run("buildx", args, { env: { ...process.env, ...environment } });
  await rm(folder, { recursive: true });
}, 30 * 60_000);

describe("a service that copies a part of its context", () => {
  it("is built again for what the ONBUILD lines of its base image copy too, and for nothing else", async () => {
    await using runner = await Runner.create({
      Dockerfile: `FROM ${registry}/base:1\nCOPY a /a\n`,
      ...{ a: "a", b: "b", c: "c" },
    });
    const inputs = { registry, name: "web", tags: "main" };
    const ship = async () => {
      const step = await runStep(source, { runner, inputs, environment });
      expect([step.exitCode, step.outputs.verdict]).toEqual([0, "passed"]);
      return JSON.parse(step.outputs.changed ?? "null");
    };
    expect(await ship()).toEqual(["web"]);
    expect(await ship()).toEqual([]);
    for (const [file, changed] of [
      ["c", []],
      ["b", ["web"]],
      ["a", ["web"]],
    ] as const) {
      await writeFile(join(runner.workspace, file), "changed");
      expect([file, await ship()]).toEqual([file, changed]);
    }
  });
});
