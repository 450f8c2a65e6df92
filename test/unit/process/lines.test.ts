import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Lines } from "../../../shared/process/lines.ts";
import { Tail } from "../../../shared/process/tail.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

function linesOf(chunks: readonly string[], redact = (text: string) => text): string[] {
  const seen: string[] = [];
  const lines = new Lines(redact, (line) => seen.push(line));
  for (const chunk of chunks) lines.append(chunk);
  lines.end();
  return seen;
}

describe("lines", () => {
  it.each([
    [["a\nb\r\nc\rd"], ["a", "b", "c", "d"]],
    [
      ["a\r", "\nb"],
      ["a", "b"],
    ],
    [
      ["a\r", "", "\nb\n"],
      ["a", "b"],
    ],
    [
      ["a\n\n", "\n"],
      ["a", "", ""],
    ],
    [["", ""], []],
    [['{"a":"x\u2028y"}\n'], ['{"a":"x\u2028y"}']],
  ])("%j", (chunks, expected) => {
    expect(linesOf(chunks)).toEqual(expected);
  });

  it("are the same however the chunks are cut", () => {
    const part = fc.constantFrom("a", "bc", "\n", "\r", "\r\n", "\u2028", "");
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        expect(linesOf(parts)).toEqual(linesOf([parts.join("")]));
        expect(linesOf([...parts.join("")])).toEqual(linesOf([parts.join("")]));
      }),
    );
  });

  it("are redacted as a whole, so that a secret in two chunks is seen", () => {
    const secrets = new Secrets();
    secrets.add("tops3cret");
    const chunks = ["a tops", "3cr", "et b\nto", "ps3cret"];
    expect(linesOf(chunks, (text) => secrets.redact(text))).toEqual(["a *** b", "***"]);
  });

  it("without an end are kept to about 1 Mi characters, with no part of a secret at the cut", () => {
    const secrets = new Secrets();
    const secret = "tops3cret".repeat(10);
    secrets.add(secret);
    const chunks = ["x".repeat(1024 * 1024 - 20), secret, "y".repeat(100_000), "z\nnext"];
    const [line = "", next] = linesOf(chunks, (text) => secrets.redact(text));
    expect(line.length).toBeLessThanOrEqual(1024 * 1024 + 1);
    expect(line).not.toContain("tops3");
    expect(next).toBe("next");
  });
});

describe("the tail of a stream", () => {
  it("is its last characters, whatever the chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.integer({ min: 1, max: 20 }), (chunks, limit) => {
        const tail = new Tail(limit);
        for (const chunk of chunks) tail.append(chunk);
        const whole = chunks.join("");
        expect(`${tail}`).toBe(whole.slice(-limit));
        expect(tail.cut).toBe(whole.length > limit);
      }),
    );
  });
});
