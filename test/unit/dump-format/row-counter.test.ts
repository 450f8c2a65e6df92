import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { RowCounter } from "../../../shared/dump-format/row-counter.ts";

/** The same, one row after the other. */
function slowly(text: string, tabs: number): { at: number; rows: number } {
  let at = 0;
  let rows = 0;
  for (;;) {
    const end = text.indexOf("\n", at);
    const row = text.slice(at, end);
    if (end === -1 || row.includes("\r") || row.split("\t").length !== tabs + 1)
      return { at, rows };
    at = end + 1;
    rows += 1;
    if (text.startsWith("\\.", at)) return { at, rows };
  }
}

const cell = fc.stringMatching(/^[a-z\\.]{0,30}$/).filter((text) => !text.startsWith("\\."));
const odd = fc.constantFrom("\\.\n", "a\r\tb\n", "a\n", "a\tb\tc\n", "\n");
const row = fc.tuple(cell, cell).map(([one, other]) => `${one}\t${other}\n`);

test("rows are counted as one by one, up to the first that is unusual", () => {
  const counter = RowCounter.make();
  if (counter === undefined) throw new Error("this processor cannot do it");
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 30 }),
      fc.option(odd, { nil: "" }),
      fc.array(row, { maxLength: 30 }),
      (before, unusual, after) => {
        const text = [...before, unusual, ...after].join("");
        const slow = slowly(text, 1);
        const fast = counter.count(Buffer.from(text), 0, 1);
        // The last few bytes, fewer than sixteen, are left to be read one by one.
        expect(fast.rows).toBeLessThanOrEqual(slow.rows);
        expect(text.slice(0, fast.at).split("\n").length - 1).toBe(fast.rows);
        expect(slow.at - fast.at).toBeLessThan(80);
        if (fast.rows < slow.rows)
          expect(slowly(text.slice(fast.at), 1).rows).toBe(slow.rows - fast.rows);
      },
    ),
    { numRuns: 1000 },
  );
});
