import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { PostgresServer } from "../servers/postgres.ts";
import { up } from "../testbed/index.ts";
import { type Bench, median, type Result } from "./results.ts";

const run = promisify(execFile);

const MAJOR = "17";
const MOST_EXPONENT = 1.1;
const MOST_MEMORY_MB = 150;
const ROUNDS = 3;
/** A fraction to try the bench by: figures of it say little. */
const SCALE = Number(process.env.SEAWORTHY_BENCH_SCALE ?? "1");
const SIZES = [
  { name: "100mb", bytes: 0.1e9 },
  { name: "400mb", bytes: 0.4e9 },
  { name: "1gb", bytes: 1e9 },
  { name: "2gb", bytes: 2e9 },
  { name: "4gb", bytes: 4e9 },
] as const;
/** What one row of the tables takes, with its share of the page. */
const BYTES_PER_ROW = 390;
const PROCESS = join(import.meta.dirname, "fingerprint-process.ts");

/**
 * How the time and memory of a fingerprint grow with a database that grows from 100 MB to 4 GB: two
 * connections, one table with four parts of the rows and three of a sixth and less, so that it has to
 * be divided for both to be done at once. The exponent is that of the power of the size which the
 * median times follow best.
 */
export const fingerprintGrowth: Bench = async (log) => {
  const { postgres } = await up(["postgres"], { log });
  const bin = postgres?.[MAJOR];
  if (bin === undefined) throw new Error(`the test bed has no PostgreSQL ${MAJOR}`);
  await using server = await PostgresServer.start(bin, {
    settings: { shared_buffers: "256MB", max_wal_size: "2GB", autovacuum: "off" },
  });
  server.query("CREATE DATABASE shop");
  for (const [table] of TABLES) server.query(definitionOf(table), "shop");
  const points: { readonly bytes: number; readonly seconds: number }[] = [];
  const results: Result[] = [];
  let rows = 0;
  for (const { name, bytes: wanted } of SIZES) {
    const target = Math.round((wanted * SCALE) / BYTES_PER_ROW);
    grow(server, rows, target);
    rows = target;
    const { seconds, memoryMb } = await measure(server);
    const bytes = Number(server.query("SELECT pg_database_size('shop')"));
    log(
      `${name}: ${(bytes / 1e9).toFixed(2)} GB in ${seconds.toFixed(2)} s, ${Math.round(memoryMb)} MB`,
    );
    points.push({ bytes, seconds });
    results.push(
      { name: `${name}.seconds`, value: seconds, unit: "s", target: undefined },
      {
        name: `memory-mb-${name}`,
        value: memoryMb,
        unit: "MB",
        target: name === "4gb" ? MOST_MEMORY_MB : undefined,
      },
    );
  }
  const exponent = exponentOf(points);
  return [{ name: "exponent", value: exponent, unit: "", target: MOST_EXPONENT }, ...results];
};

/** Tables with their shares of the rows. */
const TABLES = [
  ["orders", 0.65],
  ["events", 0.16],
  ["items", 0.15],
  ["visits", 0.04],
] as const;

function definitionOf(table: string): string {
  return `CREATE TABLE ${table} (id bigint PRIMARY KEY, at timestamptz, amount numeric(12,2), who text, note text, detail jsonb)`;
}

/** Adds rows as applications have them: keys, times, amounts, words that repeat, and JSON. */
function grow(server: PostgresServer, from: number, to: number): void {
  for (const [table, share] of TABLES) {
    server.query(
      `INSERT INTO ${table} SELECT i, timestamptz '2026-01-01' + i * interval '1 second', (i % 100000) * 1.07,
         md5(i::text), repeat('the quick brown fox ' || i % 997 || ' ', 4),
         jsonb_build_object('key', md5((i * 7)::text), 'state', (ARRAY['new','paid','sent'])[1 + i % 3], 'n', i)
       FROM generate_series(${Math.round(from * share) + 1}, ${Math.round(to * share)}) i;
       VACUUM ANALYZE ${table};`,
      "shop",
    );
  }
  server.query("CHECKPOINT");
}

async function measure(
  server: PostgresServer,
): Promise<{ readonly seconds: number; readonly memoryMb: number }> {
  const seconds: number[] = [];
  const memory: number[] = [];
  // The first round brings the tables into memory.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const args = [PROCESS, server.url("shop"), join(server.bin, "psql")];
    const { stdout } = await run(process.execPath, args);
    const told = JSON.parse(stdout) as { milliseconds: number; kilobytes: number };
    if (round === 0) continue;
    seconds.push(told.milliseconds / 1_000);
    memory.push((told.kilobytes * 1_024) / 1e6);
  }
  return { seconds: median(seconds), memoryMb: Math.max(...memory) };
}

/** The slope of the straight line that fits best through the logarithms. */
function exponentOf(
  points: readonly { readonly bytes: number; readonly seconds: number }[],
): number {
  const xs = points.map(({ bytes }) => Math.log(bytes));
  const ys = points.map(({ seconds }) => Math.log(seconds));
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [x, y] = [mean(xs), mean(ys)];
  const covariance = xs.reduce((sum, value, i) => sum + (value - x) * ((ys[i] ?? y) - y), 0);
  return covariance / xs.reduce((sum, value) => sum + (value - x) ** 2, 0);
}
