import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Storage } from "../../../shared/storage/index.ts";
import { type Fault, FaultyProxy } from "../../servers/faulty-proxy.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { Bucket, testWorld } from "./bucket.ts";

const { signal } = new AbortController();
const DAY = 86_400_000;

let keys: { endpoint: string; accessKeyId: string; secretAccessKey: string };
let proxy: FaultyProxy;
let bucket: Bucket;

beforeAll(async () => {
  const { objectStore } = await resolveEndpoints(["minio"]);
  const { url, accessKeyId, secretAccessKey } = objectStore;
  keys = { endpoint: url, accessKeyId, secretAccessKey };
  proxy = await FaultyProxy.start(url);
  bucket = await new Bucket(keys).create();
}, 60_000);

afterAll(async () => {
  await bucket?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
});

async function names(storage: Storage, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of storage.list(prefix, signal)) found.push(name);
  return found;
}

async function contentOf(storage: Storage, name: string): Promise<Buffer> {
  return buffer(await storage.read(name, { signal }));
}

function inPieces(content: Buffer, size = 700_001): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < content.length; at += size) pieces.push(content.subarray(at, at + size));
  return Readable.from(pieces);
}

describe("a bucket", () => {
  it.each([
    ["nothing", "sizes/empty", 0],
    ["one part to the byte", "sizes/one", 8 * 1024 * 1024],
    ["one byte more", "sizes/more", 8 * 1024 * 1024 + 1],
    ["several parts", "sizes/é +&ü'(1)!*~=;%41", 28_000_003],
  ])("gives back %s", async (_, name, size) => {
    const storage = await bucket.open();
    const content = randomBytes(size);
    const written = await storage.write(name, inPieces(content), { signal });
    const sha256 = createHash("sha256").update(content).digest("hex");
    expect(written).toEqual({ bytes: size, sha256 });
    expect(content.equals(await contentOf(storage, name))).toBe(true);
    expect(await storage.stat(name, signal)).toMatchObject({ name, bytes: size, state: "ready" });
    if (size === 0) return;
    const part = await storage.read(name, { signal, from: size - 9, to: size - 2 });
    expect(await buffer(part)).toEqual(content.subarray(size - 9, size - 2));
    const behind = await storage.read(name, { signal, from: size });
    expect(await buffer(behind)).toHaveLength(0);
  });

  it("lists more than a page, in order, and removes all in batches", async () => {
    const storage = await bucket.open();
    const all = Array.from({ length: 1_003 }, (_, index) => `many/${1_000 + index}`);
    for (let at = 0; at < all.length; at += 40) {
      const some = all.slice(at, at + 40);
      await Promise.all(
        some.map((name) => bucket.ask({ method: "PUT", key: `prod/${name}`, expected: [] })),
      );
    }
    expect(await names(storage, "many/")).toEqual(all);
    expect(await storage.remove(all, signal)).toEqual([]);
    expect(await names(storage, "many/")).toEqual([]);
  }, 40_000);

  it("is not overwritten, also where two write at once", async () => {
    const storage = await bucket.open();
    const writers = ["one", "two"].map((text) =>
      storage.write("race/a", Buffer.from(text), { signal }),
    );
    const ends = await Promise.allSettled(writers);
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const large = () => storage.write("race/b", inPieces(randomBytes(9_000_000)), { signal });
    const larger = await Promise.allSettled([large(), large()]);
    expect(larger.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(large()).rejects.toMatchObject({ title: "A backup is not overwritten" });
    expect(await bucket.unfinished("prod/race/b")).toEqual([]);
    await storage.write("race/a", Buffer.from("three"), { signal, replace: true });
    expect(`${await contentOf(storage, "race/a")}`).toBe("three");
  });

  it("keeps nothing of what breaks or is cancelled in the middle", async () => {
    const storage = await bucket.open();
    async function* breaking(): AsyncGenerator<Buffer> {
      for (let count = 0; count < 20; count += 1) yield randomBytes(1_000_000);
      throw new Error("the dump ended");
    }
    const broken = storage.write("half/a", Readable.from(breaking()), { signal });
    await expect(broken).rejects.toThrow("the dump ended");
    const cancel = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield randomBytes(1_000_000);
    }
    const source = Readable.from(endless());
    const cancelled = storage.write("half/b", source, {
      signal: cancel.signal,
      onProgress: (bytes) => bytes > 30_000_000 && cancel.abort(new Error("cancelled")),
    });
    await expect(cancelled).rejects.toThrow("cancelled");
    expect(source.destroyed).toBe(true);
    expect(await names(storage, "half/")).toEqual([]);
    expect(await bucket.unfinished("prod/half/a")).toEqual([]);
    expect(await bucket.unfinished("prod/half/b")).toEqual([]);
  });

  it("keeps objects locked, says so, and does not hide them", async () => {
    await using locked = await new Bucket(keys).create({
      "x-amz-bucket-object-lock-enabled": "true",
    });
    const storage = await locked.open({ lock: { mode: "governance", days: 2 } });
    for (const size of [10, 9_000_000]) {
      const name = `papers/${size}`;
      await storage.write(name, inPieces(randomBytes(size)), { signal });
      const until = (await storage.stat(name, signal))?.lockedUntil ?? 0;
      expect(until - Date.now()).toBeGreaterThan(1.9 * DAY);
      expect(await storage.remove([name], signal)).toEqual([
        { name, reason: expect.stringMatching(/^it is locked \(governance\) until 2/) },
      ]);
      expect(await storage.stat(name, signal)).toBeDefined();
    }
    const world = testWorld();
    const free = await locked.open({}, world);
    await free.write("papers/free", Buffer.from("x"), { signal });
    expect(await free.remove(["papers/free"], signal)).toEqual([]);
    expect(world.said.join()).toContain("keeps versions: 1 objects are hidden by delete markers");
  });

  it("respects a bucket's own retention, and tells where a lock cannot be had", async () => {
    await using locked = await new Bucket(keys).create({
      "x-amz-bucket-object-lock-enabled": "true",
    });
    await locked.post(
      { "object-lock": "" },
      "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>3</Days></DefaultRetention></Rule></ObjectLockConfiguration>",
    );
    const storage = await locked.open();
    await storage.write("a", Buffer.from("x"), { signal });
    const until = (await storage.stat("a", signal))?.lockedUntil ?? 0;
    expect(until - Date.now()).toBeGreaterThan(2.9 * DAY);
    const plain = await bucket.open({ lock: { mode: "compliance", days: 1 } });
    for (const size of [1, 9_000_000]) {
      const writing = plain.write("locked", inPieces(randomBytes(size)), { signal });
      await expect(writing).rejects.toMatchObject({ title: "The bucket cannot lock objects" });
    }
    expect(await bucket.unfinished("prod/locked")).toEqual([]);
  });

  it("takes storage class, tags and encryption along, or says why not", async () => {
    const storage = await bucket.open({ storageClass: "reduced-redundancy", tags: { a: "b c" } });
    await storage.write("classed", Buffer.from("x"), { signal });
    const { headers } = await bucket.ask({ method: "HEAD", key: "prod/classed" });
    expect(headers["x-amz-storage-class"]).toBe("REDUCED_REDUNDANCY");
    expect(headers["x-amz-tagging-count"]).toBe("1");
    // This server has no keys.
    const sealed = await bucket.open({ kmsKey: "alias/none" });
    await expect(sealed.write("sealed", Buffer.from("x"), { signal })).rejects.toMatchObject({
      name: "UserError",
    });
  });

  it("says what is wrong with bucket, keys, endpoint and names", async () => {
    const none = new Bucket(keys);
    await expect(none.open()).rejects.toMatchObject({ title: "There is no such bucket" });
    const wrongKeys = { title: "The keys for the bucket are not accepted" };
    await expect(bucket.open({ secretAccessKey: "wrong-wrong" })).rejects.toMatchObject(wrongKeys);
    await expect(bucket.open({ accessKeyId: "nobody" })).rejects.toMatchObject(wrongKeys);
    await expect(bucket.open({ accessKeyId: "" })).rejects.toMatchObject({
      title: "Half of the keys for the bucket is missing",
    });
    await expect(bucket.open({ accessKeyId: "", secretAccessKey: "" })).rejects.toMatchObject({
      title: "There are no keys for the bucket",
    });
    await expect(bucket.open({ endpoint: "http://127.0.0.1:9" })).rejects.toMatchObject({
      title: "The storage cannot be reached",
    });
    await expect(bucket.open({ endpoint: "http://no.such.host.invalid" })).rejects.toMatchObject({
      title: "The storage cannot be reached",
    });
    const secure = keys.endpoint.replace("http:", "https:");
    await expect(bucket.open({ endpoint: secure })).rejects.toMatchObject({
      remedy: expect.stringContaining("http://"),
    });
    const storage = await bucket.open();
    await expect(storage.read("none", { signal })).rejects.toMatchObject({
      title: "A file of the backup is not there",
    });
    expect(await storage.stat("none", signal)).toBeUndefined();
    await expect(storage.stat("../a", signal)).rejects.toThrow("leads out of its folder");
  });
});

/** Small and quick, and the same for the same seed (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const FAULTS: readonly Fault[] = [
  ...(["reset-before", "reset-after", "slow-down", "truncated-request"] as const),
  ...(["truncated-answer", "flipped-request", "flipped-answer"] as const),
];

describe("a bucket behind a bad network", () => {
  async function overProxy(): Promise<Storage> {
    proxy.choose = () => "none";
    return bucket.open({ endpoint: proxy.origin });
  }

  it.each([1, 2, 3, 4, 5, 6])("is right or an error, seed %i", async (seed) => {
    const [direct, storage] = [await bucket.open(), await overProxy()];
    const random = chance(seed);
    for (const size of [0, 5_000, 17_000_000]) {
      const name = `seed-${seed}/${size}`;
      const content = randomBytes(size);
      proxy.choose = ({ method, url }) => {
        if (random() > 0.35) return "none";
        const fault = FAULTS[Math.floor(random() * FAULTS.length)] ?? "none";
        const isContent = method === "GET" && !url.includes("?");
        return fault === "flipped-answer" && !isContent ? "slow-down" : fault;
      };
      const written = await storage
        .write(name, inPieces(content), { signal })
        .catch(() => undefined);
      const there = (await direct.stat(name, signal)) !== undefined;
      if (written !== undefined) expect(there).toBe(true);
      if (there) expect(content.equals(await contentOf(direct, name))).toBe(true);
      else continue;
      const read = await contentOf(storage, name).catch(() => undefined);
      if (read !== undefined) expect(content.equals(read)).toBe(true);
      const some = { signal, from: 100, to: 4_000_000 };
      proxy.choose = ({ count }) => (count % 3 === 0 ? "truncated-answer" : "none");
      const part = await buffer(await storage.read(name, some));
      expect(content.subarray(100, 4_000_000).equals(part)).toBe(true);
    }
  });

  it("heals what passes: the answer to the end of an upload is lost", async () => {
    const storage = await overProxy();
    for (const size of [10, 9_000_000]) {
      const content = randomBytes(size);
      let lost = 0;
      proxy.choose = ({ method, url }) => {
        const isEnd =
          size === 10 ? method === "PUT" : method === "POST" && url.includes("uploadId");
        if (!isEnd || lost > 0) return "none";
        lost += 1;
        return "reset-after";
      };
      await storage.write(`lost/${size}`, inPieces(content), { signal });
      expect(lost).toBe(1);
      expect(content.equals(await contentOf(storage, `lost/${size}`))).toBe(true);
    }
  });

  it("goes on reading where the connection broke, and notices a flipped byte", async () => {
    const storage = await overProxy();
    const content = randomBytes(20_000_000);
    await storage.write("broken/a", inPieces(content), { signal });
    let gets = 0;
    proxy.choose = ({ method }) => (method === "GET" && gets++ < 3 ? "truncated-answer" : "none");
    expect(content.equals(await contentOf(storage, "broken/a"))).toBe(true);
    expect(gets).toBe(4);
    proxy.choose = ({ method }) => (method === "GET" ? "flipped-answer" : "none");
    await expect(contentOf(storage, "broken/a")).rejects.toMatchObject({
      title: "What was read is not what is stored",
      cause: expect.stringContaining("SHA256"),
    });
  });

  it("says that it is down when it stays so, and takes the upload back", async () => {
    const storage = await overProxy();
    proxy.choose = ({ url }) => (url.includes("partNumber=2") ? "slow-down" : "none");
    const writing = storage.write("down/a", inPieces(randomBytes(20_000_000)), { signal });
    await expect(writing).rejects.toMatchObject({
      title: "The storage is not able to serve",
      cause: expect.stringContaining("SlowDown: Please reduce your request rate"),
    });
    proxy.choose = () => "none";
    expect(await bucket.unfinished("prod/down/a")).toEqual([]);
    expect(await storage.stat("down/a", signal)).toBeUndefined();
  });
});
