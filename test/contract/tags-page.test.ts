import { expect, it } from "@jest/globals";
import { readFlavor, readTagRules, tagsFor } from "../../shared/image-tags/index.ts";
import { on, schedule } from "../unit/image-tags/event.ts";
import { textOf } from "./action-folder.ts";

const [, table = ""] =
  /<!-- rules -->\n([\s\S]*?)<!-- \/rules -->/.exec(textOf("docs", "tags.md")) ?? [];
const rows = table
  .trim()
  .split("\n")
  .slice(2)
  .map((row) => row.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, rule = "", ref = "", tags = ""]) => [rule, ref, tags] as const);

const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);

it("has rows", () => {
  expect(rows.length).toBeGreaterThan(20);
});

it.each(rows)("says what happens: %s on %s gives %s", (rule, ref, tags) => {
  const [text = ""] = codes(rule);
  const [name] = codes(ref);
  const read = readTagRules(text);
  const event = name === undefined ? schedule : on(name);
  const made = tagsFor(read.rules, readFlavor("").flavor, event);
  expect([...read.problems, ...made.problems]).toEqual([]);
  expect(made.tags).toEqual(tags === "none" ? [] : codes(tags));
});
