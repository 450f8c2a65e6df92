import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, chown, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { codeOf, UserError } from "../../failure/index.ts";
import { type Isolation, isolationHere } from "../../isolation/index.ts";
import { localPlace, type Place } from "../../place/index.ts";
import { CommandFailed, execute, privateFolder } from "../../process/index.ts";
import type { World } from "../../world/index.ts";
import { LimitReached, ServerGone, type Staging } from "../target.ts";
import { findServerPrograms } from "./programs.ts";
import type { ServerSettings, StartedServer } from "./settings.ts";
import { configurationOf } from "./tuning.ts";
import { watchServer } from "./watch.ts";

const MIB = 1024 * 1024;
const INITDB_DEADLINE_MS = 120_000;
const START_DEADLINE_MS = 60_000;
/** How long a server may take to end its processes and itself. */
const QUIT_MS = 6_000;
const READY = "database system is ready to accept connections";
/** The end of its log is what tells why a server went. */
const LOG_LINES = 40;

/**
 * Starts a server on this machine: in a private folder, reachable by a socket there and nothing
 * else, isolated as far as the system lets us. It ends, and its folder goes, with this process.
 *
 * @throws {UserError} where the programs are missing or the server does not start.
 */
export async function startLocally(settings: ServerSettings, world: World): Promise<StartedServer> {
  const memory = settings.memory ?? Math.max(512 * MIB, Math.floor(totalmem() / 2));
  const [{ folder: bin, major }, isolation] = await Promise.all([
    findServerPrograms(settings, world),
    isolationHere(memory, world),
  ]);
  // A socket's path may have 107 characters, and a runner's own folder may be long.
  const own = await privateFolder("seaworthy-pg-", settings.folder);
  const folder = own.path;
  const remove = async () => await own[Symbol.asyncDispose]();
  try {
    const server = new LocalServer({ bin, major, folder, memory, isolation, settings, world });
    await server.prepare();
    await server.start();
    return server.started(remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

interface Parts {
  readonly bin: string;
  readonly major: number;
  readonly folder: string;
  readonly memory: number;
  readonly isolation: Isolation;
  readonly settings: ServerSettings;
  readonly world: World;
}

class LocalServer {
  readonly #parts: Parts;
  readonly #data: string;
  readonly #staging: string;
  readonly #administrator = `sw_${randomBytes(6).toString("hex")}`;
  readonly #password = randomBytes(24).toString("hex");
  readonly #log: string[] = [];
  readonly #stop = new AbortController();
  readonly #limit = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#data = join(parts.folder, "data");
    this.#staging = join(parts.folder, "dump");
    parts.world.secrets.add(this.#password);
  }

  /** Makes the folders and an empty cluster. */
  async prepare(): Promise<void> {
    const { folder, bin, isolation, world, major, memory, settings } = this.#parts;
    const { user } = isolation;
    for (const path of [folder, this.#staging]) {
      await mkdir(path, { recursive: true });
      await chmod(path, 0o700);
      if (user !== undefined) await chown(path, user.uid, user.gid);
    }
    const passwords = join(folder, "password");
    await writeFile(passwords, this.#password, { mode: 0o600 });
    if (user !== undefined) await chown(passwords, user.uid, user.gid);
    await this.#run(join(bin, "initdb"), [
      `--pgdata=${this.#data}`,
      `--username=${this.#administrator}`,
      `--pwfile=${passwords}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
      "--no-instructions",
    ]);
    await rm(passwords);
    const processors = availableParallelism();
    const lines = configurationOf({ memory, processors, jobs: settings.jobs ?? 2 }, major);
    const own = [`unix_socket_directories = '${folder.replaceAll("'", "''")}'`, "port = 5432"];
    await writeFile(join(this.#data, "postgresql.auto.conf"), `${[...lines, ...own].join("\n")}\n`);
    world.log.debug(`An empty server of PostgreSQL ${major} was made in ${folder}.`);
  }

  async #run(program: string, args: readonly string[]): Promise<void> {
    const { world, folder } = this.#parts;
    const [first = program, ...rest] = [...this.#parts.isolation.prefix, program, ...args];
    try {
      await execute(
        {
          program: first,
          args: rest,
          directory: folder,
          environment: bareEnvironment(),
          leashed: true,
        },
        { signal: world.signal, secrets: world.secrets, deadline: INITDB_DEADLINE_MS },
      );
    } catch (error) {
      world.signal.throwIfAborted();
      if (!(error instanceof CommandFailed)) throw error;
      throw notStarted(error.message, `${error.stdoutTail}\n${error.stderrTail}`, error);
    }
  }

  /** Starts it and waits until it takes connections. */
  async start(): Promise<void> {
    const { bin, folder, isolation, world } = this.#parts;
    const postgres = [join(bin, "postgres"), "-D", this.#data];
    const [program = "", ...args] = [...isolation.prefix, ...postgres];
    const signal = AbortSignal.any([this.#stop.signal, world.signal]);
    let ready: () => void = () => {};
    const up = new Promise<void>((resolve) => {
      ready = resolve;
    });
    const running = execute(
      { program, args, directory: folder, environment: bareEnvironment(), leashed: true },
      {
        signal,
        secrets: world.secrets,
        keep: 1,
        // It would write all that it holds to the disk, to be removed a moment later.
        abrupt: isolation.ownProcesses,
        onLine: (line) => {
          this.#note(line);
          if (line.includes(READY)) ready();
        },
      },
    );
    const gone = running.then(
      () => this.#broke("it ended"),
      (error: unknown) => this.#broke(error instanceof Error ? error.message : String(error)),
    );
    this.#ended = gone;
    const deadline = new AbortController();
    const late = world.clock.sleep(START_DEADLINE_MS, deadline.signal).catch(() => {});
    await Promise.race([up, gone, late]);
    deadline.abort();
    world.signal.throwIfAborted();
    if (!this.#log.some((line) => line.includes(READY))) {
      this.#stop.abort();
      await gone;
      throw notStarted("it did not say that it was ready", this.#log.join("\n"));
    }
  }

  /** The server went by itself: whatever waits for it is told. */
  #broke(how: string): void {
    if (this.#stopped || this.#stop.signal.aborted || this.#parts.world.signal.aborted) return;
    const last = this.#log.filter((line) => /FATAL|PANIC|ERROR|LOG: {2}server process/.test(line));
    const words = last.slice(-3).join("; ") || how;
    const full = /No space left on device/.test(this.#log.join("\n"));
    this.#limit.abort(
      full
        ? new LimitReached("disk", `The disk was full: ${words}.`)
        : new ServerGone(`The throw-away server went away while it was in use: ${words}.`),
    );
  }

  #note(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES) this.#log.shift();
    this.#parts.world.log.debug(`postgres: ${line}`);
  }

  /** Nothing that it holds is worth an orderly end. */
  async #end(): Promise<void> {
    this.#stopped = true;
    if (!this.#parts.isolation.ownProcesses) {
      // Asked to end at once, the server sees to it that its busy processes end too.
      const file = await readFile(join(this.#data, "postmaster.pid"), "utf8").catch(() => "");
      const id = Number(file.split("\n", 1)[0]);
      if (id > 0) kill(id, "SIGQUIT");
      const late = new AbortController();
      await Promise.race([
        this.#ended,
        this.#parts.world.clock.sleep(QUIT_MS, late.signal).catch(() => {}),
      ]);
      late.abort();
    }
    this.#stop.abort();
    await this.#ended;
  }

  started(remove: () => Promise<void>): StartedServer {
    const { bin, major, folder, isolation, world, settings, memory } = this.#parts;
    const limits = {
      time: settings.time ?? 6 * 3_600_000,
      memory,
      disk: settings.disk,
      free: settings.free ?? 256 * MIB,
    };
    const watch = watchServer(this.#data, limits, (reached) => this.#limit.abort(reached));
    const dispose = async () => {
      watch[Symbol.dispose]();
      await this.#end();
      await remove();
    };
    return {
      name: `a throw-away server of PostgreSQL ${major} on this machine`,
      major,
      place: isolatedPlace(localPlace(world.secrets), isolation),
      programs: { psql: join(bin, "psql"), pgRestore: join(bin, "pg_restore") },
      socket: folder,
      administrator: { name: this.#administrator, password: this.#password },
      staging: folderStaging(this.#staging, isolation.user),
      safeguards: isolation.safeguards,
      signal: AbortSignal.any([world.signal, this.#limit.signal]),
      [Symbol.asyncDispose]: dispose,
    };
  }
}

function kill(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch (error) {
    // It has ended meanwhile.
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

/** All that a program needs of the job's environment; the rest may hold its secrets. */
const KEPT = new Set(["PATH", "LD_LIBRARY_PATH", "TZDIR"]);

/** Variables of the job that programs touching a dump do not get. */
function foreignVariables(): string[] {
  return Object.keys(process.env).filter((name) => !KEPT.has(name));
}

/** Takes away from a program what it does not need of this process's environment. */
export function bareEnvironment(): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(foreignVariables().map((name) => [name, undefined])),
    LC_ALL: "C",
  };
}

function notStarted(why: string, evidence: string, reason?: unknown): UserError {
  const full = /No space left on device/.test(evidence);
  return new UserError(
    {
      title: "The throw-away server did not start",
      cause: full
        ? "The disk is full: No space left on device."
        : `PostgreSQL could not be started on this machine: ${why}.`,
      remedy: full
        ? "Give the temporary folder more room, or name another one."
        : "See what it said below. A whole installation of the server is needed, of the same processor as this machine.",
      evidence: evidence.trim(),
    },
    { reason },
  );
}

/** Programs that touch a dump run as isolated as the server itself. */
export function isolatedPlace(place: Place, { prefix }: Isolation): Place {
  return {
    name: place.name,
    start(command, signal) {
      const own = new Set(Object.keys(command.environment ?? {}));
      const foreign = foreignVariables().filter((variable) => !own.has(variable));
      const bare = ["env", ...foreign.flatMap((variable) => ["-u", variable])];
      const [program = "", ...args] = [...bare, ...prefix, command.program, ...command.args];
      return place.start({ ...command, program, args }, signal);
    },
  };
}

function folderStaging(folder: string, user: Isolation["user"]): Staging {
  const path = (name: string) => join(folder, name);
  const own = async (file: string) => {
    if (user !== undefined) await chown(file, user.uid, user.gid);
  };
  const makeParents = async (name: string) => {
    for (const parent of parentsOf(name)) {
      const made = await mkdir(path(parent), { recursive: true, mode: 0o700 });
      if (made !== undefined) await own(path(parent));
    }
  };
  return {
    path,
    async write(name, content, signal) {
      const file = path(name);
      await makeParents(name);
      await pipeline(content, createWriteStream(file, { mode: 0o600, flags: "wx" }), { signal });
      await own(file);
      return file;
    },
    async adopt(name, copy) {
      const file = path(name);
      await makeParents(name);
      try {
        await link(copy, file);
      } catch {
        // On another disk, or one that knows no second names.
        return undefined;
      }
      await own(file);
      return file;
    },
  };
}

/** `a/b/c` lies in `a` and `a/b`. */
function parentsOf(name: string): string[] {
  const parent = dirname(name);
  return parent === "." ? [] : [...parentsOf(parent), parent];
}
