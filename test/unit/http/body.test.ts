import { Readable } from "node:stream";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { BODY_LIMIT_BYTES, decodeBody, readBody } from "../../../shared/http/body.ts";

const MIB = 1024 * 1024;

function decode(kept: Buffer, headers: Readonly<Record<string, string>>, bytes = kept.length) {
  return decodeBody({ kept, bytes }, headers);
}

describe("decoding a body", () => {
  const json = Buffer.from('{"status":"ok"}');
  it.each<[string, Buffer, Readonly<Record<string, string>>, string]>([
    ["nothing", Buffer.alloc(0), { "content-encoding": "gzip" }, ""],
    ["plain text", json, {}, '{"status":"ok"}'],
    ["identity", json, { "content-encoding": "identity" }, '{"status":"ok"}'],
    ["gzip", gzipSync(json), { "content-encoding": "gzip" }, '{"status":"ok"}'],
    ["x-gzip in capitals", gzipSync(json), { "content-encoding": "X-GZip" }, '{"status":"ok"}'],
    ["deflate", deflateSync(json), { "content-encoding": "deflate" }, '{"status":"ok"}'],
    ["br", brotliCompressSync(json), { "content-encoding": "br" }, '{"status":"ok"}'],
    ["zstd", zstdCompressSync(json), { "content-encoding": "zstd" }, '{"status":"ok"}'],
    [
      "two, the last one applied first",
      gzipSync(brotliCompressSync(json)),
      { "content-encoding": "br, gzip" },
      '{"status":"ok"}',
    ],
    ["a byte order mark", Buffer.from("\ufeffok"), {}, "ok"],
    [
      "Latin-1",
      Buffer.from("h\u00e9llo", "latin1"),
      { "content-type": "text/plain; charset=ISO-8859-1" },
      "h\u00e9llo",
    ],
    [
      "UTF-16, its name in quotes",
      Buffer.from("h\u00e9llo", "utf16le"),
      { "content-type": 'text/plain;charset="utf-16le"' },
      "h\u00e9llo",
    ],
    ["a charset of nobody's", json, { "content-type": "a/b; charset=klingon" }, '{"status":"ok"}'],
  ])("%s", async (_, kept, headers, text) => {
    const decoded = await decode(kept, headers);
    expect(decoded).toEqual({ text, truncated: false, undecodable: undefined });
  });

  it.each([
    ["gzip", "no gzip", /incorrect header check/],
    ["br", "no br, by no means", /./],
    ["snappy", "x", /the encoding "snappy" is not known here/],
  ])("says why %s cannot be undone, and shows what came", async (encoding, raw, why) => {
    const { text, undecodable } = await decode(Buffer.from(raw), { "content-encoding": encoding });
    expect(undecodable).toMatch(why);
    expect(text).toBe(raw);
  });

  it("takes a whole body that lacks its end for damaged", async () => {
    const half = gzipSync(json).subarray(0, 20);
    const { undecodable } = await decode(half, { "content-encoding": "gzip" });
    expect(undecodable).toMatch(/unexpected end of file/);
  });

  it("decodes what was kept of a body that goes on", async () => {
    const start = gzipSync(Buffer.alloc(100_000, "ab")).subarray(0, 60);
    const decoded = await decode(start, { "content-encoding": "gzip" }, 10 * MIB);
    expect(decoded).toMatchObject({ truncated: true, undecodable: undefined });
    expect(decoded.text).toMatch(/^abab/);
  });

  it("unpacks no more than it keeps", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * MIB, "x"));
    const { text, truncated } = await decode(bomb, { "content-encoding": "gzip" });
    expect(truncated).toBe(true);
    expect(text).toHaveLength(BODY_LIMIT_BYTES);
  });
});

describe("reading a body", () => {
  function* endless(): Generator<Buffer> {
    for (;;) yield Buffer.alloc(MIB / 2);
  }

  it("stops when enough is read", async () => {
    const stream = Readable.from(endless());
    const { kept, bytes, complete } = await readBody(stream, false, () => {});
    expect(kept).toHaveLength(BODY_LIMIT_BYTES);
    expect(bytes).toBe(8.5 * MIB);
    expect(complete).toBe(false);
    expect(stream.destroyed).toBe(true);
  });

  it("reads to the end where that counts", async () => {
    const stream = Readable.from(Array.from({ length: 12 }, () => Buffer.alloc(MIB)));
    const seen: number[] = [];
    const body = await readBody(stream, true, (bytes) => seen.push(bytes));
    expect(body).toMatchObject({ bytes: 12 * MIB, complete: true });
    expect(seen.at(-1)).toBe(12 * MIB);
  });
});
