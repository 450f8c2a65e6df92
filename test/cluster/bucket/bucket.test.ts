import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { bucketSource, examineBucket } from "../../../shared/bucket/index.ts";
import type { UserError } from "../../../shared/failure/index.ts";
import type { StorageSettings } from "../../../shared/storage/index.ts";
import { bodyOf } from "../../../shared/storage/transfer/wire.ts";
import { Kept } from "../../backups/kept.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Bucket, testWorld } from "../storage/bucket.ts";

const world = testWorld();
let settings: Omit<StorageSettings, "location">;
let bucket: Bucket;
let scratch: Bucket;
let kept: Kept;

/** Keys that a bucket may have, and a folder may not. */
const odd = [
  "prod/a//b",
  "prod/../up",
  "prod/folder/",
  "prod/ü ñ+%20?&#",
  "prod/ends.",
  "prod/<x>",
];

beforeAll(async () => {
  const { objectStore } = await resolveEndpoints(["minio"]);
  const { url, region, accessKeyId, secretAccessKey } = objectStore;
  settings = { endpoint: url, region, accessKeyId, secretAccessKey };
  [bucket, scratch] = [new Bucket(settings), new Bucket(settings)];
  await bucket.create();
  await scratch.create();
  for (let index = 0; index < 30; index += 1) await put(`prod/data/${index}`, `object ${index}`);
  for (const key of odd.filter((key) => !key.includes("..") && !key.includes("//"))) {
    await put(key, `odd ${key}`);
  }
  await put("prod/large", "large".repeat(600_000));
  await put("prod/empty", "");
  await put("elsewhere/not-ours", "no");
  await put("prod/described", "text", {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "max-age=60",
    "x-amz-meta-owner": "anna",
    "x-amz-tagging": "team=blue&kind=report",
  });
  kept = await Kept.of(source(), world);
}, 60_000);

afterAll(async () => {
  await bucket?.[Symbol.asyncDispose]();
  await scratch?.[Symbol.asyncDispose]();
});

function source(more: { versions?: boolean; exclude?: string[]; location?: string } = {}) {
  return bucketSource({ ...settings, location: `s3://${bucket.name}/prod`, ...more });
}

async function put(
  key: string,
  content: string,
  headers: Record<string, string> = {},
): Promise<void> {
  const answer = await bucket.ask({
    method: "PUT",
    key,
    headers,
    body: bodyOf(content),
    expected: [],
  });
  if (answer.status !== 200) throw new Error(answer.text);
}

function listing(of: Kept): Record<string, unknown>[] {
  return [...of.parts]
    .filter(([name]) => name.endsWith(".jsonl"))
    .flatMap(([, bytes]) => bytes.toString().split("\n").slice(0, -1))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe("a bucket", () => {
  test("is taken whole, with what is said of its objects, and nothing beside its prefix", () => {
    const entries = listing(kept);
    expect(entries).toHaveLength(37);
    expect(entries.some(({ key }) => key === "elsewhere/not-ours")).toBe(false);
    expect(entries.find(({ key }) => key === "prod/described")).toMatchObject({
      size: 4,
      type: "text/plain; charset=utf-8",
      headers: { "cache-control": "max-age=60" },
      metadata: { owner: "anna" },
      tags: { team: "blue", kind: "report" },
      sha256: createHash("sha256").update("text").digest("hex"),
    });
    expect(kept.captured?.measures).toMatchObject({ objects: 37 });
  });

  test("is proven by every byte, and by restoring it where a place is given", async () => {
    const data = await examineBucket(kept.opened(), { tier: "data" }, world);
    expect(data).toMatchObject({ findings: [], reached: "data" });
    expect(data.items[0]).toMatchObject({ expected: 37, found: 37, same: true });
    const place = await scratch.open();
    const full = await examineBucket(kept.opened(), { tier: "full", scratch: place }, world);
    expect(full).toMatchObject({ findings: [], reached: "full" });
    const without = await examineBucket(kept.opened(), { tier: "full" }, world);
    expect(without.reached).toBe("data");
  }, 30_000);

  test("leaves out what patterns say, and records it", async () => {
    const some = await Kept.of(source({ exclude: ["data/**", "large"] }), world);
    expect(listing(some)).toHaveLength(6);
    expect(some.captured?.excluded).toEqual(["keys like data/**", "keys like large"]);
  });

  test("is taken with its versions and marks of deletions", async () => {
    await bucket.post(
      { versioning: "" },
      "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    );
    await put("prod/versions/one", "first");
    await put("prod/versions/one", "second");
    await put("prod/versions/two", "gone");
    await bucket.ask({ method: "DELETE", key: "prod/versions/two" });
    const location = `s3://${bucket.name}/prod/versions`;
    const all = await Kept.of(source({ versions: true, location }), world);
    expect(listing(all)).toHaveLength(4);
    expect(listing(all).filter(({ marker }) => marker)).toHaveLength(1);
    expect(listing(all).filter(({ earlier }) => earlier)).toHaveLength(2);
    expect(await examineBucket(all.opened(), { tier: "data" }, world)).toMatchObject({
      findings: [],
    });
    const current = await Kept.of(source({ location }), world);
    expect(listing(current)).toHaveLength(1);
  });

  test("that cannot be read is refused", async () => {
    const refusal = async (more: Partial<StorageSettings>) =>
      await bucketSource({ ...settings, location: `s3://${bucket.name}`, ...more })
        .capture(new Kept(), world)
        .catch((error: UserError) => `${error.title}: ${error.cause}`);
    expect(await refusal({ location: "s3://no-such-bucket-here" })).toContain(
      "There is no such bucket",
    );
    expect(await refusal({ secretAccessKey: "wrong" })).toContain(
      "keys for the bucket are not accepted",
    );
    expect(await refusal({ location: "/tmp" })).toContain("no bucket");
  });
});

describe("damage to a bucket's backup is noticed", () => {
  type Change = (bytes: Buffer) => Buffer;
  const cases: [string, RegExp, Change][] = [
    ["objects cut short", /large|data/, (bytes) => bytes.subarray(0, bytes.length - 1)],
    ["nothing left of objects", /./, () => Buffer.alloc(0)],
    [
      "a flipped bit",
      /./,
      (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]),
    ],
    ["something behind the objects", /./, (bytes) => Buffer.concat([bytes, Buffer.from("x")])],
  ];

  test.each(cases)("%s", async (_, __, change) => {
    const [name, bytes] =
      [...kept.parts].find(([name, { length }]) => name.endsWith(".bin") && length > 0) ?? [];
    const changed = { [name ?? ""]: change(bytes ?? Buffer.alloc(0)) };
    const { findings, items } = await examineBucket(kept.opened(changed), { tier: "data" }, world);
    expect(findings.length).toBeGreaterThan(0);
    expect(items[0]?.same).toBe(false);
  });

  test.each([
    ["a line gone", (text: string) => text.split("\n").slice(1).join("\n")],
    ["another key", (text: string) => text.replace("prod/", "prow/")],
    ["no JSON", () => "<html>\n"],
    ["nothing", () => ""],
  ])("in a listing: %s", async (_, change) => {
    const [name, bytes] = [...kept.parts].find(([name]) => name.endsWith(".jsonl")) ?? [];
    const changed = { [name ?? ""]: Buffer.from(change(bytes?.toString() ?? "")) };
    const { findings } = await examineBucket(kept.opened(changed), { tier: "data" }, world);
    expect(findings.length).toBeGreaterThan(0);
  });

  test("two parts swapped", async () => {
    const parts = [...kept.parts].filter(([name]) => name.endsWith(".bin"));
    const [a, b] = parts;
    if (a === undefined || b === undefined) throw new Error("there is one part only");
    const changed = { [a[0]]: b[1], [b[0]]: a[1] };
    const { findings } = await examineBucket(kept.opened(changed), { tier: "data" }, world);
    expect(findings.length).toBeGreaterThan(0);
  });
});
