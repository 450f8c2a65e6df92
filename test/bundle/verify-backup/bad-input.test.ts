import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";

/** What verify-backup says before it has fetched anything. */

const main = bundleOf("verify-backup");
let runner: Runner;
beforeAll(async () => {
  runner = await Runner.create({ "kept/other.txt": "", "a-file": "" });
});
afterAll(() => runner[Symbol.asyncDispose]());

const RIGHT = { name: "files", storage: "kept" };
type Inputs = Readonly<Record<string, string>>;

const refused: readonly (readonly [string, Inputs, string])[] = [
  ["a tier that is none", { tier: "deep" }, "tier"],
  ["an age that is none", { rpo: "old" }, "rpo"],
  ["a time that is none", { rto: "0" }, "rto"],
  ["a tolerance that is none", { "size-tolerance": "half" }, "size-tolerance"],
  ["an identity that is none", { identity: "age1xyz" }, "identity"],
  ["a key that is none", { "verification-key": "abc" }, "verification-key"],
  ["a private key for a public one", { "report-key": "abc" }, "report-key"],
  ["a memory that is none", { memory: "much" }, "memory"],
  ["an unknown place for a server", { server: "moon" }, "server"],
  ["a Pushgateway without http", { pushgateway: "gateway:9091" }, "pushgateway"],
  ["no name at all", { name: "" }, "Neither name nor pattern"],
  ["two names", { pattern: "*.sql" }, "both are given"],
  ["a query that is none", { queries: "- select 1" }, "entry 1"],
  ["queries that are no YAML", { queries: "[" }, "queries"],
  ["expectations that are no YAML", { expectations: "[" }, "expectations"],
  ["expectations of nothing", { expectations: "rows: 3" }, "rows"],
  ["a schema file that is not there", { expectations: "schema-file: s.sql" }, "s.sql"],
  ["a storage that is not there", { storage: "nowhere" }, "nowhere does not exist"],
  ["a storage that is a file", { storage: "a-file" }, "a-file"],
  ["a series that is not there", {}, "files has no backup that is complete"],
  ["a moment of a backup that has one", { "point-in-time": "latest" }, "base backups"],
];

describe("verify-backup refuses", () => {
  it.each(refused)("%s", async (_, inputs, said) => {
    const step = await runStep(main, { inputs: { ...RIGHT, ...inputs }, runner });
    expect(step).toMatchObject({ exitCode: 1, stderr: "", leftovers: [] });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain(said);
    expect(step.summary).toMatch(/^## ❌ /);
    expect(step.stdout).not.toMatch(/^\s+at .*:\d+/m);
  });

  it("a pattern that fits nothing", async () => {
    const inputs = { pattern: "papers-*.sql", storage: "kept" };
    const step = await runStep(main, { inputs, runner });
    expect(step.outputs.cause).toContain("No file of the storage is named as papers-*.sql");
  });
});
