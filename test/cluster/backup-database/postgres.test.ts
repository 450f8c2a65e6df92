import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { watch } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { bundleOf, failureOf, Runner, type Step, snapshot, startStep } from "../../runner/index.ts";
import { PASSWORD, Papers, SmallDisk } from "./database.ts";

jest.setTimeout(120_000);

let papers: Papers;
beforeAll(async () => {
  papers = await Papers.open("17");
});
afterAll(() => papers?.[Symbol.asyncDispose]());

function expectRefused(step: Step, said: RegExp): void {
  expect(step).toMatchObject({ exitCode: 1, stderr: "", leftovers: [] });
  expect(step.outputs).toMatchObject({ verdict: "failed", backup: "" });
  expect(failureOf(step)).toMatch(said);
  expect(step.stdout).not.toMatch(/^\s+at .*:\d+/m);
  const log = step.lines.filter((line) => !line.startsWith("::add-mask::")).join("\n");
  expect(`${log}${step.summary}${JSON.stringify(step.outputs)}`).not.toContain(PASSWORD);
}

describe("a database is backed up and proven", () => {
  const passphrase = "eine lange Losung";
  const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });

  it("custom, zstd, age, signed", async () => {
    const identity = await generateIdentity();
    const sealed = { "encrypt-to": await identityToRecipient(identity), name: "sealed" };
    const made = await papers.backUp({ ...sealed, "signing-key": privateKey });
    expect(made.outputs).toMatchObject({ verdict: "passed", cause: "", kind: "postgres" });
    expect(JSON.parse(made.outputs.measures ?? "")).toMatchObject({ tables: 2, rows: 5_100 });
    const keys = { identity, "verification-key": publicKey };
    const step = await papers.verify({ ...keys, name: "sealed" });
    expect(step.outputs).toMatchObject({ verdict: "passed", tier: "full", cause: "" });
    expect(step.summary).toMatch(/^## ✅ Backup sealed is proven/);
  });

  it.each([
    ["directory", "gzip", { encryption: "openssl", passphrase }, "data"],
    ["plain", "none", {}, "full"],
  ])("%s, %s", async (format, compression, sealing, tier) => {
    const made = await papers.backUp({ name: format, format, compression, ...sealing });
    expect(made.outputs).toMatchObject({ verdict: "passed", cause: "" });
    const keys = "passphrase" in sealing ? { passphrase } : {};
    const step = await papers.verify({ name: format, tier, ...keys });
    expect(step.outputs).toMatchObject({ verdict: "passed", tier, cause: "" });
  });

  it.each(["14", "18"])("of PostgreSQL %s", async (major) => {
    await using other = await Papers.open(major);
    expect((await other.backUp()).outputs.verdict).toBe("passed");
    const step = await other.verify();
    expect(step.outputs).toMatchObject({ verdict: "passed", tier: "full", cause: "" });
  });
});

describe("what cannot be backed up is refused", () => {
  it.each([
    ["a wrong password", "postgres", "papers", "wrong", /password authentication failed/],
    ["a database that is not there", "postgres", "absent", PASSWORD, /"absent" does not exist/],
  ])("%s", async (_, user, database, password, said) => {
    const source = papers.server.tcpUrl(database, user, password);
    expectRefused(await papers.backUp({ name: "refused", source }), said);
  });

  it("a host that is not there", async () => {
    const source = `postgresql://boss:${PASSWORD}@db.invalid/papers`;
    expectRefused(await papers.backUp({ name: "refused", source }), /db\.invalid/);
  });

  it("a role that may not read everything, with the GRANT", async () => {
    papers.server.query(`CREATE ROLE backup LOGIN PASSWORD '${PASSWORD}'`);
    const source = papers.server.tcpUrl("papers", "backup");
    const step = await papers.backUp({ name: "refused", source });
    expectRefused(step, /GRANT (pg_read_all_data|SELECT)/);
    const { said, kept } = snapshot("backup-database", failureOf(step));
    expect(said).toBe(kept);
  });

  it("rows that row-level security hides", async () => {
    papers.server.query("GRANT pg_read_all_data TO backup");
    const rule = "ALTER TABLE authors ENABLE ROW LEVEL SECURITY";
    papers.server.query(rule, "papers");
    const source = papers.server.tcpUrl("papers", "backup");
    const step = await papers.backUp({ name: "refused", source });
    expectRefused(step, /BYPASSRLS/);
    papers.server.query(rule.replace("ENABLE", "DISABLE"), "papers");
    const { said, kept } = snapshot("backup-database-row-security", failureOf(step));
    expect(said).toBe(kept);
  });

  it("a lock that somebody holds, who is named", async () => {
    const held = papers.server.url("papers");
    const psql = spawn(`${papers.server.bin}/psql`, ["-X", "-q", "-A", "-t", "-d", held], {
      env: { ...process.env, PGAPPNAME: "migration" },
    });
    const locked = new Promise<void>((resolve) =>
      psql.stdout.on("data", (text) => String(text).includes("locked") && resolve()),
    );
    psql.stdin.write("BEGIN; LOCK TABLE papers; SELECT 'locked';\n");
    await locked;
    const step = await papers.backUp({ name: "refused", "lock-timeout": "2s" });
    psql.stdin.end();
    expectRefused(step, /process \d+ of postgres \(migration\)/);
  });

  it("leaves nothing", () => {
    expect(papers.files().filter((name) => name.includes("refused"))).toEqual([]);
  });
});

describe("what breaks midway leaves no backup", () => {
  const LARGE = `CREATE TABLE large AS
    SELECT i, sha256(i::text::bytea) a, sha256((-i)::text::bytea) b FROM generate_series(1, 300000) i`;

  it("a server that dies, a disk that is full", async () => {
    await using large = await Papers.open("17", LARGE);
    using disk = new SmallDisk("4m");
    const full = await large.backUp({ storage: disk.path, compression: "none" });
    expectRefused(full, /no space left|full/i);

    large.files();
    const begun = new Promise<void>((resolve) => {
      const watching = watch(large.kept, { recursive: true }, () => {
        if (large.files().length === 0) return;
        watching.close();
        resolve();
      });
    });
    const inputs = large.inputs({ compression: "gzip" });
    const { finished } = await startStep(bundleOf("backup-database"), {
      inputs,
      runner: large.runner,
    });
    await begun;
    await large.server.stop("SIGQUIT");
    expectRefused(await finished, /terminat|connection|server/i);
    expect(large.files()).toEqual([]);

    await large.server.start();
    expect((await large.backUp()).outputs.verdict).toBe("passed");
  });
});

describe("a series", () => {
  it("may be written by two at once, and keeps the last that was proven", async () => {
    const series = { name: "series" };
    await using other = await Runner.create();
    const storage = papers.kept;
    const both = await Promise.all([
      papers.backUp({ ...series, storage }),
      papers.backUp({ ...series, storage }, other),
    ]);
    expect(both.map(({ outputs }) => outputs.verdict)).toEqual(["passed", "passed"]);
    const proven = await papers.verify({ ...series, tier: "data" });
    expect(proven.outputs.verdict).toBe("passed");
    const [newer] = [await papers.backUp({ ...series, keep: "last=1" })];
    expect(newer.outputs.verdict).toBe("passed");
    const deleted: string[] = JSON.parse(newer.outputs.deleted ?? "[]");
    const ids = both.map(({ outputs }) => outputs.backup ?? "");
    expect(deleted).toEqual(ids.filter((id) => id !== proven.outputs.backup));
    const again = await papers.verify({ ...series, backup: proven.outputs.backup ?? "" });
    expect(again.outputs.verdict).toBe("passed");
  });
});
