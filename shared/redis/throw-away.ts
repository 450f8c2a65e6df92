import { chmod, chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, UserError } from "../failure/index.ts";
import { type Isolation, isolationHere } from "../isolation/index.ts";
import { type StreamingProgram, stream } from "../process/index.ts";
import type { World } from "../world/index.ts";
import { openRedis } from "./connect.ts";
import type { ServerProgram } from "./programs.ts";
import type { RespConnection } from "./resp.ts";

const POLL_MS = 25;
const LONGEST_LOG = 16_384;

/** A server that has loaded an RDB, and that nobody else can reach. */
export interface ThrowAwayRedis extends AsyncDisposable {
  readonly redis: RespConnection;
  /** Seconds from its start until all was loaded. */
  readonly loadSeconds: number;
  readonly isolation: Isolation;
}

/** Why a server did not load an RDB; its own words. */
export class LoadFailed extends Error {
  readonly why: "version" | "module" | "memory" | "refused" | "time";

  constructor(why: LoadFailed["why"], message: string) {
    super(message);
    this.name = "LoadFailed";
    this.why = why;
  }
}

export interface ThrowAwayOptions {
  readonly program: ServerProgram;
  /** A private folder with the RDB, `dump.rdb`. */
  readonly folder: string;
  /** The most memory of the server, in bytes. */
  readonly memory: number;
  /** How many databases it needs. */
  readonly databases: number;
}

/**
 * Starts a server on an RDB and waits until it has loaded it. It listens on a socket in the
 * private folder only, runs as nobody where this process is root, without network where the
 * system allows, loads no modules, and saves nothing by itself.
 *
 * It is a replica of nobody: a master would drop what has expired while it loads, and a replica
 * waits for its master to say so, so that everything can be compared with what was there.
 *
 * @throws {LoadFailed} when it does not load it; {UserError} when it cannot be started.
 */
export async function openThrowAwayRedis(
  options: ThrowAwayOptions,
  world: World,
): Promise<ThrowAwayRedis> {
  const { folder, program } = options;
  const isolation =
    program.image === undefined
      ? await isolationHere(options.memory, world)
      : containerIsolation(options);
  const configuration = join(folder, "server.conf");
  await writeFile(configuration, settingsOf(options), { mode: 0o644 });
  await handOver([folder, join(folder, "dump.rdb"), configuration], isolation);
  const began = performance.now();
  const own = program.image === undefined ? [program.path] : [];
  const [first = program.path, ...args] = [...isolation.prefix, ...own, configuration];
  const server = await stream(
    program.image === undefined
      ? { program: first, args, directory: folder, input: false, bare: true, environment: bare() }
      : { program: first, args, directory: folder, input: false },
    world,
  ).catch((error: unknown) => {
    throw new UserError(
      {
        title: "The throw-away server of Redis cannot be started",
        cause: `${error instanceof Error ? error.message : String(error)}.`,
        remedy: "Install redis-server, or name the folder where it is.",
      },
      { reason: error },
    );
  });
  const log = keepLog(server);
  try {
    const redis = await loaded(server, join(folder, "redis.sock"), log, world);
    const end = async () => {
      redis.close();
      server.end();
      await server.ended;
    };
    const loadSeconds = (performance.now() - began) / 1000;
    return { redis, loadSeconds, isolation, [Symbol.asyncDispose]: end };
  } catch (error) {
    server.end();
    await server.ended;
    throw error;
  }
}

function settingsOf({ databases, program }: ThrowAwayOptions): string {
  const checked = isAtLeast(program.version, 6, 2) ? ["sanitize-dump-payload yes"] : [];
  return [
    "port 0",
    "unixsocket redis.sock",
    "unixsocketperm 700",
    "daemonize no",
    "loglevel notice",
    'save ""',
    "appendonly no",
    "dbfilename dump.rdb",
    `databases ${databases}`,
    "replicaof 127.0.0.1 1",
    "replica-read-only yes",
    "replica-serve-stale-data yes",
    "rdbchecksum yes",
    "stop-writes-on-bgsave-error no",
    ...checked,
    "",
  ].join("\n");
}

export function isAtLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

const NOBODY = 65_534;

/** A container without network, privileges and capabilities, in which only the folder can be written. */
function containerIsolation({ folder, memory, program }: ThrowAwayOptions): Isolation {
  const own = process.getuid?.() ?? NOBODY;
  const user = own === 0 ? { uid: NOBODY, gid: NOBODY } : undefined;
  const as = user === undefined ? `${own}:${process.getgid?.() ?? NOBODY}` : `${NOBODY}:${NOBODY}`;
  const walls = ["--network", "none", "--read-only", "--cap-drop", "ALL"];
  const limits = ["--security-opt", "no-new-privileges", "--memory", String(memory)];
  const place = ["--user", as, "--volume", `${folder}:${folder}`, "--workdir", folder];
  const image = ["--entrypoint", program.path, program.image ?? ""];
  const names = ["no network", "an unprivileged user", "no way to privileges", "a limit on memory"];
  return {
    prefix: ["docker", "run", "--rm", ...walls, ...limits, ...place, ...image],
    user,
    ownProcesses: true,
    safeguards: names.map((name) => ({ name, had: true, detail: "of a container" })),
  };
}

/** What the server's user must be able to read and write. */
async function handOver(paths: readonly string[], { user }: Isolation): Promise<void> {
  if (user === undefined) return;
  for (const path of paths) await chown(path, user.uid, user.gid);
  const [folder] = paths;
  if (folder !== undefined) await chmod(folder, 0o700);
}

function bare(): Record<string, string> {
  const { PATH, LD_LIBRARY_PATH } = process.env;
  return {
    PATH: PATH ?? "/usr/bin:/bin",
    LC_ALL: "C",
    ...(LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH }),
  };
}

function keepLog(server: StreamingProgram): () => string {
  let kept = "";
  server.stdout.on("data", (chunk: Buffer) => {
    kept = (kept + chunk.toString("utf8")).slice(-LONGEST_LOG);
  });
  server.stdout.on("error", () => {});
  return () => kept;
}

async function loaded(
  server: StreamingProgram,
  socket: string,
  log: () => string,
  world: World,
): Promise<RespConnection> {
  const { signal } = world;
  const address = { host: "", port: 0, socket, tls: false, user: undefined, password: undefined };
  let over: Awaited<StreamingProgram["ended"]> | undefined;
  void server.ended.then((ended) => {
    over = ended;
  });
  for (;;) {
    signal.throwIfAborted();
    if (over !== undefined) throw whyNot(log(), `${over.message}. ${over.stderr}`);
    try {
      return await openRedis(address, { subject: "the throw-away server", silence: 0 }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      const waits = /still loading/.test(error.title) || isNotThereYet(error.reason);
      if (!waits && over === undefined && !/closed the connection/i.test(error.cause)) throw error;
    }
    await world.clock.sleep(POLL_MS, signal);
  }
}

function isNotThereYet(reason: unknown): boolean {
  return ["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(codeOf(reason) ?? "");
}

/** Tells from a server's log why it gave up. */
export function whyNot(log: string, ending: string): LoadFailed {
  const lines = log
    .split("\n")
    .map((line) => line.replace(/^\d+:[A-Z] .*? [.\-*#] /, "").trim())
    .filter((line) => line !== "");
  const find = (pattern: RegExp) => lines.find((line) => pattern.test(line));
  const version = find(/can't handle RDB format version/i);
  if (version !== undefined) return new LoadFailed("version", version);
  const module = find(/contains module|no matching module|module .*(not loaded|load)/i);
  if (module !== undefined) return new LoadFailed("module", module);
  const memory = find(/out of memory|OOM|can't allocate/i);
  if (memory !== undefined && !/short read or oom/i.test(memory)) {
    return new LoadFailed("memory", memory);
  }
  const told = find(
    /short read|internal error in rdb|wrong signature|checksum|corrupt|fatal|unknown rdb|bad file/i,
  );
  return new LoadFailed("refused", told ?? lines.at(-1) ?? ending.trim());
}
