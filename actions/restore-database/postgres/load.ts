import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { StoredBackup } from "../../../shared/backup/index.ts";
import { plainSqlFilter } from "../../../shared/dump-format/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import type { Running } from "../../../shared/place/index.ts";
import { environmentOf } from "../../../shared/postgres/index.ts";
import { leash } from "../../../shared/process/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { TargetServer } from "./server.ts";

const FOLDER = "dump/";

/** How a dump was loaded: the words of what could not be done, if any; a comparison judges them. */
export interface Loaded {
  readonly seconds: number;
  readonly complaints: string;
}

/**
 * Loads a backup's dump into an empty database of a real server, in the name of whoever connects.
 *
 * @throws what reading the backup fails with.
 */
export async function loadDump(
  backup: StoredBackup,
  server: TargetServer,
  database: string,
  { jobs }: { readonly jobs: number },
  world: World,
): Promise<Loaded> {
  const began = performance.now();
  const { parts } = backup.manifest;
  const isFolder = parts.some(({ name }) => name.startsWith(FOLDER));
  const isPlain = parts.some(({ name }) => name === "dump.sql");
  const load = isPlain ? loadPlain : isFolder || isHere(server) ? loadStaged : loadStreamed;
  const complaints = await load({ backup, server, database, jobs, world });
  return { complaints, seconds: (performance.now() - began) / 1_000 };
}

interface Loading {
  readonly backup: StoredBackup;
  readonly server: TargetServer;
  readonly database: string;
  readonly jobs: number;
  readonly world: World;
}

/** Whether programs run on this machine, where files can be put for them. */
function isHere({ settings }: TargetServer): boolean {
  return settings.pod === undefined;
}

async function loadPlain({ backup, server, database, world }: Loading): Promise<string> {
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
  return await fed(
    running,
    (await backup.open("dump.sql", signal)).pipe(plainSqlFilter({})),
    world,
  );
}

/** Several workers need a file that they can seek in. */
async function loadStaged(loading: Loading): Promise<string> {
  const { backup, server, database, jobs, world } = loading;
  if (!isHere(server)) throw notThere(server);
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-restore-"));
  using _ = leash({ folder });
  try {
    const names = backup.manifest.parts.map(({ name }) => name).filter(isOfDump);
    for (const name of names) {
      const target = join(folder, name);
      await pipeline(await backup.open(name, world.signal), await fileAt(target), {
        signal: world.signal,
      });
    }
    const isFolder = names.some((name) => name.startsWith(FOLDER));
    const file = join(folder, isFolder ? "dump" : (names[0] ?? "dump.pgdump"));
    const running = await pgRestore(server, database, ["--jobs", String(jobs), file], false, world);
    return await fed(running, undefined, world);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function notThere({ place }: TargetServer): UserError {
  return new UserError({
    title: "A dump in the directory format cannot be streamed",
    cause: `The backup's dump is a folder, and the target runs in ${place.name}, where no folder is put.`,
    remedy: "Give target, the address of the database, in place of pod. Nothing was changed.",
  });
}

async function loadStreamed({ backup, server, database, world }: Loading): Promise<string> {
  const running = await pgRestore(server, database, [], true, world);
  return await fed(running, await backup.open("dump.pgdump", world.signal), world);
}

async function pgRestore(
  server: TargetServer,
  database: string,
  args: readonly string[],
  input: boolean,
  { signal }: World,
): Promise<Running> {
  const connection = await server.connectionTo(database);
  const to = ["--no-password", "--dbname", connection.conninfo || "dbname="];
  return await server.place.start(
    {
      program: server.clients.pgRestore,
      args: [...to, ...args],
      environment: environmentOf(connection),
      input,
    },
    signal,
  );
}

function isOfDump(name: string): boolean {
  return name.startsWith("dump");
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
