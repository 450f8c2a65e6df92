import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dumpAt } from "../../../shared/dump-format/index.ts";
import { localPlace } from "../../../shared/place/index.ts";
import { openSession } from "../../../shared/postgres/index.ts";
import {
  type PostgresFingerprint,
  takeFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import {
  examinePostgres,
  type PostgresBackup,
  type ThrowAwaySettings,
} from "../../../shared/postgres-restore/index.ts";
import type { Examination, Tier } from "../../../shared/proof/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import { silentLog, systemClock, type World } from "../../../shared/world/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";

export function worldOf(signal: AbortSignal = new AbortController().signal): World {
  return {
    clock: systemClock,
    log: silentLog,
    secrets: new Secrets(),
    signal,
    aftermath: signal,
    environment: process.env,
  };
}

interface Examined {
  readonly tier?: Tier;
  readonly fingerprint?: PostgresFingerprint | undefined;
  readonly server?: Partial<ThrowAwaySettings>;
  readonly expectations?: PostgresBackup["expectations"];
  readonly queries?: PostgresBackup["queries"];
  readonly live?: boolean;
}

/** A source with dumps of it, and throw-away servers of its major. */
export class ProvingGround implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "seaworthy-restore-"));
  readonly source: PostgresServer;

  private constructor(source: PostgresServer) {
    this.source = source;
  }

  static async open(major: string): Promise<ProvingGround> {
    const { postgres } = await resolveEndpoints([`postgres-${major}`]);
    const bin = postgres?.[major];
    if (bin === undefined) throw new Error(`the test bed has no PostgreSQL ${major}`);
    return new ProvingGround(await PostgresServer.start(bin));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a plain dump of one's own making. */
  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  dump(name: string, ...args: string[]): string {
    const path = this.path(name);
    this.source.run("pg_dump", [...args, "-f", path, "-d", this.source.url("papers")]);
    return path;
  }

  async fingerprint(): Promise<PostgresFingerprint> {
    const open = () =>
      openSession(localPlace(new Secrets()), this.connection, {
        signal: new AbortController().signal,
        psql: join(this.source.bin, "psql"),
        first: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
      });
    const signal = new AbortController().signal;
    return takeFingerprint({ open }, { parallel: 1, signal });
  }

  get connection() {
    return { subject: "papers", conninfo: this.source.url("papers"), environment: {} };
  }

  async examine(path: string, how: Examined = {}, world = worldOf()): Promise<Examination> {
    const { tier = "data", fingerprint, server = {}, expectations, queries, live } = how;
    const place = localPlace(world.secrets);
    const psql = join(this.source.bin, "psql");
    const liveSource = live === true ? { place, connection: this.connection, psql } : undefined;
    return examinePostgres(
      { dump: await dumpAt(path), fingerprint, liveSource, expectations, queries },
      { server: { server: "local", bin: this.source.bin, ...server } },
      tier,
      world,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await this.source[Symbol.asyncDispose]();
  }
}

/** `detector weight subject` of all that is more than a note. */
export function alarmsOf({ findings }: Examination): string[] {
  return findings
    .filter(({ weight }) => weight !== "note")
    .map(({ detector, weight, subject }) => `${detector} ${weight} ${subject}`);
}
