import { readdir, readFile, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, UserError } from "../failure/index.ts";
import type { Isolation } from "../isolation/index.ts";
import { localPlace } from "../place/index.ts";
import { openSession, type Session } from "../postgres/index.ts";
import { bareEnvironment, isolatedPlace } from "../postgres-restore/index.ts";
import { execute } from "../process/index.ts";
import type { World } from "../world/index.ts";
import type { ClusterFolder } from "./cluster-folder.ts";
import { firstRoleNames } from "./first-role.ts";
import { type ControlFacts, configurationOf, type Goal } from "./recovery-settings.ts";

const PAUSED = "pausing at the end of recovery";
const READY = "database system is ready to accept connections";
const QUIT_MS = 20_000;
const LOG_LINES = 400;

/** How far a server came by recovery. */
export type Arrival =
  | { readonly at: "paused" | "promoted" }
  /** It ended itself; its own last words. */
  | { readonly at: "ended"; readonly words: string; readonly log: string };

/** What a server of a copied cluster needs. */
export interface RecoveryParts {
  readonly bin: string;
  readonly major: number;
  readonly folder: ClusterFolder;
  readonly isolation: Isolation;
  readonly memory: number;
  readonly control: ControlFacts;
  readonly timeline: number;
}

/**
 * A server on a copy of a cluster, reachable by a socket in a private folder and nothing else. It
 * can be started again and again, to recover further.
 */
export class RecoveryServer implements AsyncDisposable {
  readonly #parts: RecoveryParts;
  readonly #world: World;
  #log: string[] = [];
  #onLine: (line: string) => void = () => {};
  #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #isUp = false;
  /** A superuser that the cluster has; found out when first asked. */
  user = "postgres";

  constructor(parts: RecoveryParts, world: World) {
    this.#parts = parts;
    this.#world = world;
  }

  /** Starts it and waits until it has recovered to the goal, or ended. */
  async recover(goal: Goal): Promise<Arrival> {
    const { folder, bin, isolation } = this.#parts;
    await folder.put("data/postgresql.conf", configurationOf(this.#parts, folder, goal));
    await folder.put("data/postgresql.auto.conf", "");
    await folder.put("data/pg_hba.conf", "local all all trust\n");
    await folder.put("data/pg_ident.conf", "");
    if (goal !== undefined) await folder.put("data/recovery.signal", "");
    await rm(join(folder.data, "postmaster.pid"), { force: true });
    this.#log = [];
    this.#stop = new AbortController();
    const [program = "", ...args] = [...isolation.prefix, join(bin, "postgres"), "-D", folder.data];
    const arrived = Promise.withResolvers<"paused" | "promoted">();
    this.#onLine = (line) => {
      if (line.includes(PAUSED)) arrived.resolve("paused");
      if (line.includes(READY)) arrived.resolve("promoted");
    };
    const running = execute(
      { program, args, directory: folder.path, environment: bareEnvironment(), leashed: true },
      {
        signal: AbortSignal.any([this.#stop.signal, this.#world.signal]),
        secrets: this.#world.secrets,
        keep: 1,
        onLine: (line) => {
          this.#note(line);
          this.#onLine(line);
        },
      },
    );
    this.#isUp = true;
    this.#ended = running.then(
      () => {},
      () => {},
    );
    const gone = this.#ended.then(() => undefined);
    const at = await Promise.race([arrived.promise, gone]);
    this.#world.signal.throwIfAborted();
    if (at !== undefined) return { at };
    this.#isUp = false;
    return { at: "ended", words: this.#lastWords(), log: this.#log.slice(-30).join("\n") };
  }

  /**
   * Lets it end recovery where it has paused, and open for writing there.
   *
   * @throws {UserError} where it ended itself in place of that.
   */
  async open(): Promise<void> {
    const opened = Promise.withResolvers<"opened">();
    this.#onLine = (line) => {
      if (line.includes(READY)) opened.resolve("opened");
    };
    await using session = await this.session("postgres");
    await session.query("SELECT pg_wal_replay_resume()");
    const at = await Promise.race([opened.promise, this.#ended]);
    this.#world.signal.throwIfAborted();
    if (at === "opened") return;
    this.#isUp = false;
    throw new UserError({
      title: "Recovery failed",
      cause: `The server that had recovered to the moment did not open there: ${this.#lastWords()}.`,
      remedy: "See what the server said, and run again.",
      evidence: this.#log.slice(-30).join("\n"),
    });
  }

  #note(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES) this.#log.shift();
    this.#world.log.debug(`postgres: ${line}`);
  }

  #lastWords(): string {
    const grave = this.#log.filter((line) => /(FATAL|PANIC): /.test(line));
    const told = (grave.at(0) ?? this.#log.at(-1) ?? "it said nothing").replace(
      /^.*?(FATAL|PANIC): {2}/,
      "",
    );
    return told.replace(/\.$/, "");
  }

  /** Whether a line of its log holds the words. */
  said(words: RegExp): string | undefined {
    return this.#log.find((line) => words.test(line));
  }

  /** Of a database, as its superuser; it writes nothing unless told otherwise. */
  session(database: string, user = this.user): Promise<Session> {
    const { bin, folder, isolation } = this.#parts;
    const place = isolatedPlace(localPlace(this.#world.secrets), isolation);
    const connection = {
      subject: `database ${database} of a throw-away server of PostgreSQL ${this.#parts.major} on this machine`,
      conninfo: "",
      environment: {
        PGHOST: folder.path,
        PGPORT: "5432",
        PGUSER: user,
        PGDATABASE: database,
        PGOPTIONS: "-c search_path=pg_catalog -c default_transaction_read_only=on",
        PGSSLMODE: "disable",
        PGGSSENCMODE: "disable",
        HOME: folder.path,
      },
    };
    return openSession(place, connection, { psql: join(bin, "psql"), signal: this.#world.signal });
  }

  /** How programs of this machine reach a database of it; no setting of the environment's counts. */
  urlOf(database: string): string {
    const parameters = new URLSearchParams({
      host: this.#parts.folder.path,
      ...{ port: "5432", user: this.user, dbname: database, sslmode: "disable" },
      ...{ gssencmode: "disable", channel_binding: "prefer", target_session_attrs: "any" },
      options: "-c default_transaction_read_only=on",
    });
    // libpq does not take a plus for a space.
    return `postgresql:///?${parameters.toString().replaceAll("+", "%20")}`;
  }

  /** Names that the first role of the cluster has had, newest last, from its own file. */
  async ownerNames(): Promise<readonly string[]> {
    return await firstRoleNames(this.#parts.folder.data);
  }

  /** Ends it in good order, so that its files are whole on the disk. */
  async halt(): Promise<void> {
    if (!this.#isUp) return;
    const id = await this.#postmaster();
    const late = new AbortController();
    if (id !== undefined) {
      signalTo(id, "SIGINT");
      await Promise.race([
        this.#ended,
        this.#world.clock.sleep(QUIT_MS, late.signal).catch(() => {}),
      ]);
    }
    late.abort();
    this.#stop.abort();
    await this.#ended;
    this.#isUp = false;
  }

  /**
   * The server's first process as this machine numbers it; what it wrote down itself is its number
   * in a namespace of its own.
   */
  async #postmaster(): Promise<number | undefined> {
    const { folder, isolation } = this.#parts;
    if (!isolation.ownProcesses) {
      const file = await readFile(join(folder.data, "postmaster.pid"), "utf8").catch(() => "");
      return Number(file.split("\n", 1)[0]) || undefined;
    }
    const numbers = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
    const own: number[] = [];
    for (const number of numbers) {
      const directory = await readlink(`/proc/${number}/cwd`).catch(() => "");
      if (directory === folder.data) own.push(Number(number));
    }
    // The processes of a server are children of the first one.
    return own.length === 0 ? undefined : Math.min(...own);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    this.#isUp = false;
  }
}

function signalTo(id: number, name: NodeJS.Signals): void {
  try {
    process.kill(id, name);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}
