import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { memberPath } from "../../../shared/tools/member.ts";
import { firstVersion } from "../../../shared/tools/program-version.ts";
import { readTar } from "../../../shared/tools/tar.ts";
import { type Entry, tar } from "../../bundle/setup-tools/archives.ts";

/** The bytes in parts of a size that fits no block. */
async function* parts(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function contents(bytes: Buffer, size = 100): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const member of readTar(parts(bytes, size))) {
    const chunks: Buffer[] = [];
    for await (const chunk of member.content()) chunks.push(chunk);
    found[member.path] = Buffer.concat(chunks).toString();
  }
  return found;
}

describe("a tar archive", () => {
  it("gives back what was put in, in whatever parts it comes", async () => {
    const entry = fc.record({ content: fc.string({ maxLength: 2_000 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(entry, { maxLength: 5 }),
        fc.integer({ min: 1, max: 1_500 }),
        async (entries, size) => {
          const named = entries.map((one, index): Entry => ({ ...one, path: `file-${index}` }));
          const expected = Object.fromEntries(
            named.map(({ path, content = "" }) => [path, Buffer.from(content).toString()]),
          );
          expect(await contents(tar(named), size)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("may leave members unread", async () => {
    const bytes = tar([
      { path: "one", content: "x".repeat(5_000) },
      { path: "two", content: "y" },
    ]);
    const paths: string[] = [];
    for await (const { path } of readTar(parts(bytes, 700))) paths.push(path);
    expect(paths).toEqual(["one", "two"]);
  });

  it("knows long names, GNU's and POSIX's", async () => {
    const long = `a/${"b".repeat(150)}`;
    const record = (text: string) => `${text.length + 4} ${text}\n`;
    const gnu = retyped(
      tar([
        { path: "././@LongLink", content: `${long}\0` },
        { path: "cut", content: "1" },
      ]),
      "L",
    );
    const posix = retyped(
      tar([
        { path: "pax", content: record(`path=${long}c`) },
        { path: "cut", content: "2" },
      ]),
      "x",
    );
    expect(await contents(gnu)).toEqual({ [long]: "1" });
    expect(await contents(posix)).toEqual({ [`${long}c`]: "2" });
  });

  it.each([
    ["cut within a header", (bytes: Buffer) => bytes.subarray(0, 300)],
    ["cut within a file", (bytes: Buffer) => bytes.subarray(0, 700)],
    [
      "with a broken header",
      (bytes: Buffer) => Buffer.concat([Buffer.from("x"), bytes.subarray(1)]),
    ],
    ["that is something else", () => Buffer.from("<html>".repeat(200))],
  ])("%s is refused", async (_, breakIt) => {
    const bytes = breakIt(tar([{ path: "file", content: "x".repeat(900) }]));
    await expect(contents(bytes)).rejects.toThrow(/cut short|no tar archive/);
  });
});

/** The archive with the type of its first entry changed. */
function retyped(bytes: Buffer, type: string): Buffer {
  const copy = Buffer.from(bytes);
  const before = copy[156] ?? 0;
  copy.write(type, 156);
  const sum = Number.parseInt(copy.subarray(148, 154).toString(), 8) + type.charCodeAt(0) - before;
  copy.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return copy;
}

describe("the path of a member", () => {
  it.each([
    ["a/b", "a/b"],
    ["./a//b/", "a/b"],
    ["./", ""],
    ["a/.hidden", "a/.hidden"],
    ["a..b/c", "a..b/c"],
  ])("%j is %j", (raw, path) => {
    expect(memberPath(raw)).toBe(path);
  });

  it.each(["../a", "a/../../b", "a/..", "/a", "\\a", "a\\b", "C:/a", "a\0b", ".."])(
    "%j is refused",
    (raw) => {
      expect(() => memberPath(raw)).toThrow(/leads out/);
    },
  );
});

describe("the version that a program prints", () => {
  it.each([
    ["Client Version: v1.34.4\nKustomize Version: v5.7.1", "1.34.4"],
    ["v4.3.1+g0b1e2d3", "4.3.1"],
    ["github.com/docker/buildx v0.37.2 a1b2c3d4", "0.37.2"],
    ["pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"],
    ["Version: 0.74.0\nVulnerability DB:\n  Version: 2", "0.74.0"],
    ["GitVersion:    v3.1.3\nGitCommit: abc", "3.1.3"],
    ["{Version:kustomize/v4.5.7 GitCommit:5}", "4.5.7"],
    ["v1.33.1-gke.100", "1.33.1-gke.100"],
    ["no version here, only 7", undefined],
  ])("%j", (text, version) => {
    expect(firstVersion(text)?.text).toBe(version);
  });
});
