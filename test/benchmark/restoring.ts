import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { dumpAt } from "../../shared/dump-format/index.ts";
import { localPlace } from "../../shared/place/index.ts";
import { openSession } from "../../shared/postgres/index.ts";
import {
  type PostgresFingerprint,
  takeFingerprint,
} from "../../shared/postgres-fingerprint/index.ts";
import { examinePostgres } from "../../shared/postgres-restore/index.ts";
import { Secrets } from "../../shared/secrets/index.ts";
import { silentLog, systemClock } from "../../shared/world/index.ts";
import { PostgresServer } from "../servers/postgres.ts";
import { up } from "../testbed/index.ts";
import { type Bench, median, type Result } from "./results.ts";

const run = promisify(execFile);

const MAJOR = "16";
const ROUNDS = 3;
const TARGETS = { data: 0.5, full: 1.15 } as const;
/** A fraction to try the bench by: figures of it say little. */
const SCALE = Number(process.env.SEAWORTHY_BENCH_SCALE ?? "1");
const ORDERS = 2_600_000;

/** What a shop's database is like: keys, references, and indexes that its pages ask for. */
const SHOP = `
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, name text, created timestamptz NOT NULL, profile jsonb);
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL, state text NOT NULL, total numeric(10,2) NOT NULL, placed timestamptz NOT NULL, note text);
CREATE TABLE lines (id bigint PRIMARY KEY, "order" bigint NOT NULL, sku text NOT NULL, amount integer NOT NULL, price numeric(10,2) NOT NULL);
INSERT INTO customers SELECT i, md5(i::text) || '@example.org', 'Customer ' || i, '2020-01-01'::timestamptz + i * interval '1 minute', jsonb_build_object('lang', i % 7, 'tags', jsonb_build_array(md5(i::text), i)) FROM generate_series(1, :customers) i;
INSERT INTO orders SELECT i, 1 + (i * 7919::bigint) % :customers, (ARRAY['open','paid','sent','back'])[1 + i % 4], (i % 10000) / 7.0, '2021-01-01'::timestamptz + i * interval '17 seconds', md5(i::text) || md5((i + 1)::text) FROM generate_series(1, :orders) i;
INSERT INTO lines SELECT i, 1 + i % :orders, 'SKU-' || (i * 31) % 50000, 1 + i % 5, (i % 9000) / 13.0 FROM generate_series(1, :lines) i;
CREATE UNIQUE INDEX ON customers (email);
CREATE INDEX ON customers (created);
CREATE INDEX ON orders (customer, placed);
CREATE INDEX ON orders (state, placed);
CREATE INDEX ON orders (note);
CREATE INDEX ON lines ("order");
CREATE INDEX ON lines (sku);
ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers;
ALTER TABLE lines ADD FOREIGN KEY ("order") REFERENCES orders;
ANALYZE;
`;

/**
 * `pg_restore -j2` of everything into a server that runs already, with the settings that it comes
 * with, against a whole examination at each tier: every byte read, a server made and started, all
 * restored, held against the fingerprint, and at `full` every index checked.
 */
export const restoring: Bench = async (log) => {
  const { postgres } = await up(["postgres"], { log });
  const bin = postgres?.[MAJOR];
  if (bin === undefined) throw new Error(`the test bed has no PostgreSQL ${MAJOR}`);
  const folder = mkdtempSync(join(tmpdir(), "seaworthy-bench-"));
  chmodSync(folder, 0o755);
  try {
    await using server = await PostgresServer.start(bin, {
      settings: { fsync: "on", shared_buffers: "128MB" },
    });
    fill(server);
    const dump = join(folder, "shop.dump");
    await run(join(bin, "pg_dump"), ["-Fc", "-f", dump, "-d", server.url("shop")]);
    const fingerprint = await fingerprintOf(server);
    const times = { restore: [] as number[], data: [] as number[], full: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      const turns = [
        async () => void times.restore.push(await restore(server, dump)),
        async () => void times.data.push(await examine(bin, dump, fingerprint, "data")),
        async () => void times.full.push(await examine(bin, dump, fingerprint, "full")),
      ];
      if (round % 2 === 1) turns.reverse();
      for (const turn of turns) await turn();
      log(
        `Round ${round + 1}: pg_restore ${told(times.restore)} s, data ${told(times.data)} s, full ${told(times.full)} s`,
      );
    }
    const plain = median(times.restore);
    return [
      figure("data.ratio", median(times.data) / plain, "times", TARGETS.data),
      figure("full.ratio", median(times.full) / plain, "times", TARGETS.full),
      figure("restore.seconds", plain, "s"),
      figure("data.seconds", median(times.data), "s"),
      figure("full.seconds", median(times.full), "s"),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

function fill(server: PostgresServer): void {
  const orders = Math.max(1_000, Math.round(ORDERS * SCALE));
  const sizes = { orders, customers: Math.round(orders / 4), lines: orders * 2 };
  server.query("CREATE DATABASE shop");
  const set = Object.entries(sizes).map(([name, value]) => `\\set ${name} ${value}\n`);
  server.query(`${set.join("")}${SHOP}`, "shop");
}

async function fingerprintOf(server: PostgresServer): Promise<PostgresFingerprint> {
  const { signal } = new AbortController();
  const connection = { subject: "shop", conninfo: server.url("shop"), environment: {} };
  const open = () =>
    openSession(localPlace(new Secrets()), connection, {
      signal,
      psql: join(server.bin, "psql"),
      first: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
    });
  return takeFingerprint({ open }, { parallel: 1, signal });
}

async function restore(server: PostgresServer, dump: string): Promise<number> {
  server.query("DROP DATABASE IF EXISTS again");
  server.query("CREATE DATABASE again");
  const began = performance.now();
  await run(join(server.bin, "pg_restore"), ["-j2", "-d", server.url("again"), dump]);
  return (performance.now() - began) / 1_000;
}

async function examine(
  bin: string,
  path: string,
  fingerprint: PostgresFingerprint,
  tier: "data" | "full",
): Promise<number> {
  const { signal } = new AbortController();
  const secrets = new Secrets();
  const environment = process.env;
  const world = {
    clock: systemClock,
    log: silentLog,
    secrets,
    signal,
    aftermath: signal,
    environment,
  };
  const dump = await dumpAt(path);
  const began = performance.now();
  const settings = { server: { server: "local", bin } } as const;
  const { findings, reached } = await examinePostgres({ dump, fingerprint }, settings, tier, world);
  const seconds = (performance.now() - began) / 1_000;
  const alarm = findings.find(({ weight }) => weight !== "note");
  if (alarm !== undefined || reached !== tier) {
    throw new Error(`a whole dump was not proven: ${alarm?.subject}: ${alarm?.what}`);
  }
  return seconds;
}

function figure(name: string, value: number, unit: string, target?: number): Result {
  return { name, value, unit, target };
}

function told(values: readonly number[]): string {
  return (values.at(-1) ?? Number.NaN).toFixed(2);
}
