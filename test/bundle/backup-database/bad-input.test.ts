import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";

/** What backup-database says before it has read or written anything. */

const main = bundleOf("backup-database");
let runner: Runner;
beforeAll(async () => {
  runner = await Runner.create({ "data/a.txt": "hello", "a-file": "" });
});
afterAll(() => runner[Symbol.asyncDispose]());

const RIGHT = { name: "files", source: "data", storage: "kept" };
type Inputs = Readonly<Record<string, string>>;

/** Inputs beside the right ones, and what is said of them. */
const refused: readonly (readonly [string, Inputs, string])[] = [
  ["a name that is none", { name: "../x" }, "name"],
  ["an unknown kind", { kind: "mysql" }, "kind"],
  ["an unknown format", { format: "tar" }, "format"],
  ["no reader", { jobs: "0" }, "jobs"],
  ["a time that is none", { timeout: "soon" }, "timeout"],
  ["a lag that is none", { "replica-lag": "much" }, "replica-lag"],
  ["a flag that is none", { globals: "perhaps" }, "globals"],
  ["a signing key that is none", { "signing-key": "abc" }, "signing-key"],
  ["an endpoint without http", { "storage-endpoint": "minio:9000" }, "storage-endpoint"],
  ["a role that is no ARN", { "storage-role": "backups" }, "storage-role"],
  ["certificates that are none", { "source-ca": "ca.pem" }, "source-ca"],
  ["an unknown compression", { compression: "lz4" }, "compression"],
  ["an unknown mode of keeping", { "keep-mode": "perhaps" }, "keep-mode"],
  ["settings of a repository without a type", { "repository-settings": "settings: {}" }, "type"],
  ["kind against source", { kind: "postgres", source: "redis://h" }, "kind is postgres"],
  ["an address of many services", { source: "https://h:9200" }, "OpenSearch, Elasticsearch"],
  ["an address of nothing", { source: "foo://h" }, "foo://"],
  ["no source at all", { source: "" }, "None of source, service and pod"],
  ["two ways to encrypt", { "encrypt-to": "age1x", passphrase: "x" }, "Both encrypt-to"],
  ["a key and no encryption", { encryption: "none", passphrase: "x" }, "encryption is none"],
  ["OpenSSL without a passphrase", { encryption: "openssl" }, "encrypted by a passphrase"],
  ["age to nobody", { encryption: "age" }, "nobody to encrypt to"],
  ["a recipient that is none", { "encrypt-to": "age1xyz" }, "age1xyz"],
  ["a lock without an end", { "lock-mode": "governance" }, "lock-days is not given"],
  ["an end without a lock", { "lock-days": "3" }, "lock-mode is none"],
  ["a lock on a folder", { "lock-mode": "governance", "lock-days": "3" }, "only a bucket"],
  ["a storage class of a folder", { "storage-class": "STANDARD_IA" }, "only a bucket"],
  ["a rule that is none", { keep: "nonsense" }, "nonsense"],
  ["rules that keep nothing", { keep: "last=0" }, "last=0"],
  ["a rule said twice", { keep: "last=1 last=2" }, "last=2"],
  ["a storage that is a file", { storage: "a-file" }, "a-file"],
  ["a storage below a file", { storage: "a-file/x" }, "a-file"],
  ["the source itself as storage", { storage: "data" }, "is the folder to back up"],
  ["a storage inside of the source", { storage: "data/kept" }, "inside of the folder"],
  ["a source that is not there", { source: "nowhere" }, "nowhere is not there"],
  ["a source that is a file", { source: "a-file" }, "a-file is no folder"],
];

describe("backup-database refuses, with nothing written,", () => {
  it.each(refused)("%s", async (_, inputs, said) => {
    const step = await runStep(main, { inputs: { ...RIGHT, ...inputs }, runner });
    expect(step).toMatchObject({ exitCode: 1, stderr: "", leftovers: [] });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain(said);
    expect(step.outputs.backup).toBe("");
    expect(step.summary).toMatch(/^## ❌ /);
    expect(step.stdout).not.toMatch(/^\s+at .*:\d+/m);
    expect(filesBelow(runner.workspace)).toEqual(["a-file", "data/a.txt"]);
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
