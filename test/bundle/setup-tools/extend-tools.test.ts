import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, jest } from "@jest/globals";
import { root } from "../../../scripts/action-manifest.ts";
import { statedFor } from "../../../scripts/extend-tools.ts";
import { Mirror, sha256 } from "./mirror.ts";

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), "table-"));
cpSync(join(root, "shared/tools/table"), folder, { recursive: true });
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the script on a copy of the table, against a server that stands for the publisher. */
async function extend(tool: string, version: string, files: Readonly<Record<string, Buffer>>) {
  await using mirror = await Mirror.serve(files);
  const script = join(root, "scripts/extend-tools.ts");
  const options = ["--mirror", mirror.url, "--table", folder];
  const child = spawn(process.execPath, [script, tool, version, ...options], {
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  let said = "";
  child.stdout.on("data", (chunk) => (said = `${said}${chunk}`));
  child.stderr.on("data", (chunk) => (said = `${said}${chunk}`));
  const [code] = await once(child, "close");
  const table = JSON.parse(readFileSync(join(folder, `${tool}.json`), "utf8"));
  return { code, said, versions: table.versions };
}

const amd64 = Buffer.from("a program for amd64");
const arm64 = Buffer.from("a program for arm64");

describe("npm run extend-tools", () => {
  it("adds a row of what the publisher states and the files are, in its place", async () => {
    const path = "release/v1.36.9/bin/linux";
    const { code, versions } = await extend("kubectl", "1.36.9", {
      [`${path}/amd64/kubectl`]: amd64,
      [`${path}/amd64/kubectl.sha256`]: Buffer.from(sha256(amd64)),
      [`${path}/arm64/kubectl`]: arm64,
      [`${path}/arm64/kubectl.sha256`]: Buffer.from(`${sha256(arm64)}\n`),
    });
    expect(code).toBe(0);
    expect(versions["1.36.9"]).toEqual({
      sha256: { "linux-amd64": sha256(amd64), "linux-arm64": sha256(arm64) },
      agreeing: ["the publisher's list of checksums"],
      downloaded: true,
    });
    const names = Object.keys(versions);
    expect(names.indexOf("1.36.9")).toBe(names.indexOf("1.37.1") - 1);
  });

  it("reads lists of many files", async () => {
    const github = "kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.9.9";
    const list = `${sha256(arm64)}  kustomize_v5.9.9_linux_arm64.tar.gz
${sha256(amd64)}  kustomize_v5.9.9_linux_amd64.tar.gz
${"0".repeat(64)}  kustomize_v5.9.9_darwin_arm64.tar.gz
`;
    const { code, versions } = await extend("kustomize", "5.9.9", {
      [`${github}/checksums.txt`]: Buffer.from(list),
      [`${github}/kustomize_v5.9.9_linux_amd64.tar.gz`]: amd64,
      [`${github}/kustomize_v5.9.9_linux_arm64.tar.gz`]: arm64,
    });
    expect(code).toBe(0);
    expect(versions["5.9.9"].sha256["linux-arm64"]).toBe(sha256(arm64));
  });

  it.each([
    ["a file that is not what is stated", "1.36.8", amd64, sha256(arm64), /its publisher states/],
    ["a page in the list's place", "1.36.7", amd64, "<html>", /states no SHA-256 checksum/],
    ["a version that is there already", "1.37.1", amd64, "", /is in the table already/],
    ["a version that nobody has", "1.36.6", undefined, "", /answered with status 404/],
  ])("writes nothing for %s", async (_, version, file, stated, why) => {
    const path = `release/v${version}/bin/linux/amd64/kubectl`;
    const before = readFileSync(join(folder, "kubectl.json"), "utf8");
    const files =
      file === undefined ? {} : { [path]: file, [`${path}.sha256`]: Buffer.from(stated) };
    const { code, said } = await extend("kubectl", version, files);
    expect(code).toBe(1);
    expect(said).toMatch(why);
    expect(readFileSync(join(folder, "kubectl.json"), "utf8")).toBe(before);
  });

  it("refuses versions that are known to be malicious", async () => {
    const { code, said } = await extend("trivy", "0.69.4", {});
    expect(code).toBe(1);
    expect(said).toContain("is refused: its release was made by an attacker");
  });
});

describe("the checksum that a list states", () => {
  const hex = "a".repeat(64);
  it.each([
    [`${hex}`, hex],
    [`${hex}\n`, hex],
    [`${hex}  file`, hex],
    [`${hex} *file\n${"b".repeat(64)} *other`, hex],
    [`${hex.toUpperCase()}  ./dist/file`, hex],
    [`${hex}  other`, undefined],
    ["", undefined],
    ["abc  file", undefined],
  ])("%j", (list, stated) => {
    expect(statedFor(list, "file")).toBe(stated);
  });
});
