import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { code, codeBlock, details, escapeMarkdown, table } from "../../../shared/report/index.ts";

describe("escapeMarkdown", () => {
  it.each([
    ["plain text, 3.5", "plain text, 3.5"],
    ["*a* _b_ `c` [d](e)", "\\*a\\* \\_b\\_ \\`c\\` \\[d\\]\\(e\\)"],
    ["<script>&amp;", "&lt;script&gt;&amp;amp;"],
    ["# title\n- item | cell", "\\# title \\- item \\| cell"],
    ["1. item", "1\\. item"],
    ["$a$", "<span>$</span>a<span>$</span>"],
    ["\u001b[31mred\u001b[0m\u0000\u202e", "red"],
    ["@someone ~x~ a\\b", "\\@someone \\~x\\~ a\\\\b"],
    ["a\u2028b", "a b"],
  ])("%j", (text, expected) => {
    expect(escapeMarkdown(text)).toBe(expected);
  });

  it("leaves no line end and no tag of the text's own", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeMarkdown(text).replaceAll("<span>$</span>", "");
        expect(escaped).not.toMatch(/[\r\n\u2028\u2029<>]/);
      }),
    );
  });
});

describe("code", () => {
  it.each([
    ["web-1", "`web-1`"],
    ["", ""],
    ["a\nb", "`a b`"],
    ["a`b", "<code>a\\`b</code>"],
    ["a|b<c", "<code>a\\|b&lt;c</code>"],
  ])("%j", (text, expected) => {
    expect(code(text)).toBe(expected);
  });
});

describe("codeBlock", () => {
  it("cannot be left by what is in it", () => {
    const part = fc.constantFrom("`", "``", "```", "\n", "~~~", "a");
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const [open = "", ...lines] = codeBlock(parts.join("")).trimEnd().split("\n");
        expect(open).toMatch(/^`{3,}$/);
        expect(lines.at(-1)).toBe(open);
        expect(lines.slice(0, -1).filter((line) => line.startsWith(open))).toEqual([]);
      }),
    );
  });

  it("holds a very long text", () => {
    expect(() => codeBlock("` ".repeat(500_000))).not.toThrow();
  });

  it("has no colours", () => {
    expect(codeBlock("\u001b[31mred\u001b[0m\n", "text")).toBe("```text\nred\n\n```\n");
  });
});

describe("table and details", () => {
  it("a cell stays in its row", () => {
    expect(table(["a", "b"], [["1\n2", "3"]])).toBe("| a | b |\n| --- | --- |\n| 1<br>2 | 3 |\n");
  });

  it("a block's title is escaped", () => {
    expect(details("<b>", "body")).toBe(
      "<details><summary>&lt;b&gt;</summary>\n\nbody\n</details>\n",
    );
  });
});
