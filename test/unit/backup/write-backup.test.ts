import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { beforeEach, describe, expect, it } from "@jest/globals";
import { openBackup, type WrittenBackup, writeBackup } from "../../../shared/backup/index.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { backUp, IDENTITY, NOW, plain, RECIPIENT, scene, sourceOf } from "./scene.ts";

const signal = new AbortController().signal;
let storage: MemoryStorage;
beforeEach(() => {
  storage = new MemoryStorage();
});

const open = ({ manifest }: WrittenBackup, keys = {}) =>
  openBackup(storage, manifest, keys, scene().world);

describe("a backup", () => {
  const parts = { "dump/one": randomBytes(200_000), "dump/two": "two\n".repeat(90_000), none: "" };

  it.each([
    ["plain", plain.sealing, ""],
    ["gzip", { ...plain.sealing, compression: "gzip" }, ".gz"],
    [
      "zstd and age",
      { compression: "zstd", encryption: { method: "age", recipients: [RECIPIENT] } },
      ".zst.age",
    ],
    [
      "gzip and OpenSSL",
      {
        compression: "gzip",
        encryption: { method: "openssl", passphrase: "correct horse", iterations: 1000 },
      },
      ".gz.enc",
    ],
  ] as const)("is given back as it was: %s", async (_, sealing, suffix) => {
    const written = await backUp(storage, parts, { sealing });
    expect(written.folder).toMatch(/^papers\/20261122T000400Z-[0-9a-f]{6}\/$/);
    expect(storage.names.map((name) => name.slice(written.folder.length))).toEqual(
      [
        `dump/one${suffix}`,
        `dump/two${suffix}`,
        `fingerprint.json${suffix}`,
        "manifest.json",
        `none${suffix}`,
      ].sort(),
    );
    const opened = await open(written, { identities: IDENTITY, passphrase: "correct horse\n" });
    expect(opened.manifest).toEqual(written.manifest);
    for (const [name, content] of Object.entries(parts)) {
      const read = await buffer(await opened.open(name, signal));
      expect(read.equals(Buffer.from(content))).toBe(true);
    }
    expect(await opened.fingerprint(signal)).toEqual({ members: Object.keys(parts) });
  });

  it("is not compressed twice", async () => {
    const source = sourceOf({}, {}, (sink) =>
      sink.write("rdb", Readable.from([Buffer.from("x")]), { compressed: true }),
    );
    const sealing = { ...plain.sealing, compression: "zstd" } as const;
    const { manifest } = await writeBackup(source, storage, { ...plain, sealing }, scene().world);
    expect(manifest.parts).toMatchObject([{ file: "rdb", compression: "none" }]);
  });
});

it("tells how far it is by the size of the one before", async () => {
  await backUp(storage, { one: "x".repeat(1000) });
  const { world, lines } = scene();
  let ticks = 0;
  const sleep = async (_: number, ended?: AbortSignal) => {
    if (ticks++ > 0) await new Promise((_, failed) => ended?.addEventListener("abort", failed));
  };
  const slow = sourceOf({}, {}, async (sink) => {
    await sink.write("one", Readable.from([Buffer.alloc(500)]));
    await new Promise(setImmediate);
  });
  await writeBackup(slow, storage, plain, { ...world, clock: { ...world.clock, sleep } });
  expect(lines).toEqual([expect.stringMatching(/^Backed up .* of about 1\.02 kB/)]);
});

describe("a backup that does not come about leaves nothing", () => {
  const parts = { one: "1", two: "2" };

  it.each(["one", "two", "fingerprint.json", "manifest.json"])(
    "when the storage refuses %s",
    async (file) => {
      storage.before = (deed, name) => {
        if (deed === "write" && name.endsWith(`/${file}`)) throw new Error("the disk is full");
      };
      await expect(backUp(storage, parts)).rejects.toThrow("the disk is full");
      expect(storage.names).toEqual([]);
    },
  );

  it("when it is cancelled, with a part still on its way", async () => {
    const { world, cancel } = scene();
    const endless = new Readable({ read() {} });
    const source = sourceOf(parts, {}, async (sink) => {
      const write = sink.write("endless", endless);
      endless.push("begun");
      setImmediate(cancel);
      await write;
    });
    await expect(writeBackup(source, storage, plain, world)).rejects.toThrow("cancelled");
    expect(storage.names).toEqual([]);
    expect(endless.destroyed).toBe(true);
  });

  it("when a part's content breaks, in the source's own words", async () => {
    const source = sourceOf(parts, {}, async (sink) => {
      const content = new Readable({ read() {} });
      const write = sink.write("dump", content);
      content.push("begun");
      content.destroy(new Error("pg_dump: server closed the connection"));
      await write;
    });
    await expect(writeBackup(source, storage, plain, scene().world)).rejects.toThrow(
      "server closed the connection",
    );
    expect(storage.names).toEqual([]);
  });

  it.each([
    ["loses a part", (name: string, s: MemoryStorage) => s.objects.delete(name)],
    ["cuts a part short", (name: string, s: MemoryStorage) => s.put(name, "")],
  ])("when the storage %s after it took it", async (_, harm) => {
    storage.before = (_deed, name) => {
      if (name.endsWith("manifest.json"))
        harm(storage.names.find((each) => each.endsWith("one")) ?? "", storage);
    };
    await expect(backUp(storage, parts)).rejects.toThrow("does not hold what it took");
    expect(storage.names).toEqual([]);
  });

  it("when the storage keeps another manifest than it was sent", async () => {
    const write = storage.write.bind(storage);
    storage.write = async (name, content, options) => {
      const written = await write(name, content, options);
      if (name.endsWith("manifest.json")) storage.bytes(name).writeUInt8(0x20, 0);
      return written;
    };
    await expect(backUp(storage, parts)).rejects.toThrow("does not hold what it took");
    expect(storage.names).toEqual([]);
  });

  it("and says what it could not remove", async () => {
    const { world, warnings } = scene();
    storage.before = (deed, name) => {
      if (deed === "remove") throw new Error("access denied");
      if (name.endsWith("fingerprint.json")) throw new Error("the disk is full");
    };
    await expect(writeBackup(sourceOf(parts), storage, plain, world)).rejects.toThrow(
      "the disk is full",
    );
    expect(warnings).toEqual([
      expect.stringMatching(/does not count as a backup: .*access denied/),
    ]);
  });
});

describe("what killed runs left", () => {
  const day = 86_400_000;
  const at = (id: string, file: string) => `papers/${id}/${file}`;

  it("goes when its run is surely dead, and stays when it may live, counts, or is not known", async () => {
    const old = { modified: NOW - 7 * day };
    storage.put(at("20261101T000000Z-aaaaaa", "dump"), "dead", old);
    storage.put(at("20261101T000000Z-bbbbbb", "dump"), "alive: written to just now", {
      modified: NOW - 3_600_000,
    });
    storage.put(at("20261121T000000Z-cccccc", "dump"), "young");
    storage.put(at("20261101T000000Z-dddddd", "dump"), "counts", old);
    storage.put(at("20261101T000000Z-dddddd", "manifest.json"), "{}", old);
    storage.put("papers/mine/dump", "foreign", old);
    storage.put("papers2/20261101T000000Z-aaaaaa/dump", "another series", old);
    const before = new Set(storage.names);
    const { folder } = await backUp(storage, { one: "1" });
    expect([...before].filter((name) => !storage.objects.has(name))).toEqual([
      at("20261101T000000Z-aaaaaa", "dump"),
    ]);
    expect(storage.objects.has(`${folder}manifest.json`)).toBe(true);
  });

  it("does not stop a backup when it cannot be removed", async () => {
    storage.put(at("20261101T000000Z-aaaaaa", "dump"), "dead", { modified: 0 });
    storage.before = (deed) => {
      if (deed === "remove") throw new Error("access denied");
    };
    const { world, warnings } = scene();
    await writeBackup(sourceOf({ one: "1" }), storage, plain, world);
    expect(warnings).toEqual([expect.stringContaining("access denied")]);
  });
});

it("refuses names that no storage can keep, before it does anything", async () => {
  for (const name of ["", "a/b", "..", "a b", "ä", "-a", "a".repeat(64)]) {
    await expect(backUp(storage, {}, { name })).rejects.toThrow("No name for a series");
  }
  expect(storage.names).toEqual([]);
});
