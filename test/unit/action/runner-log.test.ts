import * as core from "@actions/core";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { printableLines, runnerLog } from "../../../shared/action/runner-log.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { hostileText } from "./hostile-text.ts";
import { printedBy } from "./printed.ts";
import { commandIn, linesAsRead } from "./runner-rules.ts";

const commandsIn = (printed: string) =>
  linesAsRead(printed).flatMap((line) => commandIn(line)?.name ?? []);

const log = runnerLog(new Secrets());

describe("the rules of the runner that these tests go by", () => {
  it.each([
    ["::error::x", "error"],
    ["  ::error title=a::x", "error"],
    ["\u00a0::WARNING::x", "WARNING"],
    ["text ##[error]x", "error"],
    ["::unknown::x", undefined],
    ["a ::error::x", undefined],
  ])("%j", (line, name) => {
    expect(commandIn(line)?.name).toBe(name);
  });
});

describe("a line of the log", () => {
  it.each([
    "::error::x",
    " \t::set-output name=a::b",
    "a\n::error::x",
    "a\r::error::x",
    "a\u2028::error::x",
    "a\u0085::error::x",
    "\u001b[31m::error::x",
    ":\u0000:error::x",
    "#\u001b[0m#[error]x",
    "one ##[group]two",
    "\ufeff::error::x",
    "\u200b::error::x",
    ":::error::x",
    "::\u202eerror::x",
  ])("%j is no command", (text) => {
    expect(commandsIn(printedBy(() => log.info(text)))).toEqual([]);
  });

  it.each([
    ["plain text", ["plain text"]],
    ["50% of a::b, #[c]", ["50% of a::b, #[c]"]],
    ["one\ntwo\r\nthree\rfour", ["one", "two", "three", "four"]],
    ["\u001b[1mbold\u001b[0m\ttab", ["bold\ttab"]],
    ["", [""]],
  ])("%j is left legible", (text, lines) => {
    expect(printableLines(text, new Secrets())).toEqual(lines);
  });

  it("is no command, whatever the text", () => {
    fc.assert(
      fc.property(hostileText, (text) => {
        expect(commandsIn(printedBy(() => log.info(text)))).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("an annotation, a group, a debug line", () => {
  it("is the one command it is meant to be, whatever the text", () => {
    fc.assert(
      fc.property(hostileText, hostileText, (text, title) => {
        expect(commandsIn(printedBy(() => log.warning(text, title)))).toEqual(["warning"]);
        expect(commandsIn(printedBy(() => log.group(title, [text, title])))).toEqual([
          "group",
          "endgroup",
        ]);
        const names = commandsIn(printedBy(() => log.debug(text)));
        expect(names.filter((name) => name !== "debug")).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });

  it("reaches the runner as it was given", () => {
    fc.assert(
      fc.property(hostileText, hostileText, (message, title) => {
        const printed = printedBy(() => core.error(message, { title, startLine: 3 }));
        const [line = ""] = printed.split("\n");
        expect(printed).toBe(`${line}\n`);
        const command = commandIn(line);
        expect(command?.message).toBe(message);
        expect(command?.properties.line).toBe("3");
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps the lines of its message and joins those of its title", () => {
    const printed = printedBy(() => log.warning("a\nb: 100%, c", "one\ntwo, three: four"));
    expect(commandIn(printed.trimEnd())).toEqual({
      name: "warning",
      message: "a\nb: 100%, c",
      properties: { title: "one two, three: four" },
    });
  });
});

describe("a secret in the log", () => {
  const secrets = new Secrets();
  secrets.add("tops3cret value");
  secrets.add("first long line\nsecond long line");

  it.each([
    "it is tops3cret value.",
    "it is tops3\u001b[31mcret value.",
    "it is tops3\u0000cret value.",
    "tops3\u202ecret value",
    "first long line\nsecond long line",
    "> second long line",
    '{"a":"tops3cret value"}',
  ])("%j is hidden", (text) => {
    const secretLog = runnerLog(secrets);
    const printed = printedBy(() => {
      secretLog.info(text);
      secretLog.debug(text);
      secretLog.warning(text, text);
      secretLog.group(text, [text]);
    });
    expect(printed).not.toMatch(/cret value|first long|second long/);
    expect(printed).toContain("***");
  });
});
