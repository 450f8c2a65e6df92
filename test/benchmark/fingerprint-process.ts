import { readFileSync } from "node:fs";
import { localPlace } from "../../shared/place/index.ts";
import { openSession } from "../../shared/postgres/index.ts";
import { takeFingerprint } from "../../shared/postgres-fingerprint/index.ts";
import { Secrets } from "../../shared/secrets/index.ts";

/**
 * What the bench `fingerprint-growth` measures: a process that takes the fingerprint of the database
 * that it is given the address of, by the psql that it is given, and tells what it cost.
 */
const [url = "", psql = "psql", parallel = "2"] = process.argv.slice(2);
const signal = new AbortController().signal;
const place = localPlace(new Secrets());
const connection = { subject: "the bench's database", conninfo: url, environment: {} };
const began = performance.now();
const fingerprint = await takeFingerprint(
  {
    open: () =>
      openSession(place, connection, {
        signal,
        psql,
        first: ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"],
      }),
  },
  { parallel: Number(parallel), signal },
);
const milliseconds = performance.now() - began;
const rows = Object.values(fingerprint.tables).reduce((sum, table) => sum + table.rows, 0);
const kilobytes = Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
console.log(JSON.stringify({ milliseconds, rows, kilobytes }));
