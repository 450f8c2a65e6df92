import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleOf, Runner, runStep } from "../../runner/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";

export const PASSWORD = "korrekt-Pferd-17";

const PAPERS = `
  CREATE EXTENSION pgcrypto;
  CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE papers (id bigserial PRIMARY KEY, author int REFERENCES authors, title text, body bytea);
  CREATE INDEX ON papers (title);
  INSERT INTO authors SELECT i, 'author ' || i FROM generate_series(1, 100) i;
  INSERT INTO papers (author, title, body)
    SELECT 1 + i % 100, 'title ' || i, sha256(i::text::bytea) FROM generate_series(1, 5000) i;
  CREATE VIEW recent AS SELECT * FROM papers ORDER BY id DESC LIMIT 10;
  SELECT lo_from_bytea(424242, 'a large one');
`;

/** A database with a runner that backs it up and verifies that. */
export class Papers implements AsyncDisposable {
  readonly server: PostgresServer;
  readonly runner: Runner;

  private constructor(server: PostgresServer, runner: Runner) {
    this.server = server;
    this.runner = runner;
  }

  static async open(major: string, sql = PAPERS): Promise<Papers> {
    const { postgres } = await resolveEndpoints([`postgres-${major}`]);
    const bin = postgres?.[major];
    if (bin === undefined) throw new Error(`the test bed has no PostgreSQL ${major}`);
    const server = await PostgresServer.start(bin, { tcp: true, password: PASSWORD });
    server.query("CREATE DATABASE papers");
    server.query(sql, "papers");
    return new Papers(server, await Runner.create());
  }

  get kept(): string {
    return join(this.runner.workspace, "kept");
  }

  /** Files of the storage, by their names without folders. */
  files(): string[] {
    mkdirSync(this.kept, { recursive: true });
    return readdirSync(this.kept, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  }

  inputs(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const { tcpUrl, bin } = { tcpUrl: this.server.tcpUrl("papers"), bin: this.server.bin };
    return { name: "papers", source: tcpUrl, storage: "kept", "postgres-bin": bin, ...more };
  }

  backUp(more: Readonly<Record<string, string>> = {}, runner = this.runner) {
    return runStep(bundleOf("backup-database"), { inputs: this.inputs(more), runner });
  }

  verify(more: Readonly<Record<string, string>> = {}, environment = {}) {
    const inputs = { name: "papers", storage: "kept", tier: "full", ...more };
    const own = { "postgres-bin": this.server.bin, server: "local" };
    const setting = { inputs: { ...own, ...inputs }, runner: this.runner, environment };
    return runStep(bundleOf("verify-backup"), setting);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.runner[Symbol.asyncDispose]();
  }
}

/** A file system that is soon full. */
export class SmallDisk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "seaworthy-small-"));

  constructor(size: string) {
    const args = ["-t", "tmpfs", "-o", `size=${size},mode=1777`, "tmpfs", this.path];
    const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
  }

  [Symbol.dispose](): void {
    spawnSync("umount", ["-l", this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
