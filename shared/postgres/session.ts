import { UserError } from "../failure/index.ts";
import type { Ended, Place, Running } from "../place/index.ts";
import { type Answer, Marks } from "./answers.ts";
import { type Connection, environmentOf } from "./connection.ts";
import { connectionFailure } from "./connection-failure.ts";
import { FIXED_SETTINGS } from "./fixed-settings.ts";
import { SqlFailed } from "./sql-failed.ts";
import { NoStatement, statementIn } from "./statement.ts";

/** A connection to a server, with every setting fixed that changes how values are written. */
export interface Session {
  /**
   * The rows of one SELECT (or VALUES, TABLE, WITH), each as the object that `row_to_json` makes of
   * it. Numbers beyond 2^53 have to be cast to text. Statements wait for one another.
   *
   * @param sql nothing in it has a meaning for psql: what might is refused.
   * @throws {SqlFailed} when the server refuses it; {UserError} when the connection is lost.
   */
  query<T>(sql: string): Promise<T[]>;
  /**
   * Runs one statement for what it does; its rows, if any, go by. COPY has no streams here.
   *
   * @throws {SqlFailed} when the server refuses it; {UserError} when the connection is lost.
   */
  run(sql: string): Promise<void>;
  /** Where psql came to be connected to, of several hosts perhaps. */
  readonly endpoint: Endpoint;
  /** Ends the connection; an open transaction is rolled back. Never rejects. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** One server, as libpq names it. */
export interface Endpoint {
  /** Or the folder of its socket. */
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
}

export interface SessionOptions {
  /** Ends the session when it aborts. */
  readonly signal: AbortSignal;
  /** The program; `psql` from the PATH unless said. */
  readonly psql?: string | undefined;
  /** Statements to run at once after the settings, each on its own. */
  readonly first?: readonly string[];
}

/**
 * Connects, by a psql that lives as long as the session.
 *
 * @throws {UserError} that says why there is no connection, and what to do.
 */
export async function openSession(
  place: Place,
  connection: Connection,
  options: SessionOptions,
): Promise<Session> {
  const { signal, psql = "psql", first = [] } = options;
  const running = await place.start(
    {
      program: psql,
      args: ["-X", "-q", "-A", "-t", "-0", "-w", "-d", connection.conninfo],
      environment: environmentOf(connection),
      input: true,
    },
    signal,
  );
  const session = new PsqlSession(running, { place, connection, signal });
  try {
    await session.greet();
    for (const statement of [...FIXED_SETTINGS, ...first]) await session.run(statement);
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

interface Surroundings {
  readonly place: Place;
  readonly connection: Connection;
  readonly signal: AbortSignal;
}

/** psql tells of errors by variables since 11. */
const OLDEST_PSQL = 110_000;
/** Each value as a record of its own, for names may hold anything but a NUL. */
const GREETING = "SELECT unnest(ARRAY[:'VERSION_NUM', :'HOST', :'PORT', :'DBNAME', :'USER']);";

function tooOld({ name }: Place): UserError {
  return new UserError({
    title: "psql is too old",
    cause: `psql on ${name} is older than PostgreSQL 11, and does not tell of errors in a way that can be relied on.`,
    remedy: "Install PostgreSQL's client programs of the server's major version.",
  });
}

/** How long psql may take to go when it is told to. */
const GOODBYE_MS = 2_000;

class PsqlSession implements Session {
  readonly #running: Running;
  readonly #around: Surroundings;
  readonly #marks = new Marks();
  /** Done when the last statement so far has been answered. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting: { resolve(text: string): void; reject(error: Error): void } | undefined;
  #chunks: Buffer[] = [];
  #over: Ended | undefined;
  #endpoint: Endpoint | undefined;

  constructor(running: Running, around: Surroundings) {
    this.#running = running;
    this.#around = around;
    // How psql ended tells why nothing can be written to it.
    running.stdin.on("error", () => {});
    running.stdout.on("error", () => {});
    running.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    void running.ended.then((ended) => {
      this.#over = ended;
      this.#waiting?.reject(this.#lost());
    });
  }

  /** Waits until psql is connected and reads what it is told. */
  async greet(): Promise<void> {
    const { records } = await this.#ask(GREETING);
    const [release = "", host = "", port = "", database = "", user = ""] = records;
    if (!(Number(release) >= OLDEST_PSQL)) throw tooOld(this.#around.place);
    this.#endpoint = { host, port, database, user };
  }

  get endpoint(): Endpoint {
    if (this.#endpoint === undefined) throw new Error("not connected yet");
    return this.#endpoint;
  }

  async query<T>(sql: string): Promise<T[]> {
    // A name that no column has, for it would be taken first.
    const { records } = await this.#ask(
      `SELECT pg_catalog.row_to_json("the row") FROM (\n${this.#statement(sql)}\n) AS "the row"\n;`,
    );
    return records.map((record) => JSON.parse(record) as T);
  }

  async run(sql: string): Promise<void> {
    await this.#ask(`${this.#statement(sql)}\n;`);
  }

  /** What could not be told from instructions for psql is refused as the server would do it. */
  #statement(sql: string): string {
    try {
      return statementIn(sql);
    } catch (error) {
      if (!(error instanceof NoStatement)) throw error;
      throw new SqlFailed("42601", `${error.message}: ${sql.trim().slice(0, 80)}`, "Seaworthy");
    }
  }

  async close(): Promise<void> {
    if (this.#over === undefined) {
      this.#running.stdin.end("\\q\n");
      const late = setTimeout(
        () => this.#running.end(),
        this.#waiting === undefined ? GOODBYE_MS : 0,
      );
      await this.#running.ended;
      clearTimeout(late);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask(statement: string): Promise<Answer> {
    const asked = this.#last.then(() => this.#answerTo(statement));
    this.#last = asked.catch(() => {});
    return asked;
  }

  async #answerTo(statement: string): Promise<Answer> {
    if (this.#over !== undefined) throw this.#lost();
    const whole = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#running.stdin.write(this.#marks.around(statement));
    let text: string;
    try {
      text = await whole;
    } finally {
      this.#waiting = undefined;
      this.#chunks = [];
    }
    const answer = this.#marks.read(text);
    if (answer.sqlstate === "00000") return answer;
    if (isLoss(answer)) {
      // psql goes when its connection is gone; what it wrote tells more.
      await this.close();
      throw this.#lost();
    }
    throw new SqlFailed(answer.sqlstate, answer.message, this.#around.connection.subject);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    const { length } = this.#marks;
    const last = this.#chunks.slice(-length);
    if (!this.#marks.endsIn(Buffer.concat(last).subarray(-length))) return;
    this.#waiting?.resolve(Buffer.concat(this.#chunks).toString("utf8"));
  }

  #lost(): Error {
    const { signal, connection, place } = this.#around;
    if (signal.aborted) return asError(signal.reason);
    const { stderr = "", message = "" } = this.#over ?? {};
    return connectionFailure({
      connection,
      place: place.name,
      stderr: stderr || message,
      connected: this.#endpoint !== undefined,
    });
  }
}

/** Errors of the connection have no code, or one of class 08; 57P01 to 57P05 end it. */
function isLoss({ sqlstate }: Answer): boolean {
  return sqlstate === "" || /^(08|57P0)/.test(sqlstate);
}

function asError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new UserError({
        title: "Cancelled",
        cause: "The job was cancelled.",
        remedy: "Run it again.",
      });
}
