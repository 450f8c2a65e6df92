import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, Runner, runStep, startStep } from "../../runner/index.ts";
import { type Endpoints, up } from "../../testbed/index.ts";
import { type Asked, FaultRegistry } from "../registry/fault-registry.ts";
import { builderOf } from "./builder.ts";

const source = bundleOf("build-push");

jest.setTimeout(90_000);

const SERVICES = ["web", "api", "worker"];
const ACCEPT = "application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json";

let bed: Endpoints;
let environment: Record<string, string>;

beforeAll(async () => {
  bed = await up(["registry", "buildkit", "busybox-image"]);
  environment = builderOf(bed);
}, 30 * 60_000);

/** Sees the moment, from the requests that the registry is asked, at which the job is cancelled. */
type Moment = (asked: Asked) => boolean;

const nth = (count: number, moment: Moment): Moment => {
  let seen = 0;
  return (asked) => {
    if (moment(asked)) seen += 1;
    return seen === count;
  };
};

const isTagPut = ({ method, url, ours }: Asked) =>
  ours && method === "PUT" && /\/manifests\/(?!sha256:)/.test(url);

/** From the first question to the last. */
const MOMENTS: readonly (readonly [string, () => Moment, NodeJS.Signals])[] = [
  [
    "at the first question",
    () =>
      ({ ours }) =>
        ours,
    "SIGINT",
  ],
  [
    "while keys are looked up",
    () =>
      ({ url }) =>
        url.includes("/manifests/key-"),
    "SIGTERM",
  ],
  [
    "while BuildKit begins to push",
    () =>
      ({ ours, method }) =>
        !ours && method === "POST",
    "SIGINT",
  ],
  [
    "in the middle of a layer",
    () => nth(2, ({ ours, method, url }) => !ours && method === "PUT" && url.includes("/uploads/")),
    "SIGTERM",
  ],
  [
    "when BuildKit puts a manifest",
    () =>
      ({ ours, method, url }) =>
        !ours && method === "PUT" && url.includes("/manifests/"),
    "SIGINT",
  ],
  [
    "when the papers are rewritten",
    () =>
      ({ ours, method, url }) =>
        ours && method === "PUT" && url.includes("/manifests/sha256:"),
    "SIGTERM",
  ],
  ["when the first tag is moved", () => isTagPut, "SIGINT"],
  ["when the third tag is moved", () => nth(3, isTagPut), "SIGTERM"],
  ["when the last tag is moved", () => nth(6, isTagPut), "SIGINT"],
];

async function tagsOf(path: string): Promise<Readonly<Record<string, string | null>>> {
  const found = SERVICES.map(async (name) => {
    const url = `http://${bed.registry}/v2/${path}/${name}/manifests/main`;
    const answer = await fetch(url, { method: "HEAD", headers: { accept: ACCEPT } });
    return [name, answer.headers.get("docker-content-digest")] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** Programs that were started for the step and did not end with it. */
async function survivors(folder: string): Promise<readonly string[]> {
  const processes = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    processes.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line.includes(folder));
}

describe("a job that is cancelled", () => {
  const path = `interrupts-${randomBytes(4).toString("hex")}`;
  const services = JSON.stringify(SERVICES.map((name) => ({ name, context: name })));
  let runner: Runner;

  const ship = (host: string) => ({
    runner,
    inputs: { registry: `${host}/${path}`, services, tags: "main" },
    environment,
  });

  const writeSources = async (text: string) => {
    for (const name of SERVICES) {
      await runner.write(`${name}/Dockerfile`, `FROM ${bed.busyboxImage}\nCOPY data /data\n`);
      await runner.write(`${name}/data`, `${name} ${text} ${path}`);
    }
  };

  beforeAll(async () => {
    runner = await Runner.create();
    await writeSources("first");
    expect((await runStep(source, ship(bed.registry))).outputs.cause).toBe("");
  }, 60_000);

  afterAll(() => runner[Symbol.asyncDispose]());

  it.each(MOMENTS)(
    "%s ends in seconds, moves no tag, leaves nothing behind, and can be run again",
    async (_, momentOf, signal) => {
      const before = await tagsOf(path);
      await writeSources(signal + Math.random());
      const moment = momentOf();
      let cancel = () => {};
      let cancelled = 0;
      await using proxy = await FaultRegistry.start(bed.registry, (asked) => {
        if (cancelled === 0 && moment(asked)) cancel();
        return undefined;
      });
      const running = await startStep(source, ship(proxy.host));
      cancel = () => {
        cancelled = performance.now();
        running.child.kill(signal);
      };
      const step = await running.finished;
      expect(cancelled).toBeGreaterThan(0);
      expect(performance.now() - cancelled).toBeLessThan(6_000);
      expect(step.outputs).toMatchObject({ verdict: "cancelled" });
      expect(step.exitCode).toBe(1);
      expect(await tagsOf(path)).toEqual(before);
      const files = step.leftovers.filter((name) => !name.startsWith("images-"));
      expect(files).toEqual([]);
      expect(await survivors(runner.folder)).toEqual([]);

      const again = await runStep(source, ship(bed.registry));
      expect(again.outputs).toMatchObject({ verdict: "passed", cause: "" });
      expect(await tagsOf(path)).toEqual(JSON.parse(again.outputs.digests ?? "{}"));
      expect(await tagsOf(path)).not.toEqual(before);
    },
  );
});

describe("two runs that move the same tag", () => {
  it("end with one image under it, and whoever was overtaken fails and says so", async () => {
    const path = `interrupts-${randomBytes(4).toString("hex")}`;
    const registry = `${bed.registry}/${path}`;
    const runs = await Promise.all(
      ["left", "right"].map(async (text) => {
        await using runner = await Runner.create({
          Dockerfile: "FROM scratch\nCOPY data /data\n",
          data: text,
        });
        return await runStep(source, {
          runner,
          inputs: { registry, name: "web", tags: "main" },
          environment,
        });
      }),
    );
    const [left] = Object.values(await tagsOf(path)).filter(Boolean);
    const passed = runs.filter(({ outputs }) => outputs.verdict === "passed");
    expect(passed.length).toBeGreaterThan(0);
    const digests = passed.map(({ outputs }) => JSON.parse(outputs.digests ?? "{}").web);
    expect(digests).toContain(left);
    for (const { outputs } of runs.filter(({ outputs }) => outputs.verdict === "failed")) {
      expect(outputs.cause).toMatch(/main .*sha256:/);
    }
  });
});
