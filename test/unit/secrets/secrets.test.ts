import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { code, codeBlock, escapeMarkdown } from "../../../shared/report/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";

function hiding(...values: readonly string[]): Secrets {
  const secrets = new Secrets();
  for (const value of values) secrets.add(value);
  return secrets;
}

describe("secrets", () => {
  it.each<[string, readonly string[], string, string]>([
    ["as it is", ["hunter22"], "with hunter22.", "with ***."],
    ["twice", ["hunter22"], "hunter22hunter22", "***"],
    ["with white space around it", [" hunter22\n"], "a hunter22 b", "a *** b"],
    ["one within another", ["abcd", "xabcdx"], "xabcdx abcd", "*** ***"],
    ["two that overlap", ["abcdef", "defghi"], "-abcdefghi-", "-***-"],
    ["signs of patterns", ["a.b*c$d"], "a.b*c$d axbxc$d", "*** axbxc$d"],
    ["several lines as a whole", ["line1\nline2"], "a\nline1\nline2\nb", "a\n***\nb"],
    ["a line of several", ["-----KEY-----\nabcdefghij\n"], "  abcdefghij", "  ***"],
    ["short lines of several stay", ["{\nabcdefghij\n}"], "{ } abcdefghij", "{ } ***"],
    ["lines ended otherwise", ["abcdefgh\r\nijklmnop"], "abcdefgh\nijklmnop", "***\n***"],
    ["in a URL", ["p@ss w/rd"], "http://u:p%40ss%20w%2Frd@h", "http://u:***@h"],
    ["in a form", ["p@ss w/rd"], "x=p%40ss+w%2Frd&y", "x=***&y"],
    ["in JSON", ['pa"ss\\'], JSON.stringify({ a: 'pa"ss\\' }), '{"a":"***"}'],
    ["in HTML", ["<pa&ss>"], "&lt;pa&amp;ss&gt;", "***"],
    ["three characters on their own", ["abc"], "abc xabc, abc1 (abc)", "*** xabc, abc1 (***)"],
    ["one character, never", ["a"], "a b a", "a b a"],
    ["nothing, never", ["", "  ", "\n"], "a  b", "a  b"],
    ["characters of two units", ["😀😀"], "a😀😀b", "a***b"],
  ])("%s", (_, values, text, expected) => {
    expect(hiding(...values).redact(text)).toBe(expected);
  });

  it("in Markdown, however our reports spell it", () => {
    const secret = "p_a*s`s|w<o>r$d";
    const secrets = hiding(secret);
    for (const text of [
      escapeMarkdown(secret),
      code(secret),
      codeBlock(secret),
      code("p_a*s$s<w"),
    ]) {
      expect([text, secrets.redact(text)]).toEqual([text, expect.not.stringMatching(/p\\?_a/)]);
      secrets.add("p_a*s$s<w");
    }
  });

  it("in base64, wherever in a longer text it begins", () => {
    const secrets = hiding("correct horse battery");
    for (const before of ["", "u", "us", "use", "user:"]) {
      for (const after of ["", "!", "!!"]) {
        const text = `${before}correct horse battery${after}`;
        for (const encoding of ["base64", "base64url"] as const) {
          const redacted = secrets.redact(Buffer.from(text).toString(encoding));
          expect(redacted).toContain("***");
          expect(redacted.length).toBeLessThan(20);
        }
      }
    }
  });

  it("that are not well-formed text are taken too", () => {
    expect(hiding("ab\ud800cd").redact("-ab\ud800cd-")).toBe("-***-");
  });

  it("are told to the listener once, before anything can be printed", () => {
    const told: string[] = [];
    const secrets = new Secrets((value) => told.push(value));
    secrets.add("hunter22");
    secrets.add("hunter22");
    secrets.add("abc");
    secrets.add("first line\nsecond line");
    expect(told).toEqual(["hunter22", "first line\nsecond line", "first line", "second line"]);
  });

  it("are never left in a text, whatever they are", () => {
    const secret = fc.string({ minLength: 4, maxLength: 12 }).filter((text) => !text.includes("*"));
    const visible = secret.filter((text) => text.trim().length >= 4);
    fc.assert(
      fc.property(
        fc.array(visible, { minLength: 1, maxLength: 4 }),
        fc.array(fc.string()),
        (values, parts) => {
          const secrets = hiding(...values);
          const text = values.flatMap((value, index) => [parts[index] ?? "", value]).join("");
          const redacted = secrets.redact(text);
          for (const value of values) expect(redacted).not.toContain(value);
        },
      ),
    );
  });

  it("leave a text without them as it is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(hiding("\u0001never there\u0001").redact(text)).toBe(text);
      }),
    );
  });
});
