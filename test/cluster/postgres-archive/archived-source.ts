import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dumpAt } from "../../../shared/dump-format/index.ts";
import {
  type BaseBackup,
  type BaseExamination,
  type BaseSettings,
  examineBaseBackup,
  parseTarget,
  type WalFile,
} from "../../../shared/postgres-archive/index.ts";
import type { Tier } from "../../../shared/proof/index.ts";
import type { World } from "../../../shared/world/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { worldOf } from "../postgres-restore/proving-ground.ts";

const NOBODY = 65_534;

interface Examined extends Partial<Omit<BaseSettings, "target">> {
  readonly base?: string;
  readonly wal?: string | undefined;
  readonly to?: string;
  readonly tier?: Tier;
  readonly known?: Partial<BaseBackup>;
  readonly world?: World;
}

/** A server that archives its WAL, with base backups of it, and a moment within the WAL. */
export class ArchivedSource implements AsyncDisposable {
  readonly folder: string;
  readonly server: PostgresServer;
  /** Between the commits of 2 and of 3. */
  moment = "";

  private constructor(folder: string, server: PostgresServer) {
    this.folder = folder;
    this.server = server;
  }

  static async open(major: string, initdb: readonly string[] = []): Promise<ArchivedSource> {
    const { postgres } = await resolveEndpoints([`postgres-${major}`]);
    const bin = postgres?.[major];
    if (bin === undefined) throw new Error(`the test bed has no PostgreSQL ${major}`);
    const folder = mkdtempSync(join(tmpdir(), "seaworthy-archive-"));
    chmodSync(folder, 0o755);
    for (const name of ["wal", "tablespace", "private"]) {
      mkdirSync(join(folder, name));
      if (process.getuid?.() === 0) chownSync(join(folder, name), NOBODY, NOBODY);
    }
    const settings = {
      archive_mode: "on",
      archive_command: `'cp %p ${folder}/wal/%f'`,
      wal_level: "replica",
    };
    const server = await PostgresServer.start(bin, {
      settings,
      initdb: ["--data-checksums", ...initdb],
    });
    const source = new ArchivedSource(folder, server);
    await source.#fill();
    return source;
  }

  async #fill(): Promise<void> {
    const { server, folder } = this;
    server.query("CREATE DATABASE shop");
    server.query(`CREATE TABLESPACE beside LOCATION '${folder}/tablespace'`);
    server.query(
      `CREATE TABLE steps (id int PRIMARY KEY, words text);
       INSERT INTO steps SELECT -i, repeat('word ', i % 30) FROM generate_series(1, 5000) i;
       CREATE TABLE elsewhere (id int) TABLESPACE beside; INSERT INTO elsewhere VALUES (1)`,
      "shop",
    );
    this.#backUp("tar", ["-Ft", "-z", "-X", "none"]);
    this.#backUp("streamed", ["-Ft", "-X", "stream", "--manifest-checksums=SHA256"]);
    this.#step(1);
    server.query("SELECT pg_switch_wal()");
    this.#step(2);
    this.moment = server
      .query(
        `SELECT pg_sleep(0.02); SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'); SELECT pg_sleep(0.02)`,
      )
      .trim();
    this.#step(3);
    server.query("SELECT pg_switch_wal()");
    this.#step(4);
    server.query("SELECT pg_switch_wal()");
    await server.stop();
  }

  #step(id: number): void {
    this.server.query(`INSERT INTO steps VALUES (${id}, 'step')`, "shop");
  }

  #backUp(name: string, args: readonly string[]): void {
    const where = ["-d", this.server.url(), "-D", this.path(name), "-l", name];
    this.server.run("pg_basebackup", [...where, "--checkpoint=fast", "--no-sync", ...args]);
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** A copy of a base backup or of the archive, to damage. */
  copy(from: string, to: string): string {
    cpSync(this.path(from), this.path(to), { recursive: true });
    return this.path(to);
  }

  /** Names of the archive's segments, oldest first. */
  get segments(): string[] {
    return readdirSync(this.path("wal"))
      .filter((name) => /^[0-9A-F]{24}$/.test(name))
      .sort();
  }

  async examine(how: Examined = {}): Promise<BaseExamination> {
    const {
      base = "tar",
      wal = "wal",
      to = "latest",
      tier = "integrity",
      known,
      world = worldOf(),
      ...settings
    } = how;
    const within = this.path("private");
    const archived = wal === "none" ? undefined : filesIn(this.path(wal));
    return await examineBaseBackup(
      { base: await dumpAt(this.path(base)), archived, ...known },
      {
        target: parseTarget(to),
        timeline: "latest",
        within,
        bin: this.server.bin,
        memory: 2 ** 30,
        ...settings,
      },
      tier,
      world,
    );
  }

  /** What pg_waldump prints of the archive's records from a segment on. */
  waldump(first: string, last: string): string {
    return execFileSync(
      join(this.server.bin, "pg_waldump"),
      ["-p", this.path("wal"), first, last],
      { encoding: "utf8", maxBuffer: 64 * 2 ** 20 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function filesIn(folder: string): WalFile[] {
  return readdirSync(folder).map((name) => {
    const path = join(folder, name);
    const { size, mtimeMs } = statSync(path);
    return {
      name: `wal/${name}`,
      bytes: size,
      modified: mtimeMs,
      open: async () => createReadStream(path),
    };
  });
}
