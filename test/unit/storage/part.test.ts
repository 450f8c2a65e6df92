import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { escapedXml, parseXml, textIn } from "../../../shared/storage/s3/xml.ts";
import { partsOf } from "../../../shared/storage/transfer/part.ts";
import { MOST_PARTS, partSize } from "../../../shared/storage/transfer/part-size.ts";

const MIB = 1024 * 1024;

async function* chunked(content: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

describe("the parts of an upload", () => {
  it("hold 5 TiB in 10,000, each as large as S3 takes it", () => {
    let [count, total] = [0, 0];
    for (; total < 5 * 2 ** 40; count += 1) {
      const size = partSize(count, total, false);
      expect(size).toBeGreaterThanOrEqual(5 * MIB);
      expect(size).toBeLessThanOrEqual(5 * 1024 * MIB);
      total += size;
    }
    expect(count).toBeLessThanOrEqual(MOST_PARTS);
    expect(partSize(7, 7 * 64 * MIB, true)).toBe(partSize(0, 0, true));
  });

  it.each([
    [0, 1, false],
    [8 * MIB, 1, false],
    [8 * MIB + 1, 2, false],
    [17_000_000, 3, false],
    [64 * MIB + 5, 2, true],
  ])(
    "of %i bytes are %i, and give all of it back as often as it is asked",
    async (size, count, equal) => {
      const temporary = mkdtempSync(join(tmpdir(), "part-"));
      const content = randomBytes(size);
      const whole = createHash("sha256");
      let found = 0;
      for await (const part of partsOf(chunked(content, 1_000_003), {
        ...{ equal, temporary, wantsMd5: () => true },
      })) {
        for (let time = 0; time < 2; time += 1) {
          const hash = createHash("sha256");
          let bytes = 0;
          for await (const piece of part.open()) {
            hash.update(piece);
            bytes += piece.length;
            if (time === 1) whole.update(piece);
          }
          expect(bytes).toBe(part.bytes);
          expect(hash.digest().equals(part.sha256)).toBe(true);
        }
        expect(part.last).toBe(found === count - 1);
        found += 1;
        // Nothing has a name, whatever becomes of the process.
        expect(readdirSync(temporary)).toEqual([]);
        await part.close();
      }
      expect(found).toBe(count);
      expect(whole.digest("hex")).toBe(createHash("sha256").update(content).digest("hex"));
      rmSync(temporary, { recursive: true });
    },
  );

  it("do not change when the source uses its buffer again", async () => {
    async function* reusing(): AsyncGenerator<Buffer> {
      const buffer = Buffer.alloc(10);
      for (let count = 0; count < 5; count += 1) yield buffer.fill(count);
    }
    const traits = { equal: false, temporary: tmpdir(), wantsMd5: () => false };
    for await (const part of partsOf(reusing(), traits)) {
      const pieces: Buffer[] = [];
      for await (const piece of part.open()) pieces.push(piece);
      expect(Buffer.concat(pieces).toString("hex")).toBe(
        [0, 1, 2, 3, 4].map((digit) => `0${digit}`.repeat(10)).join(""),
      );
    }
  });
});

describe("XML", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const root = parseXml(
          `<?xml version="1.0"?>\n<a xmlns="x"><s3:b c="d">${escapedXml(text)}</s3:b><e/></a>`.replace(
            "\n",
            "",
          ),
        );
        expect(textIn(root, "b")).toBe(text);
      }),
    );
  });

  it.each(["", "<a>", "<a></b>", "<a/><b/>", "text", "<a><b></a></b>", "<a>".repeat(100), "{}"])(
    "is none: %s",
    (text) => expect(parseXml(text)).toBeUndefined(),
  );
});
