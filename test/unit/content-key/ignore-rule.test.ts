import { describe, expect, it } from "@jest/globals";
import { parseIgnoreFile } from "../../../shared/content-key/ignore-rule.ts";
import { ruleAgainst } from "../../../shared/content-key/tree-worker.ts";

/** The line that leaves a path out; undefined when none does. */
function hiding(text: string, path: string): number | undefined {
  const rules = parseIgnoreFile(text);
  if (rules === undefined) throw new Error(`not understood: ${text}`);
  return rules[ruleAgainst(rules, path)]?.line;
}

describe("an ignore file", () => {
  it.each([
    ["a name at the top", "a", "a", true],
    ["a name further down", "a", "b/a", false],
    ["what is below a name", "a", "a/b/c", true],
    ["a leading slash", "/a", "a", true],
    ["a trailing slash", "a/", "a", true],
    ["a trailing slash, of a folder's content", "a/", "a/b", true],
    ["dots in the path", "./b/../a", "a", true],
    ["a path that leads out", "../a", "a", false],
    ["a star", "*.txt", "a.txt", true],
    ["a star stays in its folder", "*.txt", "a/b.txt", false],
    ["two stars", "**/*.txt", "a/b/c.txt", true],
    ["two stars at the top", "**/*.txt", "c.txt", true],
    ["two stars and a name", "**/a", "b/a", true],
    ["two stars and a name at the top", "**/a", "a", true],
    ["two stars and a part of a name", "**/a", "b/ba", false],
    ["two stars behind", "a/**", "a/b", true],
    ["two stars behind, of the folder itself", "a/**", "a", false],
    ["two stars between", "a/**/z", "a/b/c/z", true],
    ["two stars between nothing", "a/**/z", "a/z", true],
    ["two stars alone", "**", "a/b", true],
    ["a question mark", "?.go", "a.go", true],
    ["a question mark is one sign", "?.go", "ü.go", true],
    ["a question mark is one sign of any plane", "?.go", "😀.go", true],
    ["a class", "[a-c].go", "b.go", true],
    ["a class of others", "[^a-c].go", "b.go", false],
    ["an escaped star", "a\\*", "a*", true],
    ["an escaped star is no star", "a\\*", "ab", false],
    ["capital letters", "A", "a", false],
    ["a point is a point", "a.c", "abc", false],
    ["other signs of regular expressions", "a+(b)|{c}$.*", "a+(b)|{c}$.d", true],
    ["an exception", "*\n!a", "a", false],
    ["an exception for a part of a folder", "a\n!a/b", "a/b", false],
    ["the rest of that folder", "a\n!a/b", "a/c", true],
    ["an exception before its rule", "!a\n*", "a", true],
    ["a space behind an exclamation mark", "*\n! a", "a", false],
    ["a comment", "# a", "a", false],
    ["a comment behind white space is a name", " #a", "#a", true],
    ["white space around", "  a\t", "a", true],
    ["white space of other scripts", "\u3000a\u00a0", "a", true],
    ["a mark of the byte order", "\uFEFFa", "a", true],
    ["line ends of another system", "a\r\nb\r\n", "a", true],
    ["a line break in a name, with two stars", "**/a*", "b\n/a", false],
    ["a line break in a name, with one star", "*a", "b\na", true],
  ])("with %s", (_, text, path, isHidden) => {
    expect(hiding(text, path) !== undefined).toBe(isHidden);
  });

  it("tells which line hides a path", () => {
    expect(hiding("# first\n\n*.txt\n!b.txt\nsrc\n", "src/a.ts")).toBe(5);
    expect(hiding("# first\n\n*.txt\n!b.txt\nsrc\n", "a.txt")).toBe(3);
    expect(hiding("# first\n\n*.txt\n!b.txt\nsrc\n", "b.txt")).toBeUndefined();
  });

  it.each([
    ["an exception of nothing", "!"],
    ["an exception of the root", "!/"],
    ["a class that is not closed", "[a"],
    ["an empty class", "[]"],
    ["a class of POSIX", "[[:alpha:]]"],
    ["a range without a beginning", "[-a]"],
    ["a range the wrong way round", "[z-a]"],
    ["an operator of Go", "a\\d"],
    ["a star in a class", "[*]"],
    ["bytes that are not UTF-8", "a\uFFFD"],
  ])("is not understood with %s, so that every file counts", (_, line) => {
    expect(parseIgnoreFile(`a\n${line}\n`)).toBeUndefined();
  });
});
