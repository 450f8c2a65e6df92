import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import zlib from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import * as vectors from "cctv-age";
import { openUnsealer, through } from "../../../shared/sealing/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

/** The test vectors of age's specification: a head of names and values, then an age file. */
function parse(vector: Uint8Array) {
  const bytes = Buffer.from(vector);
  const end = bytes.indexOf("\n\n");
  const head = bytes.subarray(0, end).toString();
  const of = (name: string) =>
    [...head.matchAll(new RegExp(`^${name}: (.*)$`, "gm"))].map(([, value = ""]) => value);
  const body = bytes.subarray(end + 2);
  const [packed] = of("compressed");
  return {
    expected: of("expect")[0],
    payload: of("payload")[0],
    identities: of("identity"),
    passphrase: of("passphrase")[0],
    file: packed === "zlib" ? zlib.inflateSync(body) : body,
  };
}

async function open({ identities, passphrase, file }: ReturnType<typeof parse>): Promise<Buffer> {
  const keys = { identities: identities.join("\n"), ...(passphrase ? { passphrase } : {}) };
  const unsealer = await openUnsealer(keys, new Secrets());
  const stages = await unsealer.stages({ compression: "none", encryption: "age" });
  const chunks: Buffer[] = [];
  for (let at = 0; at < file.length; at += 1009) chunks.push(file.subarray(at, at + 1009));
  return buffer(through(Readable.from(chunks), ...stages));
}

describe("the specification's test vectors", () => {
  const files = Object.entries(vectors).filter(([, vector]) => vector instanceof Uint8Array);
  const all = files.map(([name, vector]) => [name, parse(vector)] as const);

  it("are all there", () => {
    expect(all.length).toBeGreaterThan(100);
  });

  it.each(all)("%s", async (_, vector) => {
    if (vector.expected !== "success") {
      await expect(open(vector)).rejects.toThrow();
      return;
    }
    const opened = await open(vector);
    expect(createHash("sha256").update(opened).digest("hex")).toBe(vector.payload);
  });
});
