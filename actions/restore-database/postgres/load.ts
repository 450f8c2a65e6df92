import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { plainSqlFilter } from "../../../shared/dump-format/index.ts";
import { codeOf, UserError } from "../../../shared/failure/index.ts";
import type { Running } from "../../../shared/place/index.ts";
import { environmentOf } from "../../../shared/postgres/index.ts";
import { privateFolder } from "../../../shared/process/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Options } from "../inputs.ts";
import type { DumpPart, SourceDump } from "./dump.ts";
import type { TargetServer } from "./server.ts";

/** How a dump was loaded: the words of what could not be done, if any; a comparison judges them. */
export interface Loaded {
  readonly seconds: number;
  readonly complaints: string;
}

/**
 * Loads a dump into an empty database of a real server, in the name of whoever connects.
 *
 * @throws what reading the backup fails with.
 */
export async function loadDump(
  dump: SourceDump,
  server: TargetServer,
  database: string,
  { jobs, owners }: Pick<Options, "jobs" | "owners">,
  world: World,
): Promise<Loaded> {
  const began = performance.now();
  const isFile = dump.form !== "file" || isHere(server);
  const load = dump.form === "plain" ? loadPlain : isFile ? loadStaged : loadStreamed;
  const complaints = await load({ dump, server, database, jobs, owners, world });
  requireServer(complaints, server, database);
  return { complaints, seconds: (performance.now() - began) / 1_000 };
}

interface Loading {
  readonly dump: SourceDump;
  readonly server: TargetServer;
  readonly database: string;
  readonly jobs: number;
  readonly owners: Options["owners"];
  readonly world: World;
}

/** What the server says when it cannot go on; each with a title and what to do. */
const ENDS: readonly (readonly [RegExp, string, string])[] = [
  [
    /^.*(?:No space left on device|disk full|Disk quota exceeded).*$/im,
    "The target's disk is full",
    "Make room at the server, for the former contents and the restored ones at once, and run again.",
  ],
  [
    /^.*(?:server closed the connection|terminating connection|(?:shutting|starting) (?:down|up)|in recovery mode|could not connect|connection to server .* failed|SSL (?:SYSCALL|connection)).*$/im,
    "The connection to the target broke off",
    "See the server's log, and run again.",
  ],
  [
    /^.*(?:out of shared memory|out of memory|too many clients|remaining connection slots).*$/im,
    "The target's server has run out of something",
    "Give fewer jobs, or give the server more (max_connections, max_locks_per_transaction), and run again.",
  ],
];

/** @throws {UserError} where the restore stopped for the server's sake: no backup is to blame. */
function requireServer(complaints: string, { place }: TargetServer, database: string): void {
  for (const [words, title, remedy] of ENDS) {
    const said = words.exec(complaints)?.[0];
    if (said === undefined) continue;
    throw new UserError({
      title,
      cause: `While ${database} was restored from ${place.name}: ${said.trim().slice(0, 300)}.`,
      remedy,
      evidence: complaints.slice(0, 4_000),
    });
  }
}

/** Whether programs run on this machine, where files can be put for them. */
function isHere({ settings }: TargetServer): boolean {
  return settings.pod === undefined;
}

/** What `pg_dump --create` writes for the database itself: it has been made. */
const OF_DATABASE =
  /^\s*(?:(?:CREATE|DROP|ALTER) DATABASE |(?:COMMENT|SECURITY LABEL[^;]*) ON DATABASE |(?:GRANT|REVOKE) [^;]* ON DATABASE )/i;

/** What gives things to their owners, in dumps as SQL. */
const OF_OWNERS = /^\s*(?:ALTER [^;]* OWNER TO |GRANT |REVOKE |ALTER DEFAULT PRIVILEGES )/i;

async function loadPlain({ dump, server, database, owners, world }: Loading): Promise<string> {
  const { signal } = world;
  const connection = await server.connectionTo(database);
  const running = await server.place.start(
    {
      program: server.clients.psql,
      args: ["-X", "-q", "-w", "-o", "/dev/null", "-d", connection.conninfo],
      environment: environmentOf(connection),
      input: true,
    },
    signal,
  );
  const filter = plainSqlFilter({
    dropConnect: true,
    skip: (code) => OF_DATABASE.test(code) || (owners === "leave" && OF_OWNERS.test(code)),
  });
  const sql = await onlyFile(dump).open(signal);
  sql.on("error", (error) => filter.destroy(error));
  return await fed(running, sql.pipe(filter), world);
}

/** Several workers need a file that they can seek in. */
async function loadStaged(loading: Loading): Promise<string> {
  const { dump, server, jobs, world } = loading;
  if (!isHere(server)) throw notThere(server);
  await using folder = await privateFolder("seaworthy-restore-");
  const path = dump.path ?? (await staged(dump, folder.path, world).catch(whereFull));
  // It refuses several workers for a tar.
  const workers = dump.form === "tar" ? [] : ["--jobs", String(jobs)];
  const running = await pgRestore(loading, [...workers, path], false);
  return await fed(running, undefined, world);
}

/** Puts it into a folder of this machine, and tells where pg_restore finds it. */
async function staged(dump: SourceDump, folder: string, { signal }: World): Promise<string> {
  const within = dump.form === "folder" ? join(folder, "dump") : folder;
  for (const file of dump.files) {
    const to = await fileAt(join(within, file.name));
    await pipeline(await file.open(signal), to, { signal });
  }
  return dump.form === "folder" ? within : join(folder, onlyFile(dump).name);
}

/** @throws {UserError} where there was no room. */
function whereFull(error: unknown): never {
  const code = codeOf(error);
  if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
  throw new UserError(
    {
      title: "The disk of this machine is full",
      cause: `The dump is unpacked here, for pg_restore reads it from a file, and there was no room for it (${code}).`,
      remedy:
        "Use a runner with a larger disk, or name a folder on one by the environment variable TMPDIR, and run again.",
    },
    { reason: error },
  );
}

function onlyFile({ files }: SourceDump): DumpPart {
  const [file] = files;
  if (file === undefined) throw new Error("a dump without files");
  return file;
}

function notThere({ place }: TargetServer): UserError {
  return new UserError({
    title: "A dump in the directory or tar format cannot be streamed",
    cause: `The backup's dump has to be read here and there, and the target runs in ${place.name}, where no files are put.`,
    remedy: "Give target, the address of the database, in place of pod. Nothing was changed.",
  });
}

async function loadStreamed(loading: Loading): Promise<string> {
  const { dump, world } = loading;
  const running = await pgRestore(loading, [], true);
  return await fed(running, await onlyFile(dump).open(world.signal), world);
}

async function pgRestore(
  { server, database, owners, world }: Loading,
  args: readonly string[],
  input: boolean,
): Promise<Running> {
  const left = owners === "leave" ? ["--no-owner", "--no-privileges"] : [];
  const connection = await server.connectionTo(database);
  const to = ["--no-password", "--dbname", connection.conninfo || "dbname="];
  return await server.place.start(
    {
      program: server.clients.pgRestore,
      args: [...to, ...left, ...args],
      environment: environmentOf(connection),
      input,
    },
    world.signal,
  );
}

async function fileAt(path: string) {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return createWriteStream(path, { mode: 0o600 });
}

/** Gives a program its input, lets its output go by, and tells what it complained of. */
async function fed(
  running: Running,
  input: Readable | undefined,
  { signal }: World,
): Promise<string> {
  running.stdout.resume();
  let failed: { readonly error: unknown } | undefined;
  if (input !== undefined) {
    await pipeline(input, running.stdin).catch((error: unknown) => {
      failed = { error };
    });
  }
  const ended = await running.ended;
  signal.throwIfAborted();
  // A program that gave up tells why itself; the pipe that it closed says nothing.
  if (ended.exitCode !== 0) return [ended.message, ended.stderr].filter(Boolean).join("\n");
  if (failed !== undefined) throw failed.error;
  return ended.stderr.trim();
}
