import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { buffer } from "node:stream/consumers";
import { beforeEach, describe, expect, it, jest } from "@jest/globals";
import {
  examineSeal,
  keepParts,
  openBackup,
  type WrittenBackup,
} from "../../../shared/backup/index.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { backUp, IDENTITY, RECIPIENT, scene } from "./scene.ts";

const parts = { "dump/toc.dat": "toc", "dump/1.dat": "rows\n".repeat(100_000), globals: "roles" };
const sealing = {
  compression: "zstd",
  encryption: { method: "age", recipients: [RECIPIENT] },
} as const;
const wanted = ["dump/toc.dat", "dump/1.dat", "fingerprint.json"];

let storage: MemoryStorage;
let written: WrittenBackup;
beforeEach(async () => {
  storage = new MemoryStorage();
  written = await backUp(storage, parts, { sealing });
});

async function kept(keys: object = { identities: IDENTITY }) {
  const { world, cancel } = scene();
  const opened = await openBackup(storage, written.manifest, keys, world);
  const copies = await keepParts(opened, wanted);
  const seal = () => examineSeal(opened, { watch: copies.watch }, world);
  return { copies, seal, cancel, signal: world.signal };
}

describe("copies of parts", () => {
  it("are what the source gave, and nothing is read from the storage twice", async () => {
    const read = jest.spyOn(storage, "read");
    const { copies, seal, signal } = await kept();
    await using _ = copies;
    expect((await seal()).findings).toEqual([]);
    const names = read.mock.calls.map(([name]) => name).sort();
    expect(names).toEqual([...new Set(names)]);
    expect(names).toHaveLength(1 + 4);
    for (const name of ["dump/toc.dat", "dump/1.dat"] as const) {
      const path = copies.backup.copyOf(name) ?? "";
      expect(readFileSync(path, "utf8")).toBe(parts[name]);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
      expect(`${await buffer(await copies.backup.open(name, signal))}`).toBe(parts[name]);
    }
    expect(await copies.backup.fingerprint(signal)).toEqual({ members: Object.keys(parts) });
    expect(read).toHaveBeenCalledTimes(names.length);
    // What was not wanted is where it was.
    expect(copies.backup.copyOf("globals")).toBeUndefined();
    expect(`${await buffer(await copies.backup.open("globals", signal))}`).toBe("roles");
  });

  it("go when they are disposed of", async () => {
    const { copies, seal } = await kept();
    await seal();
    const folder = dirname(copies.backup.copyOf("dump/1.dat") ?? "");
    await copies[Symbol.asyncDispose]();
    expect(existsSync(folder)).toBe(false);
  });

  it("are none where the part is not as it was written", async () => {
    const file = `${written.folder}dump/1.dat.zst.age`;
    const bytes = Buffer.from(storage.bytes(file));
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    storage.put(file, bytes);
    const { copies, seal } = await kept();
    await using _ = copies;
    expect((await seal()).broken).toEqual(["dump/1.dat"]);
    expect(copies.backup.copyOf("dump/1.dat")).toBeUndefined();
    expect(copies.backup.copyOf("dump/toc.dat")).toBeDefined();
  });

  it("are none where the key is missing", async () => {
    const { copies, seal } = await kept({});
    await using _ = copies;
    expect((await seal()).unknown.join(" ")).toContain("can be decrypted was not checked");
    for (const name of wanted) expect(copies.backup.copyOf(name)).toBeUndefined();
  });

  it("are refused before anything is read where the disk has no room for them", async () => {
    const read = jest.spyOn(storage, "read");
    const { world } = scene();
    const opened = await openBackup(storage, written.manifest, {}, world);
    const reads = read.mock.calls.length;
    const [part] = opened.manifest.parts;
    const vast = { ...part, bytes: 2 ** 60 };
    const large = Object.assign(Object.create(opened), {
      manifest: { ...opened.manifest, parts: [vast] },
    });
    const refused = keepParts(large, [part?.name ?? ""]);
    await expect(refused).rejects.toThrow("There is no room for the backup on this machine's disk");
    expect(read).toHaveBeenCalledTimes(reads);
  });
});

describe("the examination of a seal whose watcher fails", () => {
  it("ends with the watcher's words, and reads nothing more", async () => {
    const { world } = scene();
    const opened = await openBackup(storage, written.manifest, { identities: IDENTITY }, world);
    const watch = async () => {
      throw new Error("the disk is full");
    };
    await expect(examineSeal(opened, { watch }, world)).rejects.toThrow("the disk is full");
  });
});
