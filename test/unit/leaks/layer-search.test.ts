import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type SearchedLayer, searchLayer } from "../../../shared/leaks/layer-search.ts";
import { Matcher } from "../../../shared/leaks/matcher.ts";
import { needlesOf } from "../../../shared/leaks/needles.ts";
import { TarMap } from "../../../shared/leaks/tar-map.ts";
import { type TarFile, tarOf } from "./tar.ts";

const secret = "s3cr3t-Value-12345";
const { needles } = needlesOf([{ name: "it", value: secret }]);
const matcher = new Matcher(needles.map(({ bytes }) => bytes));
const { signal } = new AbortController();

function inPieces(bytes: Buffer, size: number): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return Readable.from(pieces, { objectMode: false });
}

async function search(layer: Buffer, size = 65_536): Promise<SearchedLayer> {
  return await searchLayer(inPieces(layer, size), matcher, signal);
}

/** As jar and others write it: without lengths in the headers. */
function zipOf(files: readonly TarFile[]): Buffer {
  const members = files.flatMap(({ path, content = "" }) => {
    const header = Buffer.alloc(30);
    header.write("504b0304", "hex");
    header.writeUInt16LE(8, 6);
    header.writeUInt16LE(8, 8);
    header.writeUInt16LE(Buffer.byteLength(path), 26);
    const descriptor = Buffer.from("504b0708000000000000000000000000", "hex");
    return [header, Buffer.from(path), deflateRawSync(content), descriptor];
  });
  return Buffer.concat([...members, Buffer.from("504b0102", "hex"), Buffer.alloc(60)]);
}

const noise = randomBytes(200_000);
const long = `deep/${"folder/".repeat(20)}file`;
const files: readonly TarFile[] = [
  { path: "app/noise", content: noise },
  { path: "app/.npmrc", content: `//registry/:_authToken=${secret}\n` },
  { path: long, content: `x${secret}` },
  { path: `app/${secret}.txt`, content: "empty" },
  { path: "app/link", target: `/run/${secret}` },
  { path: "app/plain", content: noise },
];

describe("a layer", () => {
  it.each([
    ["plain", (tar: Buffer) => tar],
    ["packed by gzip", (tar: Buffer) => gzipSync(tar)],
    [
      "packed by gzip, in several members",
      (tar: Buffer) =>
        Buffer.concat([gzipSync(tar.subarray(0, 100_000)), gzipSync(tar.subarray(100_000))]),
    ],
    ["packed by zstd", (tar: Buffer) => zstdCompressSync(tar)],
    [
      "packed by zstd, in several frames",
      (tar: Buffer) =>
        Buffer.concat([
          zstdCompressSync(tar.subarray(0, 100_000)),
          zstdCompressSync(tar.subarray(100_000)),
        ]),
    ],
  ])("%s is searched, names and links too", async (_, pack) => {
    const { hits, bytes, notes } = await search(pack(tarOf(files)));
    expect(hits.map(({ path, inName }) => `${path}${inName ? " (name)" : ""}`).sort()).toEqual([
      "app/.npmrc",
      "app/link (name)",
      `app/${secret}.txt (name)`,
      long,
    ]);
    expect(bytes).toBe(tarOf(files).length);
    expect(notes).toEqual([]);
  });

  it("is searched wherever its pieces are cut", async () => {
    const tar = tarOf(files.slice(1));
    for (const size of [1, 7, 511, 512, 513, 1_000]) {
      const { hits } = await search(tar, size);
      expect(hits.map(({ path }) => path).sort()).toEqual(
        ["app/.npmrc", "app/link", `app/${secret}.txt`, long].sort(),
      );
    }
  });

  it.each([
    [
      "a tgz",
      "app/a.tgz",
      gzipSync(tarOf([{ path: "package/.npmrc", content: secret }])),
      "package/.npmrc",
    ],
    ["a gzip", "app/a.gz", gzipSync(Buffer.concat([noise, Buffer.from(secret)])), undefined],
    ["a zstd", "app/a.zst", zstdCompressSync(`x ${secret}`), undefined],
    [
      "a jar",
      "app/a.jar",
      zipOf([
        { path: "a", content: "b" },
        { path: "application.yml", content: `k: ${secret}` },
        { path: "c", content: noise },
      ]),
      "application.yml",
    ],
  ])("has %s looked into", async (_, path, content, within) => {
    const tar = tarOf([{ path: "first", content: noise }, { path, content }, { path: "last" }]);
    for (const size of [100, 65_536]) {
      const { hits, notes } = await search(gzipSync(tar), size);
      expect(hits).toEqual([{ needle: expect.any(Number), path, within, inName: false }]);
      expect(notes).toEqual([]);
    }
  });

  it("says which packed files it could not look into, and goes on", async () => {
    const broken = gzipSync(noise).subarray(0, 1_000);
    const tar = tarOf([
      { path: "broken.gz", content: broken },
      { path: "b", content: secret },
    ]);
    const { hits, notes } = await search(tar);
    expect(hits).toHaveLength(1);
    expect(notes).toEqual([expect.stringMatching(/cannot be unpacked.*broken\.gz/)]);
  });

  it("that is no tar archive is searched as it is, which is said", async () => {
    const { hits, notes } = await search(Buffer.concat([noise, Buffer.from(secret)]));
    expect(hits).toMatchObject([{ path: undefined }]);
    expect(notes).toEqual([expect.stringMatching(/no tar archive/)]);
  });

  it("that is packed as nobody can is said", async () => {
    const { notes } = await search(Buffer.concat([Buffer.from("fd377a585a00", "hex"), noise]));
    expect(notes).toEqual([expect.stringMatching(/packed by xz/)]);
  });

  it("that is damaged is an error", async () => {
    const packed = gzipSync(tarOf(files));
    await expect(search(packed.subarray(0, packed.length - 50))).rejects.toThrow(/unexpected end/);
  });

  it("that is empty has nothing in it", async () => {
    expect(await search(Buffer.alloc(0))).toMatchObject({ hits: [], bytes: 0 });
  });

  it("is left at once when the job is cancelled", async () => {
    const stop = new AbortController();
    const endless = new Readable({ read: () => {} });
    const searching = searchLayer(endless, matcher, stop.signal);
    stop.abort(new Error("stop"));
    await expect(searching).rejects.toThrow(/stop|abort/);
  });
});

describe("a map of a tar archive", () => {
  it("knows the same members wherever the pieces are cut", () => {
    const tar = tarOf([...files.slice(1, 5), { path: "e", content: noise.subarray(0, 700) }]);
    const whole = new TarMap();
    whole.push(tar);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (sizes) => {
        const map = new TarMap();
        for (let at = 0, turn = 0; at < tar.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          map.push(tar.subarray(at, at + size));
          at += size;
          expect(map.known).toBeLessThanOrEqual(at);
        }
        for (let at = 0; at < tar.length; at += 97) expect(map.at(at)).toEqual(whole.at(at));
      }),
    );
  });

  it("stops at what is no header", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 512, maxLength: 2_000 }), (bytes) => {
        const map = new TarMap();
        map.push(Buffer.from(bytes));
        expect(map.known).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
