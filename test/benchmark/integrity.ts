import { execFile } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGzip } from "node:zlib";
import { Runner } from "../runner/index.ts";
import { runWithPeak } from "./peak.ts";
import { median, type Result } from "./results.ts";

const run = promisify(execFile);

/** A fraction to try the bench by: figures of it say little. */
const SCALE = Number(process.env.SEAWORTHY_BENCH_SCALE ?? "1");
const BYTES = 1e9 * SCALE;
const ROUNDS = 3;
const LEAST_MB_PER_SECOND = 500;
const MOST_OF_GZIP = 1;
const MOST_MEMORY_MB = 150;
const PROCESS = join(import.meta.dirname, "integrity-process.ts");

/**
 * Every byte of a plain dump under gzip, 1 GB of plain data: its checksums, its sha256, the rows of
 * its tables and their fields, against `gzip -t`, which looks at the checksum alone. Both in turn.
 * Memory is that of the whole action as users run it, verify-backup's bundle at the tier integrity.
 */
export async function integrity(log: (line: string) => void): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "seaworthy-integrity-"));
  try {
    const path = join(folder, "dump.sql.gz");
    await pipeline(Readable.from(dump()), createGzip({ level: 6 }), createWriteStream(path));
    const ours: Examined[] = [];
    const theirs: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const began = performance.now();
      await run("gzip", ["-t", path]);
      const gzip = performance.now() - began;
      const examined = await examine(path);
      // The first round only warms the cache of files.
      if (round === 0) continue;
      theirs.push(gzip);
      ours.push(examined);
      log(`gzip -t ${Math.round(gzip)} ms, integrity ${Math.round(examined.milliseconds)} ms`);
    }
    return resultsOf(ours, theirs, await memoryOfAction(folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface Examined {
  readonly milliseconds: number;
  readonly plainBytes: number;
  readonly findings: number;
  readonly rows: number;
}

async function examine(path: string): Promise<Examined> {
  const { stdout } = await run(process.execPath, [PROCESS, path]);
  const examined = JSON.parse(stdout) as Examined;
  if (examined.findings > 0 || examined.rows === 0)
    throw new Error(`the dump is not clean: ${stdout}`);
  return examined;
}

/** In MB, verifying the dump in a folder. */
async function memoryOfAction(storage: string): Promise<number> {
  await using runner = await Runner.create();
  const inputs = { pattern: "*.sql.gz", storage, tier: "integrity", record: "false" };
  return (await runWithPeak("verify-backup", runner, inputs)).peakMb;
}

function resultsOf(ours: readonly Examined[], theirs: readonly number[], memory: number): Result[] {
  const speeds = ours.map((one) => one.plainBytes / 1e3 / one.milliseconds);
  const ratio = median(ours.map((one) => one.milliseconds)) / median(theirs);
  return [
    {
      name: "integrity.mb-per-second",
      value: median(speeds),
      unit: "MB/s",
      target: LEAST_MB_PER_SECOND,
      bound: "least",
    },
    { name: "integrity.ratio-to-gzip", value: ratio, unit: "", target: MOST_OF_GZIP },
    {
      name: "integrity.memory-mb",
      value: memory,
      unit: "MB",
      target: MOST_MEMORY_MB,
    },
  ];
}

const WORDS =
  "keel mast sail anchor harbour pilot cargo hold deck stern bow rudder helm tide reef buoy chart compass lantern rope".split(
    " ",
  );

/** A dump as pg_dump writes it, of orders with numbers, times, words and a document each. */
async function* dump(): AsyncGenerator<string> {
  yield "--\n-- PostgreSQL database dump\n--\n\n-- Dumped from database version 17.2\n-- Dumped by pg_dump version 17.2\n\n";
  yield "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\n";
  yield "CREATE TABLE public.orders (\n    id bigint,\n    at timestamp,\n    amount numeric,\n    who text,\n    note text,\n    detail jsonb\n);\n\n";
  yield "COPY public.orders (id, at, amount, who, note, detail) FROM stdin;\n";
  let bytes = 0;
  let id = 0;
  while (bytes < BYTES) {
    const rows: string[] = [];
    for (let row = 0; row < 2000; row++) rows.push(rowOf(++id));
    const text = `${rows.join("\n")}\n`;
    bytes += text.length;
    yield text;
  }
  yield "\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n";
}

/** The same numbers in every run: the dump is the same, and packs as well as real ones, five to six times. */
function rowOf(id: number): string {
  const random = Math.imul(id, 2_654_435_761) >>> 0;
  const word = (at: number) => WORDS[(random >>> at) % WORDS.length] ?? "";
  const time = new Date(1.7e12 + id * 60_000).toISOString().slice(0, 19).replace("T", " ");
  const note = [3, 5, 7, 11, 13, 17, 19, 2, 6].map(word).join(" ");
  const detail = `{"status": "${word(4)}", "lines": ${random % 9}, "carrier": "${word(8)}", "insured": ${random % 2 === 0}}`;
  return `${id}\t${time}\t${random % 10_000}.${random % 90}0\t${word(9)} ${word(12)}\t${note}\t${detail}`;
}
