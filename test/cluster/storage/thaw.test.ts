import { spawn } from "node:child_process";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { isThawable, openStorage, type ThawProgress } from "../../../shared/storage/index.ts";
import { FaultyProxy } from "../../servers/faulty-proxy.ts";
import { Moto } from "../sign-in/moto.ts";
import { Bucket, testWorld } from "./bucket.ts";

const { signal } = new AbortController();
let moto: Moto;
let bucket: Bucket;

beforeAll(async () => {
  moto = await Moto.start();
  const keys = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret-secret" };
  bucket = await new Bucket({ endpoint: moto.origin, ...keys }).create();
}, 180_000);

afterAll(async () => {
  await bucket?.[Symbol.asyncDispose]();
  await moto?.[Symbol.asyncDispose]();
});

describe("frozen objects", () => {
  it.each(["glacier", "deep_archive"])(
    "of the class %s are told, thawed, waited for and read",
    async (storageClass) => {
      const storage = await bucket.open({ storageClass });
      const name = `papers/${storageClass}`;
      await storage.write(name, Buffer.from("cold"), { signal });
      expect((await storage.stat(name, signal))?.state).toBe("frozen");
      for await (const found of storage.list(name, signal)) expect(found.state).toBe("frozen");
      await expect(storage.read(name, { signal })).rejects.toMatchObject({
        title: "The object is frozen",
      });
      if (!isThawable(storage)) throw new Error("it cannot be thawed");
      const told: ThawProgress[] = [];
      const onProgress = (progress: ThawProgress) => void told.push(progress);
      await storage.thaw([name], { signal, tier: "standard", days: 2, onProgress });
      expect(told[0]).toMatchObject({ ready: 0, total: 1 });
      expect(told[0]?.left).toBeGreaterThan(3_600_000);
      expect(told.at(-1)).toMatchObject({ ready: 1, total: 1, left: 0 });
      expect((await storage.stat(name, signal))?.state).toBe("ready");
      expect(`${await buffer(await storage.read(name, { signal }))}`).toBe("cold");
      // What is ready already is asked for nothing.
      told.length = 0;
      await storage.thaw([name], { signal, onProgress });
      expect(told).toEqual([]);
    },
  );

  it("that are not there, or cannot be had so quickly, are told", async () => {
    const storage = await bucket.open({ storageClass: "DEEP_ARCHIVE" });
    if (!isThawable(storage)) throw new Error("it cannot be thawed");
    await storage.write("deep", Buffer.from("x"), { signal });
    await expect(storage.thaw(["none"], { signal })).rejects.toThrow("does not exist");
    await expect(storage.thaw(["deep"], { signal, tier: "expedited" })).rejects.toMatchObject({
      title: "A backup cannot be thawed so quickly",
    });
  });
});

it("signs in to a bucket by a role, with keys of the job", async () => {
  const role = "arn:aws:iam::123456789012:role/backup";
  const environment = {
    ...{ AWS_ENDPOINT_URL: moto.origin, AWS_ACCESS_KEY_ID: "AKIAEXAMPLE" },
    ...{ AWS_SECRET_ACCESS_KEY: "secret-secret", AWS_REGION: "eu-west-1" },
  };
  const world = testWorld(environment);
  const { location } = bucket.settings;
  const storage = await openStorage({ location, role, endpoint: moto.origin }, world);
  await storage.write("by-role", Buffer.from("x"), { signal });
  expect(await storage.stat("by-role", signal)).toMatchObject({ bytes: 1 });
});

describe("a run that is killed in the middle", () => {
  it("leaves no object, and its upload is taken back by a later run when it is old", async () => {
    await using proxy = await FaultyProxy.start(moto.origin);
    const program = `
      import { Readable } from "node:stream";
      import { openStorage } from "./shared/storage/index.ts";
      import { testWorld } from "./test/cluster/storage/bucket.ts";
      const settings = JSON.parse(process.argv[1]);
      const storage = await openStorage(settings, testWorld());
      async function* endless() { for (;;) yield Buffer.alloc(1_000_000); }
      const { signal } = new AbortController();
      await storage.write("killed/a", Readable.from(endless()), { signal });`;
    const settings = JSON.stringify({ ...bucket.settings, endpoint: proxy.origin });
    const args = ["--input-type=module", "--eval", program, settings];
    const child = spawn(process.execPath, args, {
      stdio: "inherit",
      env: { PATH: process.env.PATH },
    });
    const sent = Promise.withResolvers<void>();
    proxy.choose = ({ url }) => {
      if (url.includes("partNumber=3")) sent.resolve();
      return "none";
    };
    await Promise.race([sent.promise, once(child, "exit")]);
    child.kill("SIGKILL");
    await once(child, "exit").catch(() => {});
    const storage = await bucket.open();
    expect(await storage.stat("killed/a", signal)).toBeUndefined();
    expect(await bucket.unfinished("prod/killed/")).toEqual(["prod/killed/a"]);
    // This server says of every upload that it began in 2010.
    await storage.write("killed/b", Buffer.from("x"), { signal });
    expect(await bucket.unfinished("prod/killed/")).toEqual([]);
  }, 20_000);
});
