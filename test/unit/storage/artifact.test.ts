import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { artifactName, objectName } from "../../../shared/storage/artifact/artifact-name.ts";
import { contentBytes, zippedBytes } from "../../../shared/storage/artifact/zip.ts";
import { openStorage, type Storage, type StorageSettings } from "../../../shared/storage/index.ts";
import { testWorld } from "../../cluster/storage/bucket.ts";
import { ArtifactService } from "../../servers/artifact-service.ts";

const { signal } = new AbortController();
let service: ArtifactService;

beforeEach(async () => {
  service = await ArtifactService.start();
});
afterEach(() => service[Symbol.asyncDispose]());

function open(run = "1", settings: Partial<StorageSettings> = {}): Promise<Storage> {
  const world = testWorld(service.environment(run));
  return openStorage({ location: "artifact:", ...settings }, world);
}

async function names(storage: Storage, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of storage.list(prefix, signal)) found.push(name);
  return found;
}

describe("the artifacts of a run as storage", () => {
  it.each([0, 1, 65_534, 65_535, 65_536, 131_070, 20_000_003])(
    "give back %i bytes",
    async (size) => {
      const storage = await open();
      const content = randomBytes(size);
      const written = await storage.write("papers/1/dump", Readable.from([content]), { signal });
      expect(written.bytes).toBe(size);
      expect(content.equals(await buffer(await storage.read("papers/1/dump", { signal })))).toBe(
        true,
      );
      expect(await storage.stat("papers/1/dump", signal)).toMatchObject({
        ...{ name: "papers/1/dump", bytes: size, state: "ready" },
      });
      for (const [from, to] of [
        [0, 1],
        [1, 65_536],
        [65_535, 65_537],
        [size - 3, size],
        [70_000, 9_999_999_999],
      ] as const) {
        if (from < 0) continue;
        const part = await buffer(await storage.read("papers/1/dump", { signal, from, to }));
        expect(content.subarray(from, to).equals(part)).toBe(true);
      }
    },
  );

  it("are ZIP files that other programs read, and that any name fits", async () => {
    const folder = mkdtempSync(join(tmpdir(), "artifact-"));
    try {
      const storage = await open("1", { retentionDays: 3 });
      const content = randomBytes(200_000);
      await storage.write('a/b~c:"%41?/é.dump', content, { signal });
      expect(await names(storage)).toEqual(['a/b~c:"%41?/é.dump']);
      const [{ name = "" } = {}] = service.artifacts;
      expect(name).toBe("backup~a~b%7Ec%3A%22%2541%3F~é.dump");
      writeFileSync(join(folder, "a.zip"), service.zipOf(name));
      const program =
        "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; n,=z.namelist(); sys.stdout.buffer.write(n.encode()+b'|'+z.read(n))";
      const { stdout, stderr } = spawnSync("python3", ["-c", program, join(folder, "a.zip")]);
      expect(stderr.toString()).toBe("");
      expect(stdout.equals(Buffer.concat([Buffer.from("é.dump|"), content]))).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are found by later runs with a token, the newest first, the expired never", async () => {
    const first = await open("1");
    for (const name of ["papers/1/a", "papers/1/b", "cache/1/a"]) {
      await first.write(name, Buffer.from(name), { signal });
    }
    const [expired] = service.artifacts.filter(({ name }) => name.endsWith("~b"));
    if (expired !== undefined) expired.expired = true;
    const alone = await open("2");
    expect(await names(alone)).toEqual([]);
    const later = await open("2", { githubToken: service.apiToken });
    await later.write("papers/2/a", Buffer.from("second"), { signal });
    expect(await names(later, "papers/")).toEqual(["papers/1/a", "papers/2/a"]);
    expect(`${await buffer(await later.read("papers/1/a", { signal }))}`).toBe("papers/1/a");
    const part = await later.read("papers/1/a", { signal, from: 1, to: 4 });
    expect(`${await buffer(part)}`).toBe("ape");
    expect(await later.remove(["papers/1/a", "papers/2/a", "none"], signal)).toEqual([]);
    expect(await names(later)).toEqual(["cache/1/a"]);
    const forbidden = await open("2", { githubToken: "ghs_wrong_wrong_wrong_0" });
    await expect(names(forbidden)).rejects.toMatchObject({
      remedy: expect.stringContaining("actions: read"),
    });
    const world = testWorld(service.environment("2"));
    const githubToken = "ghs_wrong_wrong_wrong_0";
    const writer = await openStorage({ location: "artifact:", create: true, githubToken }, world);
    await writer.write("papers/3/a", Buffer.from("third"), { signal });
    expect(await names(writer)).toEqual(["papers/3/a"]);
    expect(world.said.join()).toContain("Artifacts of earlier runs are not seen");
  });

  it("are not overwritten, unless they are to be", async () => {
    const storage = await open();
    await storage.write("a", Buffer.from("one"), { signal });
    await expect(storage.write("a", Buffer.from("two"), { signal })).rejects.toMatchObject({
      title: "A backup is not overwritten",
    });
    await storage.write("a", Buffer.from("three"), { signal, replace: true });
    expect(`${await buffer(await storage.read("a", { signal }))}`).toBe("three");
  });

  it("heal broken connections, and are nothing where the source breaks", async () => {
    const storage = await open();
    const content = randomBytes(18_000_000);
    let count = 0;
    service.breaks = () => {
      count += 1;
      return count % 2 === 1;
    };
    await storage.write("a", Readable.from([content]), { signal });
    expect(content.equals(await buffer(await storage.read("a", { signal })))).toBe(true);
    async function* breaking(): AsyncGenerator<Buffer> {
      yield content;
      throw new Error("the dump ended");
    }
    const broken = storage.write("b", Readable.from(breaking()), { signal });
    await expect(broken).rejects.toThrow("the dump ended");
    expect(await names(storage)).toEqual(["a"]);
    expect(service.artifacts).toHaveLength(1);
  }, 20_000);

  it("notice a flipped byte", async () => {
    const storage = await open();
    await storage.write("a", randomBytes(100_000), { signal });
    service.spoil = (zip) => {
      zip[50_000] = (zip[50_000] ?? 0) ^ 1;
      return zip;
    };
    await expect(buffer(await storage.read("a", { signal }))).rejects.toMatchObject({
      title: "What was read is not what is stored",
    });
  });

  it("are no storage outside of a job", async () => {
    const world = testWorld({});
    await expect(openStorage({ location: "artifact:" }, world)).rejects.toMatchObject({
      title: "There are no artifacts here",
    });
    const { ACTIONS_RESULTS_URL: _, ...rest } = service.environment();
    const settings = { location: "artifact:", githubToken: service.apiToken };
    const reader = await openStorage(settings, testWorld(rest));
    await expect(reader.write("a", Buffer.from("x"), { signal })).rejects.toMatchObject({
      title: "No artifact can be written here",
    });
    expect(await names(reader)).toEqual([]);
  });

  it("have names and sizes that lead back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        fc.pre(!/[\\\r\n\0]/.test(name));
        expect(objectName(artifactName(name))).toBe(name);
        expect(artifactName(name)).not.toMatch(/[":<>|*?/]/);
      }),
    );
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.nat({ max: 2 ** 31 - 1 }), (name, bytes) => {
        expect(contentBytes(name, zippedBytes(name, bytes))).toBe(bytes);
      }),
    );
  });
});
