import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { writePath } from "../../../shared/action/path-file.ts";

const folder = mkdtempSync(join(tmpdir(), "path-"));
const before = { file: process.env.GITHUB_PATH, path: process.env.PATH };

describe("the file of folders for the PATH", () => {
  afterEach(() => {
    if (before.file === undefined) delete process.env.GITHUB_PATH;
    else process.env.GITHUB_PATH = before.file;
    process.env.PATH = before.path;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("has the folder that is to be searched first last, as the runner wants it", () => {
    const file = join(folder, "path");
    process.env.GITHUB_PATH = file;
    writePath(["/tools/helm", "/tools/kubectl"]);
    expect(readFileSync(file, "utf8").trim().split("\n")).toEqual([
      "/tools/kubectl",
      "/tools/helm",
    ]);
  });

  it("throws where the file cannot be written", () => {
    process.env.GITHUB_PATH = join(folder, "missing", "file");
    expect(() => writePath(["/tools/helm"])).toThrow(/ENOENT/);
  });

  it("does nothing without a runner", () => {
    delete process.env.GITHUB_PATH;
    expect(() => writePath(["/tools/helm"])).not.toThrow();
  });
});
