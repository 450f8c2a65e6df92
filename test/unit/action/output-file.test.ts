import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { writeOutputs } from "../../../shared/action/output-file.ts";
import { hostileText } from "./hostile-text.ts";
import { outputsIn } from "./runner-rules.ts";

const folder = mkdtempSync(join(tmpdir(), "outputs-"));
const before = process.env.GITHUB_OUTPUT;
let number = 0;

function written(outputs: ReadonlyMap<string, string>): string {
  number += 1;
  const file = join(folder, `${number}`);
  process.env.GITHUB_OUTPUT = file;
  writeOutputs(outputs);
  return readFileSync(file, "utf8");
}

describe("the file of outputs", () => {
  afterEach(() => {
    if (before === undefined) delete process.env.GITHUB_OUTPUT;
    else process.env.GITHUB_OUTPUT = before;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("gives back exactly what was written, whatever the values", () => {
    const values = fc.dictionary(
      fc.constantFrom("verdict", "cause", "digest", "report"),
      hostileText,
    );
    fc.assert(
      fc.property(values, (outputs) => {
        const expected = Object.entries(outputs).map(([name, value]) => [
          name,
          value.toWellFormed(),
        ]);
        expect([...outputsIn(written(new Map(Object.entries(outputs))))]).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("uses a mark that nobody can know beforehand", () => {
    const mark = (file: string) => file.split("\n")[0];
    const outputs = new Map([["verdict", "passed"]]);
    expect(mark(written(outputs))).not.toBe(mark(written(outputs)));
  });

  it("throws where the file cannot be written", () => {
    process.env.GITHUB_OUTPUT = join(folder, "missing", "file");
    expect(() => writeOutputs(new Map([["verdict", "passed"]]))).toThrow(/ENOENT/);
  });

  it.each([undefined, ""])("does nothing without a runner (%j)", (file) => {
    if (file === undefined) delete process.env.GITHUB_OUTPUT;
    else process.env.GITHUB_OUTPUT = file;
    expect(() => writeOutputs(new Map([["verdict", "passed"]]))).not.toThrow();
  });
});
