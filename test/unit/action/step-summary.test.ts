import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { summaryOf } from "../../../shared/action/failure-summary.ts";
import { withinLimit } from "../../../shared/action/step-summary.ts";
import { failureSummaryCases } from "./summary-cases.ts";

const MIB = 1024 * 1024;
const bytes = (text: string) => Buffer.byteLength(text);

describe("the job summary", () => {
  it.each(["", "short", "ends\n"])("%j is left as it is, ended by a line end", (text) => {
    expect(withinLimit(text)).toBe(text.endsWith("\n") ? text : `${text}\n`);
  });

  it("of exactly 1 MiB is left as it is", () => {
    const text = `${"x".repeat(MIB - 1)}\n`;
    expect(withinLimit(text)).toBe(text);
  });

  it.each([
    ["lines", "a line\n".repeat(MIB / 4)],
    ["one line", "x".repeat(2 * MIB)],
    ["one line of characters of four bytes", `x${"😀".repeat(MIB)}`],
    ["line ends", "\n".repeat(2 * MIB)],
    ["a fence", `\`\`\`\n${"in a block\n".repeat(MIB / 4)}\`\`\`\n`],
    ["folded blocks", "<details><summary>a</summary>\n\nb\n".repeat(MIB / 8)],
    ["a fence as long as the summary", `${"`".repeat(MIB)}\ntext`],
  ])("of more than 1 MiB is cut: %s", (_, text) => {
    const cut = withinLimit(text);
    expect(bytes(cut)).toBeLessThanOrEqual(MIB);
    expect(bytes(cut)).toBeGreaterThan(MIB - 4_096);
    expect(cut).toMatch(/The rest is left out/);
    expect(cut).not.toContain("\ufffd");
  });

  it("closes what the cut left open, so that the note is seen", () => {
    const text = `<details>\n\n\`\`\`\`text\n${"in a block\n".repeat(MIB / 4)}`;
    expect(withinLimit(text)).toMatch(/\n````\n\n<\/details>\n\n\n_The rest/);
    const closed = `<details>\n\n\`\`\`\nx\n\`\`\`\n</details>\n${"line\n".repeat(MIB)}`;
    expect(withinLimit(closed).slice(-200)).not.toMatch(/```|<\/details>/);
  });

  it("never exceeds the limit", () => {
    const part = fc.constantFrom("a", "ä", "😀", "\n", "```", "````\n", "<details>", "</details>");
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 30 }), (parts) => {
        const text = parts.join("");
        const repeated = text.repeat(Math.ceil((MIB + 10) / bytes(text)));
        expect(bytes(withinLimit(repeated))).toBeLessThanOrEqual(MIB);
      }),
      { numRuns: 30 },
    );
  });
});

describe("the summary of a failure", () => {
  it.each(failureSummaryCases)("$name", ({ outcome, contains, lacks }) => {
    const summary = summaryOf("probe", outcome);
    for (const text of contains) expect(summary).toContain(text);
    for (const text of lacks) expect(summary).not.toContain(text);
  });
});
