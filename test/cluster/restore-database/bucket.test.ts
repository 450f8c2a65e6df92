import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { openTargetBucket, type StorageSettings } from "../../../shared/storage/index.ts";
import { bundleOf, failureOf, Runner, runStep, type Step, startStep } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Bucket, testWorld } from "../storage/bucket.ts";

const RESTORE = bundleOf("restore-database");
const world = testWorld();
const { signal } = world;
const LARGE = Buffer.alloc(9_000_000, "large");

let settings: Omit<StorageSettings, "location">;
let source: Bucket;
let target: Bucket;
let runner: Runner;

beforeAll(async () => {
  const { objectStore } = await resolveEndpoints(["minio"]);
  const { url: endpoint, region, accessKeyId, secretAccessKey } = objectStore;
  settings = { endpoint, region, accessKeyId, secretAccessKey };
  [source, target] = [new Bucket(settings), new Bucket(settings)];
  await source.create();
  await target.create({ "x-amz-bucket-object-lock-enabled": "true" });
  runner = await Runner.create();
  using bucket = await open(source, "models");
  for (let index = 0; index < 30; index += 1) {
    await bucket.write(`models/data/${index}`, Buffer.from(`object ${index}`), {}, { signal });
  }
  await bucket.write("models/large", LARGE, { metadata: { owner: "anna" } }, { signal });
  await bucket.write("models/ü ñ+%20?&#<x>", Buffer.from("odd"), {}, { signal });
  await bucket.write("models/folder/", Buffer.alloc(0), {}, { signal });
  await bucket.write("models/described", Buffer.from("text"), described, { signal });
  await bucket.write("elsewhere", Buffer.from("not ours"), {}, { signal });
  const inputs = { ...common(), source: `s3://${source.name}/models`, ...at("source") };
  const { exitCode, stdout } = await runStep(bundleOf("backup-database"), { inputs, runner });
  if (exitCode !== 0) throw new Error(stdout);
}, 60_000);

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
  await runner?.[Symbol.asyncDispose]();
});

const described = {
  type: "text/plain; charset=utf-8",
  headers: { "cache-control": "max-age=60" },
  metadata: { owner: "anna" },
  tags: { team: "blue", kind: "report" },
};

function at(what: "source" | "target"): Record<string, string> {
  return {
    [`${what}-endpoint`]: settings.endpoint ?? "",
    [`${what}-access-key-id`]: settings.accessKeyId ?? "",
    [`${what}-secret-access-key`]: settings.secretAccessKey ?? "",
  };
}

function common(): Record<string, string> {
  return { name: "models", storage: "kept" };
}

async function open(bucket: Bucket, prefix: string) {
  return await openTargetBucket({ ...settings, location: `s3://${bucket.name}/${prefix}` }, world);
}

async function restore(
  prefix: string,
  inputs: Readonly<Record<string, string>> = {},
): Promise<Step> {
  const into = { target: `s3://${target.name}/${prefix}`, ...at("target") };
  return await runStep(RESTORE, { inputs: { ...common(), ...into, ...inputs }, runner });
}

/** Sizes by their keys, without the prefix. */
async function listed(prefix: string): Promise<Record<string, number>> {
  using bucket = await open(target, prefix);
  const found: Record<string, number> = {};
  for await (const { key, bytes } of bucket.list(false, signal)) {
    found[key.slice(bucket.prefix.length)] = bytes;
  }
  return found;
}

describe("a restore into an empty prefix", () => {
  beforeEach(async () => {
    const { outputs } = await restore("first");
    expect(outputs).toMatchObject({ verdict: "passed", cause: "", "previous-backup": "" });
  }, 30_000);

  it("writes every object with what is kept with it, and sends none twice", async () => {
    const found = await listed("first");
    expect(Object.keys(found)).toHaveLength(34);
    expect(found).toMatchObject({ large: 9_000_000, "ü ñ+%20?&#<x>": 3, "folder/": 0 });
    using bucket = await open(target, "first");
    expect(await bucket.look("first/described", true, signal)).toMatchObject(described);
    const { content } = await bucket.read({ key: "first/large", version: undefined }, signal);
    const sum = createHash("sha256");
    for await (const chunk of content) sum.update(chunk as Buffer);
    expect(sum.digest("hex")).toBe(createHash("sha256").update(LARGE).digest("hex"));
    expect((await bucket.look("first/large", false, signal))?.metadata).toEqual({ owner: "anna" });
    const again = await restore("first");
    expect(again.stdout).toContain("0 objects were sent, 34 were right already, of 34");
    expect(again.outputs.verdict).toBe("passed");
  }, 30_000);

  it("replaces and removes only where the target's name is typed, and backs that up before", async () => {
    using bucket = await open(target, "first");
    await bucket.write("first/data/7", Buffer.from("OBJECT 7"), {}, { signal });
    await bucket.write("first/described", Buffer.from("text"), { type: "text/html" }, { signal });
    await bucket.write("first/extra", Buffer.from("extra"), {}, { signal });
    const refused = await restore("first");
    expect(failureOf(refused)).toMatch(
      /holds 2 objects that are others in the backup and 1 that it does not have/,
    );
    expect(await listed("first")).toHaveProperty("extra");
    const mistaken = await restore("first", { replace: `s3://${target.name}` });
    expect(failureOf(mistaken)).toContain("Look again which bucket and prefix are meant");
    const { outputs } = await restore("first", { replace: `s3://${target.name}/first/` });
    expect(outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(await listed("first")).not.toHaveProperty("extra");
    expect(await bucket.look("first/described", true, signal)).toMatchObject(described);
    // What was there before comes back from the backup of it.
    const back = { name: "models-before-restore", backup: outputs["previous-backup"] ?? "" };
    const former = await restore("former", back);
    expect(former.outputs.verdict).toBe("passed");
    expect(await listed("former")).toEqual({ "data/7": 8, described: 4, extra: 5 });
  }, 40_000);

  it("restores what is named, and leaves all else alone", async () => {
    using bucket = await open(target, "first");
    await bucket.remove(["first/data/3"], signal);
    await bucket.write("first/extra", Buffer.from("extra"), {}, { signal });
    const { outputs, stdout } = await restore("first", { paths: "data/3\ndescribed" });
    expect(outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(stdout).toContain("1 objects were sent, 1 were right already, of 2");
    expect(await listed("first")).toMatchObject({ "data/3": 8, extra: 5 });
    expect(failureOf(await restore("first", { paths: "none" }))).toContain('is like "none"');
    await bucket.remove(["first/extra"], signal);
  }, 30_000);
});

it("that was killed is gone on with, and needs no name", async () => {
  const inputs = { ...common(), target: `s3://${target.name}/killed`, ...at("target") };
  const running = await startStep(RESTORE, { inputs, runner });
  await running.logged(/Restoring into/);
  using bucket = await open(target, "killed");
  while ((await bucket.look("killed/described", false, signal)) === undefined);
  running.child.kill("SIGKILL");
  await running.finished;
  const { outputs, stdout } = await restore("killed");
  expect(outputs).toMatchObject({ verdict: "passed", cause: "" });
  expect(stdout).not.toContain(" 0 were right already");
  expect(Object.keys(await listed("killed"))).toHaveLength(34);
}, 30_000);

it("is refused where it could not be done, or would harm, before anything is changed", async () => {
  using bucket = await open(target, "locked");
  const hold = { "x-amz-object-lock-legal-hold": "ON" };
  await bucket.write("locked/held", Buffer.from("held"), { headers: hold }, { signal });
  const cases: [Record<string, string>, RegExp][] = [
    [
      { replace: `s3://${target.name}/locked` },
      /held: it is under a legal hold.*Objects of the bucket are locked/s,
    ],
    [{ target: "/srv/models" }, /names no bucket/],
    [{ target: "" }, /target is not given/],
    [{ target: "s3://no-such-bucket-here/x" }, /There is no such bucket/],
    [{ "target-secret-access-key": "wrong" }, /not accepted/],
    [{ method: "in-place" }, /Leave method out/],
  ];
  const steps = await Promise.all(cases.map(([inputs]) => restore("locked", inputs)));
  for (const [index, [, expected]] of cases.entries()) {
    expect(`${steps[index]?.stdout}`).toMatch(expected);
    expect(steps[index]?.exitCode).toBe(1);
  }
  expect(await listed("locked")).toEqual({ held: 4 });
  await target.post(
    { "legal-hold": "" },
    "<LegalHold><Status>OFF</Status></LegalHold>",
    "PUT",
    "locked/held",
  );
}, 40_000);
