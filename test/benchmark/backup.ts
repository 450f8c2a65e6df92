import { execFile } from "node:child_process";
import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Runner } from "../runner/index.ts";
import { PostgresServer } from "../servers/postgres.ts";
import { up } from "../testbed/index.ts";
import { runWithPeak } from "./peak.ts";
import { type Bench, median, type Result } from "./results.ts";

const run = promisify(execFile);

/** One whose pg_dump can also compress with zstd, as the action does. */
const MAJOR = "17";
const MOST_RATIO = 1.25;
const MOST_MEMORY_MB = 150;
/** Of each size, one round of both after another; the greater one takes its time. */
const SIZES = [
  { name: "1gb", gigabytes: 1, rounds: 3 },
  { name: "4gb", gigabytes: 4, rounds: 2 },
] as const;
/** A fraction to try the bench by: figures of it say little. */
const SCALE = Number(process.env.SEAWORTHY_BENCH_SCALE ?? "1");
/** What one row of the table below takes, with its share of the page. */
const BYTES_PER_ROW = 390;

/**
 * `pg_dump --format=custom` as it is commonly called, against backup-database, which also reads
 * every row for the fingerprint, and stores, sums and reads back what was written. pg_dump with
 * zstd, which few call it with, is told for comparison. All write to a folder.
 */
export const backup: Bench = async (log) => {
  const { postgres } = await up(["postgres"], { log });
  const bin = postgres?.[MAJOR];
  if (bin === undefined) throw new Error(`the test bed has no PostgreSQL ${MAJOR}`);
  const results: Result[] = [];
  const peaks: number[] = [];
  for (const size of SIZES) {
    await using server = await PostgresServer.start(bin, {
      settings: { shared_buffers: "256MB", max_wal_size: "1GB", autovacuum: "off" },
    });
    fill(server, size.gigabytes * SCALE);
    const bytes = Number(server.query("SELECT pg_database_size('shop')"));
    log(`${size.name}: a database of ${(bytes / 1e9).toFixed(2)} GB`);
    const [alone, zstd, ours]: [number[], number[], number[]] = [[], [], []];
    // The first reading brings the tables into memory.
    await pgDump(server);
    for (let round = 0; round < size.rounds; round += 1) {
      const turns = [
        async () => void alone.push(await pgDump(server)),
        async () => void zstd.push(await pgDump(server, ["--compress=zstd"])),
        async () => {
          const { seconds, peakMb } = await backUp(server);
          ours.push(seconds);
          peaks.push(peakMb);
        },
      ];
      // None is always the first one.
      if (round % 2 === 1) turns.reverse();
      for (const turn of turns) await turn();
      log(
        `${size.name}, round ${round + 1}: pg_dump ${told(alone)} s, with zstd ${told(zstd)} s, backup-database ${told(ours)} s`,
      );
    }
    results.push(
      figure(`ratio-${size.name}`, median(ours) / median(alone), "", MOST_RATIO),
      figure(`${size.name}.ratio-to-zstd`, median(ours) / median(zstd), ""),
      figure(`${size.name}.pg_dump-seconds`, median(alone), "s"),
      figure(`${size.name}.backup-seconds`, median(ours), "s"),
    );
  }
  return [...results, figure("memory-mb", Math.max(...peaks), "MB", MOST_MEMORY_MB)];
};

function figure(name: string, value: number, unit: string, target?: number): Result {
  return { name, value, unit, target };
}

function told(values: readonly number[]): string {
  return (values.at(-1) ?? Number.NaN).toFixed(2);
}

/** Rows as applications have them: keys, times, amounts, words that repeat, and JSON. */
function fill(server: PostgresServer, gigabytes: number): void {
  const rows = Math.round((gigabytes * 1e9) / BYTES_PER_ROW);
  server.query("CREATE DATABASE shop");
  for (const table of ["orders", "events"]) {
    const half = Math.round(rows / 2);
    server.query(
      `CREATE TABLE ${table} (id bigint, at timestamptz, amount numeric(12,2), who text, note text, detail jsonb);
       INSERT INTO ${table} SELECT i, timestamptz '2026-01-01' + i * interval '1 second', (i % 100000) * 1.07,
         md5(i::text), repeat('the quick brown fox ' || i % 997 || ' ', 4),
         jsonb_build_object('key', md5((i * 7)::text), 'state', (ARRAY['new','paid','sent'])[1 + i % 3], 'n', i)
       FROM generate_series(1, ${half}) i;
       ALTER TABLE ${table} ADD PRIMARY KEY (id);
       VACUUM ANALYZE ${table};`,
      "shop",
    );
  }
  server.query("CHECKPOINT");
}

/** Seconds. */
async function pgDump(server: PostgresServer, more: readonly string[] = []): Promise<number> {
  const file = join(server.folder, "alone.dump");
  const began = performance.now();
  const args = ["--format=custom", ...more, `--file=${file}`, "-d", server.url("shop")];
  await run(join(server.bin, "pg_dump"), args);
  const seconds = (performance.now() - began) / 1_000;
  if ((await stat(file)).size === 0) throw new Error("pg_dump wrote nothing");
  await rm(file);
  return seconds;
}

async function backUp(
  server: PostgresServer,
): Promise<{ readonly seconds: number; readonly peakMb: number }> {
  await using runner = await Runner.create();
  const { milliseconds, peakMb } = await runWithPeak("backup-database", runner, {
    name: "bench",
    source: server.url("shop"),
    "postgres-bin": server.bin,
    storage: join(runner.folder, "backups"),
  });
  return { seconds: milliseconds / 1_000, peakMb };
}
