import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { UserError } from "../../failure/index.ts";
import type { Safeguard } from "../../isolation/index.ts";
import type { Place, Running } from "../../place/index.ts";
import type { World } from "../../world/index.ts";
import { eachLine } from "../restoring/lines.ts";
import { runAt, stagingAt } from "../staging.ts";
import { LimitReached, ServerGone } from "../target.ts";
import type { ServerSettings, StartedServer } from "./settings.ts";
import { configurationOf } from "./tuning.ts";

/** A container that is there for one server, and what it is. */
export interface Housing {
  readonly place: Place;
  /** `in a container of postgres:16`. */
  readonly where: string;
  /** A folder there with room for the data. */
  readonly folder: string;
  /** A folder for the socket, where it is not to be that one. */
  readonly socket?: string;
  readonly memory: number;
  readonly safeguards: readonly Safeguard[];
  /** Finds out more about them with the image's own psql. */
  safeguarding?(psql: string): Promise<readonly Safeguard[]>;
  /** Aborts when the container has reached a limit of its own. */
  readonly signal?: AbortSignal;
  /** Why the container itself came to its end; undefined where it still runs. */
  end?(): Promise<LimitReached | ServerGone | undefined>;
  /** Takes the container away. */
  dispose(): Promise<void>;
}

const READY = "database system is ready to accept connections";
const START_DEADLINE_MS = 60_000;
const FIND = `for folder in "$(dirname "$(command -v initdb)" 2> /dev/null)" /usr/lib/postgresql/*/bin /usr/local/bin; do
  [ -x "$folder/initdb" ] && [ -x "$folder/psql" ] && { echo "$folder"; "$folder/postgres" --version; exit 0; }
done
echo none`;

/**
 * Makes and starts a server in a container by the image's own programs, reachable by a socket there.
 *
 * @throws {UserError} where the image has no server, or it does not start.
 */
export async function startAt(
  housing: Housing,
  settings: ServerSettings,
  world: World,
): Promise<StartedServer> {
  const { place, folder, memory, socket = folder } = housing;
  const { bin, major } = await programsAt(housing, world);
  const psql = `${bin}/psql`;
  const safeguarding = housing.safeguarding?.(psql) ?? Promise.resolve([]);
  safeguarding.catch(() => {});
  const administrator = {
    name: `sw_${randomBytes(6).toString("hex")}`,
    password: randomBytes(24).toString("hex"),
  };
  world.secrets.add(administrator.password);
  const staging = stagingAt(place, `${folder}/dump`);
  const data = `${folder}/data`;
  const put = (name: string, text: string) =>
    staging.write(name, Readable.from([text]), world.signal);
  const password = await put("password", administrator.password);
  const initdb = [`${bin}/initdb`, `--pgdata=${data}`, `--username=${administrator.name}`];
  const how = [`--pwfile=${password}`, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"];
  await runAt(place, [...initdb, ...how, "--no-sync"], world.signal);
  const lines = configurationOf({ memory, processors: 2, jobs: settings.jobs ?? 2 }, major);
  const own = [`unix_socket_directories = '${socket}'`, "port = 5432"];
  const file = await put("settings", `${[...lines, ...own].join("\n")}\n`);
  await runAt(place, ["mv", file, `${data}/postgresql.auto.conf`], world.signal);
  await runAt(place, ["rm", password], world.signal);
  const server = await Supervised.start(housing, [`${bin}/postgres`, "-D", data], world);
  const limit = limitOf(settings, server);
  return {
    name: `a throw-away server of PostgreSQL ${major} ${housing.where}`,
    major,
    place,
    programs: { psql, pgRestore: `${bin}/pg_restore` },
    socket,
    administrator,
    staging,
    safeguards: [...(await safeguarding), ...housing.safeguards],
    signal: AbortSignal.any([world.signal, limit.signal, server.gone, ...signalsOf(housing)]),
    async [Symbol.asyncDispose]() {
      limit[Symbol.dispose]();
      server.end();
      await housing.dispose();
    },
  };
}

function signalsOf({ signal }: Housing): readonly AbortSignal[] {
  return signal === undefined ? [] : [signal];
}

async function programsAt(
  { place, where }: Housing,
  world: World,
): Promise<{ readonly bin: string; readonly major: number }> {
  const found = await runAt(place, ["sh", "-c", FIND], world.signal);
  const [bin = "", version = ""] = found.trim().split("\n");
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(version)?.[1]);
  if (major > 0) return { bin, major };
  throw new UserError({
    title: "The image has no PostgreSQL server",
    cause: `The throw-away server ${where} found no initdb, postgres and psql together.`,
    remedy: "Name an image with them in `image`, such as postgres:17.",
  });
}

function limitOf(
  { time = 6 * 3_600_000 }: ServerSettings,
  server: Supervised,
): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const timer = setTimeout(
    () => {
      server.expected = true;
      controller.abort(
        new LimitReached("time", `It took longer than its limit of ${time / 1_000} s.`),
      );
    },
    Math.min(time, 2 ** 31 - 1),
  );
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** A server's process, and what it says. */
class Supervised {
  /** Whether its end is no surprise. */
  expected = false;
  readonly #running: Running;
  readonly #housing: Housing;
  readonly #gone = new AbortController();
  readonly #log: string[] = [];

  private constructor(running: Running, housing: Housing) {
    this.#running = running;
    this.#housing = housing;
  }

  static async start(housing: Housing, argv: readonly string[], world: World): Promise<Supervised> {
    const { place } = housing;
    const running = await place.start(
      {
        program: "sh",
        args: ["-c", 'exec "$@" 2>&1', "sh", ...argv],
        environment: { LC_ALL: "C" },
      },
      world.signal,
    );
    const server = new Supervised(running, housing);
    const ready = new Promise<boolean>((resolve) => {
      const read = eachLine(running.stdout, (line) => {
        server.#note(line);
        world.log.debug(`postgres: ${line}`);
        if (line.includes(READY)) resolve(true);
      }).catch(() => {});
      void Promise.all([read, running.ended]).then(() => {
        void server.#broke();
        resolve(false);
      });
      setTimeout(() => resolve(false), START_DEADLINE_MS).unref();
    });
    if (await ready) return server;
    world.signal.throwIfAborted();
    server.end();
    throw new UserError({
      title: "The throw-away server did not start",
      cause: `PostgreSQL could not be started on ${place.name}.`,
      remedy: "See what it said below.",
      evidence: server.#log.join("\n"),
    });
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  end(): void {
    this.expected = true;
    this.#running.end();
  }

  #note(line: string): void {
    this.#log.push(line);
    if (this.#log.length > 40) this.#log.shift();
  }

  /** The server went by itself: whatever waits for it is told why. */
  async #broke(): Promise<void> {
    if (this.expected) return;
    const said = this.#log.join("\n");
    const words = this.#log.filter((line) => /FATAL|PANIC|ERROR|server process/.test(line));
    const told = words.slice(-3).join("; ") || "it ended without a word";
    const own = limitIn(said, told);
    const end = own ?? (await this.#housing.end?.().catch(() => undefined));
    if (this.expected) return;
    const gone = `The throw-away server went away while it was in use: ${told}.`;
    this.#gone.abort(end ?? new ServerGone(gone));
  }
}

/** The limit that a server ran into, by its own last words. */
function limitIn(said: string, told: string): LimitReached | undefined {
  if (/No space left on device/.test(said)) {
    return new LimitReached("disk", `The disk was full: ${told}.`);
  }
  // Nobody but the system's guard of memory kills a process in there.
  if (/server process \(PID \d+\) was terminated by signal 9/.test(said)) {
    return new LimitReached(
      "memory",
      `A process of the server was killed, which a container does at the limit of its memory: ${told}.`,
    );
  }
  return undefined;
}
