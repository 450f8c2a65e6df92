import { UserError } from "../failure/index.ts";
import { quoteLiteral, quoteQualified, type Session, SqlFailed } from "../postgres/index.ts";
import type { Relation } from "./relations.ts";

/** One moment of a database, which every connection that names it sees. */
export interface Snapshot {
  readonly id: string;
  /** The server's clock, in milliseconds since the Unix epoch. */
  readonly taken: number;
}

/** How many tables one LOCK names. */
const LOCKED_AT_ONCE = 500;
const LOOKING_MS = 250;

export interface SnapshotOptions {
  /** What must be there as long as the snapshot is read. */
  readonly relations: readonly Relation[];
  readonly lockWaitSeconds: number;
  /** Another connection, which can see who is in the way. */
  readonly observer: Session;
}

/**
 * Locks the tables against being emptied, rewritten or dropped, and exports a snapshot. In this
 * order: a TRUNCATE between the two would be seen by the snapshot as a table that was always empty.
 * The session holds both until it ends.
 *
 * Source: the manual's page on LOCK, and "Caveats" in its chapter on MVCC.
 *
 * @throws {UserError} that names who holds a lock, when that lasts too long.
 */
export async function holdSnapshot(session: Session, options: SnapshotOptions): Promise<Snapshot> {
  const { relations, lockWaitSeconds } = options;
  const [self] = await session.query<{ readonly pid: number }>("SELECT pg_backend_pid() AS pid");
  await session.run(`SET lock_timeout = ${quoteLiteral(`${lockWaitSeconds}s`)}`);
  await session.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  await using watch = new BlockerWatch(options.observer, self?.pid ?? 0);
  const tables = relations
    .filter(({ kind }) => kind === "r" || kind === "p")
    .map(({ schema, name }) => `ONLY ${quoteQualified(schema, name)}`);
  for (let at = 0; at < tables.length; at += LOCKED_AT_ONCE) {
    const some = tables.slice(at, at + LOCKED_AT_ONCE).join(", ");
    try {
      await session.run(`LOCK TABLE ${some} IN ACCESS SHARE MODE`);
    } catch (error) {
      throw await lockFailure(error, watch, lockWaitSeconds);
    }
  }
  const [row] = await session.query<Snapshot>(
    "SELECT pg_export_snapshot() AS id, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS taken",
  );
  if (row === undefined) throw new Error("no snapshot");
  return row;
}

/** Statements that take a connection into the snapshot. */
export function enter({ id }: Snapshot): readonly string[] {
  return [
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    `SET TRANSACTION SNAPSHOT ${quoteLiteral(id)}`,
  ];
}

/** Who holds what somebody waits for. */
export interface Blocker {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string | null;
  readonly state: string | null;
  readonly seconds: number | null;
  readonly statement: string | null;
}

/** @throws {SqlFailed} */
async function blockersOf(observer: Session, pid: number): Promise<readonly Blocker[]> {
  return await observer.query<Blocker>(`
    SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
      extract(epoch FROM clock_timestamp() - a.xact_start)::int AS seconds,
      left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80) AS statement
    FROM unnest(pg_blocking_pids(${pid})) AS b (pid) JOIN pg_stat_activity a ON a.pid = b.pid`);
}

/** Looks now and then who is in the way: once the wait is over, nobody can tell any more. */
class BlockerWatch implements AsyncDisposable {
  #last: readonly Blocker[] = [];
  #looking: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;

  constructor(observer: Session, pid: number) {
    const look = async () => {
      const blockers = await blockersOf(observer, pid).catch(() => []);
      if (blockers.length > 0) this.#last = blockers;
    };
    this.#timer = setInterval(() => {
      this.#looking = look();
    }, LOOKING_MS);
    this.#timer.unref();
  }

  get last(): readonly Blocker[] {
    return this.#last;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }
}

async function lockFailure(error: unknown, watch: BlockerWatch, seconds: number): Promise<unknown> {
  if (!(error instanceof SqlFailed)) return error;
  if (error.sqlstate === "53200") return tooManyLocks(error);
  if (error.sqlstate !== "55P03") return error;
  return lockHeld(watch.last, seconds, error);
}

function tooManyLocks(error: SqlFailed): UserError {
  return new UserError(
    {
      title: "The server has no room for so many locks",
      cause: `${error.cause} A dump holds a lock on every table.`,
      remedy: "Raise max_locks_per_transaction on the server, which needs a restart.",
    },
    { reason: error },
  );
}

/** A lock that was waited for in vain. */
export function lockHeld(
  blockers: readonly Blocker[],
  seconds: number,
  reason: unknown,
): UserError {
  const who = blockers.map(
    ({ pid, user, application, state, seconds: age, statement }) =>
      `process ${pid} of ${user ?? "somebody"}${application ? ` (${application})` : ""}, ${state ?? "at work"}${age === null ? "" : `, its transaction ${age} s old`}${statement ? `: ${statement}` : ""}`,
  );
  return new UserError(
    {
      title: "A table is locked",
      cause: `A dump waited ${seconds} s for a lock on a table that somebody else holds exclusively${who.length === 0 ? "" : `: ${who.join("; ")}`}.`,
      remedy:
        who.length === 0
          ? "Back up when no ALTER TABLE, TRUNCATE, VACUUM FULL or the like runs, or allow a longer wait for locks."
          : `End that transaction (SELECT pg_terminate_backend(${blockers[0]?.pid});), back up when it is over, or allow a longer wait for locks.`,
    },
    { reason },
  );
}
