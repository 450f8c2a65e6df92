import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { load } from "js-yaml";

interface Workflow {
  readonly jobs: { readonly check: { readonly steps: readonly { readonly run: string }[] } };
}

const text = readFileSync(".github/workflows/verify-backups.yml", "utf8");
const script = (load(text) as Workflow).jobs.check.steps[0]?.run ?? "";

/** What the first job of the workflow says of a list of backups; empty where it lets it pass. */
function verdictOn(backups: string): string {
  const { status, stdout } = spawnSync("bash", ["-e", "-c", script], {
    env: { PATH: process.env.PATH, BACKUPS: backups },
    encoding: "utf8",
  });
  expect(status).toBe(stdout === "" ? 0 : 1);
  return stdout.replace("::error title=The list of backups is wrong::", "").trim();
}

test.each([
  '[{"name": "papers", "tier": "full", "rpo": "26h"}, {"pattern": "*.rdb"}]',
  '[{"kind": "wal-g", "point-in-time": "latest"}]',
])("a sound list of backups passes: %s", (list) => {
  expect(verdictOn(list)).toBe("");
});

test.each([
  ["", /empty/],
  ["nope", /no JSON: parse error/],
  ['[{"name": "a"},', /no JSON/],
  ["{}", /no list/],
  ["[]", /nothing would be verified/],
  ['["papers"]', /Item 1 is no object/],
  ['[{"tier": "full"}]', /Item 1 has neither name nor pattern/],
  ['[{"name": "a"}, {"name": "b", "teir": "full"}]', /Item 2 has teir, which is none of: name,/],
  ['[{"name": "a", "queries": [{"name": "x"}]}]', /Item 1: queries has to be a string/],
])("a wrong list of backups is refused before anything is verified: %s", (list, words) => {
  expect(verdictOn(list)).toMatch(words);
});
