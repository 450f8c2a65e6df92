import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { PartSink } from "../backup/index.ts";
import { outputOf, type Place } from "../place/index.ts";
import { type Clients, type Connection, environmentOf } from "../postgres/index.ts";
import { privateFolder } from "../process/index.ts";
import { dumpFailure } from "./dump-failure.ts";
import type { DumpFormat } from "./settings.ts";

/** What a dump is written with. */
export interface Dumping {
  readonly place: Place;
  readonly connection: Connection;
  readonly clients: Clients;
  readonly snapshot: string;
  readonly format: DumpFormat;
  readonly jobs: number;
  readonly lockWaitSeconds: number;
  /** What is dumped, and further arguments. */
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** Where temporary files may be. */
  readonly temporary: string | undefined;
}

/**
 * Dumps into the sink, in the snapshot: a stream as it comes; a directory from a private folder,
 * which is removed whatever happens.
 *
 * @throws {UserError} that says why pg_dump failed.
 */
export async function writeDump(dumping: Dumping, sink: PartSink): Promise<void> {
  if (dumping.format === "directory") return writeDirectory(dumping, sink);
  const name = dumping.format === "plain" ? "dump.sql" : "dump.pgdump";
  // What is stored is compressed with all cores and better than pg_dump would.
  const args = dumping.format === "plain" ? [] : ["--compress=0"];
  await writeOutput(
    dumping,
    { name, program: dumping.clients.pgDump, args: [...argsOf(dumping), ...args] },
    sink,
  );
}

/**
 * Dumps roles and tablespaces, which belong to no database, without passwords unless the role may
 * read them.
 *
 * @throws {UserError} that says why pg_dumpall failed.
 */
export async function writeGlobals(
  dumping: Dumping,
  { passwords }: { readonly passwords: boolean },
  sink: PartSink,
): Promise<void> {
  const { connection, clients } = dumping;
  const args = ["--globals-only", "--no-password", ...(passwords ? [] : ["--no-role-passwords"])];
  const command = [...args, "-d", connection.conninfo];
  await writeOutput(
    dumping,
    { name: "globals.sql", program: clients.pgDumpall, args: command },
    sink,
  );
}

interface Output {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

async function writeOutput(dumping: Dumping, output: Output, sink: PartSink): Promise<void> {
  const { place, connection, signal } = dumping;
  const { program, args, name } = output;
  const running = await place.start(
    { program, args, environment: environmentOf(connection) },
    signal,
  );
  let stop: (() => void) | undefined;
  try {
    const content = outputOf(running, (ended) =>
      dumpFailure({ ...dumping, program: baseName(program), ended, place: place.name }),
    );
    // Also where the sink waits for something else, and does not read.
    stop = () => content.destroy(asError(signal.reason));
    signal.addEventListener("abort", stop, { once: true });
    await sink.write(name, content);
  } finally {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
    running.end();
    await running.ended;
  }
}

function argsOf(dumping: Dumping): readonly string[] {
  const { format, snapshot, lockWaitSeconds, args, connection } = dumping;
  return [
    `--format=${format}`,
    `--snapshot=${snapshot}`,
    `--lock-wait-timeout=${lockWaitSeconds}s`,
    "--no-password",
    "--strict-names",
    ...args,
    "-d",
    connection.conninfo,
  ];
}

async function writeDirectory(dumping: Dumping, sink: PartSink): Promise<void> {
  const { place, connection, clients, jobs, signal, temporary } = dumping;
  await using folder = await privateFolder("seaworthy-dump-", temporary);
  const target = join(folder.path, "dump");
  const args = [
    ...argsOf(dumping),
    `--jobs=${jobs}`,
    `--file=${target}`,
    // Its workers compress at once; a temporary copy needs no sync.
    "--compress=1",
    "--no-sync",
  ];
  const environment = environmentOf(connection);
  const running = await place.start({ program: clients.pgDump, args, environment }, signal);
  running.stdout.resume();
  const ended = await running.ended;
  signal.throwIfAborted();
  if (ended.exitCode !== 0) {
    throw dumpFailure({ ...dumping, program: "pg_dump", ended, place: place.name });
  }
  // The table of contents first: without it the rest means nothing.
  const files = (await readdir(target)).sort(
    (a, b) => Number(b === "toc.dat") - Number(a === "toc.dat") || (a < b ? -1 : 1),
  );
  for (const file of files) {
    const compressed = file.endsWith(".gz");
    await sink.write(`dump/${file}`, createReadStream(join(target, file)), { compressed });
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function baseName(program: string): string {
  return program.slice(program.lastIndexOf("/") + 1);
}
