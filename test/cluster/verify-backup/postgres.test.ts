import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { bundleOf, failureOf, snapshot, startStep } from "../../runner/index.ts";
import { Papers, SmallDisk } from "../backup-database/database.ts";

jest.setTimeout(120_000);

let papers: Papers;
let id: string;
beforeAll(async () => {
  papers = await Papers.open("17");
  const plain = { format: "plain", compression: "none" };
  id = (await papers.backUp(plain)).outputs.backup ?? "";
});
afterAll(() => papers?.[Symbol.asyncDispose]());

interface Sealed {
  file: string;
  bytes: number;
  sha256: string;
  storedBytes: number;
  storedSha256: string;
}

/** Changes a dump, and makes every checksum around it right again, as an attentive vandal would. */
function vandalize(backup: string, change: (dump: string) => string): void {
  const folder = join(papers.kept, "papers", backup);
  const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
  const part: Sealed = manifest.parts.find(({ file }: Sealed) => file.startsWith("dump."));
  const bytes = Buffer.from(change(readFileSync(join(folder, part.file), "utf8")));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const length = bytes.length;
  Object.assign(part, { bytes: length, storedBytes: length, sha256, storedSha256: sha256 });
  writeFileSync(join(folder, part.file), bytes);
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
}

describe("a backup with its fingerprint", () => {
  it("lists what it did, and asks the application's queries", async () => {
    const queries = JSON.stringify([
      { name: "all papers", sql: "SELECT count(*) FROM papers", expect: { equals: 5_000 } },
      { name: "this year's", sql: "SELECT count(*) FROM papers", expect: { min: 6_000 } },
    ]);
    const step = await papers.verify({ queries, record: "false" });
    expect(step.outputs).toMatchObject({ verdict: "failed", tier: "full" });
    expect(step.outputs.cause).toMatch(/this year's/);
    expect(step.outputs.cause).not.toMatch(/all papers/);
    const report = readFileSync(
      join(papers.runner.workspace, "backup-verification/report.json"),
      "utf8",
    );
    expect(JSON.parse(report).circumstances).toMatchObject({
      server: expect.stringContaining("17"),
    });
  });

  it("says so when amcheck was not wanted", async () => {
    const step = await papers.verify({ amcheck: "false", record: "false" });
    expect(step.outputs.verdict).toBe("passed");
    expect(step.outputs.unknown).toContain("amcheck");
  });

  it("ends with a word where the disk is too small to restore it", async () => {
    using disk = new SmallDisk("48m");
    const step = await papers.verify({ record: "false" }, { TMPDIR: disk.path });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toMatch(/disk|space/i);
    expect(step.stdout).not.toMatch(/^\s+at .*:\d+/m);
    expect(readdirSync(disk.path)).toEqual([]);
  });

  it("leaves no server behind when it is cancelled", async () => {
    using disk = new SmallDisk("600m");
    const inputs = { name: "papers", storage: "kept", tier: "full", server: "local" };
    const { child, finished } = await startStep(bundleOf("verify-backup"), {
      inputs: { ...inputs, "postgres-bin": papers.server.bin },
      runner: papers.runner,
      environment: { TMPDIR: disk.path },
    });
    const { watch } = await import("node:fs");
    await new Promise<void>((begun) => {
      const watching = watch(disk.path, () => {
        watching.close();
        begun();
      });
    });
    child.kill("SIGTERM");
    const step = await finished;
    expect(step.outputs.verdict).toBe("cancelled");
    expect(readdirSync(disk.path)).toEqual([]);
  });
});

describe("a dump of another tool", () => {
  const foreign = { name: "", storage: "dumps" };
  beforeAll(async () => {
    await papers.runner.write("dumps/a.txt", "");
    const file = join(papers.runner.workspace, "dumps/papers-1.dump");
    papers.server.run("pg_dump", ["-Fc", "-f", file, "-d", papers.server.url("papers")]);
  });

  it("is not called proven where nothing is known of it", async () => {
    const step = await papers.verify({ ...foreign, pattern: "papers-*.dump" });
    expect(step.outputs).toMatchObject({ verdict: "passed", tier: "full" });
    expect(step.summary).toMatch(/^## ✅ Backup papers\\-1\.dump can be restored; what should be/);
  });

  it("is held against what is declared", async () => {
    const expectations = "tables: { public.papers: { min-rows: 6000 } }";
    const step = await papers.verify({ ...foreign, pattern: "papers-*.dump", expectations });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toMatch(/public\.papers.*6,?000.*5,?000/);
  });

  it("is held against the live database", async () => {
    const pattern = "papers-*.dump";
    const live = { ...foreign, pattern, "live-source": papers.server.tcpUrl("papers") };
    const same = await papers.verify(live);
    expect(same.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect(same.summary).toMatch(/^## ✅ Backup papers\\-1\.dump is proven/);
    papers.server.query("CREATE TABLE later AS SELECT 1", "papers");
    const step = await papers.verify(live);
    papers.server.query("DROP TABLE later", "papers");
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain("public.later");
  });

  it.each([
    ["a command of psql", "\\! touch /tmp/seaworthy-was-here\n"],
    ["a program of the server's", "COPY (SELECT 1) TO PROGRAM 'touch /tmp/seaworthy-was-here';\n"],
  ])("that would run %s is refused", async (_, line) => {
    const dump = papers.server.run("pg_dump", ["-d", papers.server.url("papers")]);
    const end = dump.lastIndexOf("--\n-- PostgreSQL database dump complete");
    await papers.runner.write(
      "dumps/hostile.sql",
      `${dump.slice(0, end)}${line}${dump.slice(end)}`,
    );
    const step = await papers.verify({ ...foreign, pattern: "hostile.sql" });
    expect(step.outputs.verdict).toBe("failed");
    expect(step.outputs.cause).toContain("hostile.sql");
    expect(readdirSync("/tmp")).not.toContain("seaworthy-was-here");
  });
});

describe("rows that are missing, with checksums that are right", () => {
  it("are named: the table, how many, and the first keys", async () => {
    vandalize(id, (dump) => dump.replace(/^2017\t.*\n2018\t.*\n/m, ""));
    const step = await papers.verify({ tier: "data" });
    expect(step.outputs).toMatchObject({ verdict: "failed", tier: "data" });
    expect(step.outputs.cause).toMatch(
      /public\.papers: 2 rows of 5000 are missing; first in the key range/,
    );
    const { said, kept } = snapshot("verify-backup", failureOf(step), { [id]: "ID" });
    expect(said).toBe(kept);
  });
});
