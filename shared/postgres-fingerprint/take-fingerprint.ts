import { CatalogEntries, questionsFor } from "./catalog/read-catalog.ts";
import { Contents, hex, piecesOf, type Reading } from "./contents.ts";
import type { PostgresFingerprint, TableContent } from "./fingerprint.ts";
import { readHeartbeat } from "./heartbeat.ts";
import { readLargeObjects } from "./large-objects.ts";
import { type Division, divide, divisionOf } from "./parts.ts";
import { type Exclusions, Selection } from "./selection.ts";
import { readSequences } from "./sequences.ts";
import { type Facts, readFacts } from "./server-facts.ts";
import type { Named, Reader, Sessions } from "./sessions.ts";
import { type ListedTable, listTables } from "./table-list.ts";

export interface FingerprintOptions {
  /** How many connections read at once. */
  readonly parallel: number;
  readonly excluded?: Exclusions;
  /** Only these tables are in the dump, when given. */
  readonly includedOnly?: readonly Named[] | undefined;
  /** Only these schemas are in the dump, when given: nothing that is in none. */
  readonly includedSchemas?: readonly string[] | undefined;
  /** A column, `schema.table.column`, or a query for one value. */
  readonly heartbeat?: string | undefined;
  /** The fingerprint that this one is to be compared with: tables are divided alike. */
  readonly like?: PostgresFingerprint | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: FingerprintProgress) => void) | undefined;
  /**
   * Called when all sequences were read. They know no snapshot: a dump that reads them earlier may
   * hold less than the fingerprint of a busy database says.
   */
  readonly onSequences?: (() => void) | undefined;
}

export interface FingerprintProgress {
  /** Of tables, read so far and in all. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/**
 * Reads what a database holds: its catalog, every table's rows as a count and a hash, sequences and
 * large objects. It only ever reads, and every session must see the same snapshot, inside of a
 * transaction.
 *
 * @throws {SqlFailed} when the server refuses something; {UserError} when a connection is lost.
 */
export async function takeFingerprint(
  sessions: Sessions,
  options: FingerprintOptions,
): Promise<PostgresFingerprint> {
  const crew = new Crew(sessions, options.signal);
  try {
    const first = await crew.first();
    const selection = new Selection(options);
    const sequences = await readSequences(first, (sequence) =>
      selection.holds(sequence, sequence.extension),
    );
    options.onSequences?.();
    const facts = await readFacts(first);
    const listed = (await listTables(first)).filter((table) =>
      selection.holds(table, table.extension),
    );
    const readings = await plan(first, listed, { options, facts, selection });
    const entries = new CatalogEntries();
    const contents = new Contents();
    const { like } = options;
    // Where nothing differs, which is usual, nobody asks where: ranges of keys cost a fifth more.
    const wholes = like === undefined ? readings : readings.map(undivided);
    let largeObjects = { count: 0, bytes: 0, hash: hex(0n), owners: {} };
    const pieces = piecesOf(wholes, options.parallel);
    const progress = progressOf(pieces, options.onProgress);
    await crew.work(options.parallel, [
      ...pieces.slice(0, 1).map((piece) => async (reader: Reader) => {
        await contents.read(reader, piece);
        progress(piece.bytes);
      }),
      ...questionsFor(majorOf(facts)).map(
        (question) => (reader: Reader) => entries.ask(reader, question),
      ),
      async (reader: Reader) => {
        if (!selection.holdsLargeObjects) return;
        largeObjects = await readLargeObjects(reader, options.like?.largeObjects);
      },
      ...pieces.slice(1).map((piece) => async (reader: Reader) => {
        await contents.read(reader, piece);
        progress(piece.bytes);
      }),
    ]);
    const differing = like === undefined ? [] : differingFrom(like, readings, contents);
    const divided = new Contents();
    await crew.work(
      options.parallel,
      piecesOf(differing, options.parallel).map(
        (piece) => (reader: Reader) => divided.read(reader, piece),
      ),
    );
    const contentOf = (reading: Reading) =>
      differing.includes(reading)
        ? divided.of(reading)
        : {
            ...contents.of(like === undefined ? reading : undivided(reading)),
            ...partsOf(like, reading),
          };
    const { heartbeat } = options;
    return {
      schema: 1,
      ...facts,
      catalog: selection.catalog(entries.catalog()),
      tables: tablesOf(listed, readings, contentOf, { facts, selection }),
      sequences,
      largeObjects,
      ...(heartbeat === undefined ? {} : { heartbeat: await readHeartbeat(first, heartbeat) }),
      excluded: selection.phrases,
    };
  } finally {
    await crew.dismiss();
  }
}

function majorOf({ server }: Facts): number {
  return Math.floor(server.versionNumber / 10_000);
}

interface Circumstances {
  readonly facts: Facts;
  readonly selection: Selection;
}

function whyUnread(
  table: ListedTable,
  { facts, selection }: Circumstances,
): TableContent["unread"] {
  if (!selection.holdsDataOf(table)) return "excluded";
  if (!table.populated) return "not populated";
  return table.unlogged && facts.server.standby ? "unlogged on a standby" : undefined;
}

async function plan(
  reader: Reader,
  listed: readonly ListedTable[],
  circumstances: Circumstances & { readonly options: FingerprintOptions },
): Promise<readonly Reading[]> {
  const { like } = circumstances.options;
  const read = listed.filter((table) => whyUnread(table, circumstances) === undefined);
  const divisions =
    like === undefined
      ? await divide(reader, read)
      : new Map<string, Division>(
          read.map(({ qualified, columns }) => {
            const division = divisionOf(like.tables[qualified]?.parts);
            return [
              qualified,
              isPossible(division, columns) ? division : { by: "nothing" },
            ] as const;
          }),
        );
  return read.map((table) => ({
    table,
    division: divisions.get(table.qualified) ?? WHOLE,
  }));
}

const WHOLE: Division = { by: "nothing" };

function undivided({ table }: Reading): Reading {
  return { table, division: WHOLE };
}

/** The tables that do not hold the rows that they are expected to. */
function differingFrom(
  { tables }: PostgresFingerprint,
  readings: readonly Reading[],
  contents: Contents,
): readonly Reading[] {
  return readings.filter((reading) => {
    if (reading.division.by === "nothing") return false;
    const { rows, hash } = contents.of(undivided(reading));
    const expected = tables[reading.table.qualified];
    return rows !== expected?.rows || hash !== expected.hash;
  });
}

/** Those of a table whose rows are all the same. */
function partsOf(
  like: PostgresFingerprint | undefined,
  { table, division }: Reading,
): Pick<TableContent, "parts"> {
  const parts = division.by === "nothing" ? undefined : like?.tables[table.qualified]?.parts;
  return parts === undefined ? {} : { parts };
}

/** Whether the table still has the column that its rows are to be divided by, with its type. */
function isPossible(division: Division, columns: ListedTable["columns"]): boolean {
  if (division.by !== "key") return true;
  return columns.some(({ name, type }) => name === division.column && type === division.type);
}

function tablesOf(
  listed: readonly ListedTable[],
  readings: readonly Reading[],
  contentOf: (reading: Reading) => TableContent,
  circumstances: Circumstances,
): Readonly<Record<string, TableContent>> {
  const byName = new Map(readings.map((reading) => [reading.table.qualified, reading]));
  return Object.fromEntries(
    listed.map((table) => {
      const passing = passingOf(table);
      const reading = byName.get(table.qualified);
      const content: TableContent =
        reading === undefined
          ? {
              rows: 0,
              bytes: table.bytes,
              hash: hex(0n),
              unread: whyUnread(table, circumstances),
            }
          : contentOf(reading);
      const extension = table.extension ?? undefined;
      return [
        table.qualified,
        {
          ...content,
          ...(passing === undefined ? {} : { passing }),
          ...(extension === undefined ? {} : { extension }),
        },
      ];
    }),
  );
}

function passingOf({ kind, unlogged }: ListedTable): TableContent["passing"] {
  if (kind === "materialized view") return "materialized view";
  return unlogged ? "unlogged" : undefined;
}

function progressOf(
  pieces: readonly { readonly bytes: number }[],
  tell: FingerprintOptions["onProgress"],
): (bytes: number) => void {
  const totalBytes = Math.round(pieces.reduce((sum, piece) => sum + piece.bytes, 0));
  let bytes = 0;
  return (more) => {
    bytes += more;
    tell?.({ bytes: Math.min(totalBytes, Math.round(bytes)), totalBytes });
  };
}

/**
 * For this transaction: nothing is gained by compiling these queries, and the server's own parallel
 * workers would come on top of the connections that were asked for. A database in SQL_ASCII may hold
 * any bytes, which have to be let through as they are.
 */
const SETTINGS = `SELECT set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true),
  set_config('client_encoding', CASE current_setting('server_encoding') WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END, true)`;

type Task = (reader: Reader) => Promise<void>;

/** Connections that take the next task whenever they are done with one. */
class Crew {
  readonly #sessions: Sessions;
  readonly #signal: AbortSignal;
  readonly #readers: Reader[] = [];

  constructor(sessions: Sessions, signal: AbortSignal) {
    this.#sessions = sessions;
    this.#signal = signal;
  }

  async first(): Promise<Reader> {
    return this.#readers[0] ?? (await this.#open());
  }

  async #open(): Promise<Reader> {
    this.#signal.throwIfAborted();
    const reader = await this.#sessions.open();
    this.#readers.push(reader);
    await reader.query(SETTINGS);
    return reader;
  }

  /** Does all tasks, begun in their order; the first failure ends it. */
  async work(parallel: number, tasks: readonly Task[]): Promise<void> {
    let next = 0;
    let failed = false;
    const worker = async (reader: Reader) => {
      while (!failed) {
        const task = tasks[next];
        next += 1;
        if (task === undefined) return;
        this.#signal.throwIfAborted();
        try {
          await task(reader);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const wanted = Math.max(1, Math.min(parallel, tasks.length));
    const readers = [...this.#readers];
    const workers = Array.from({ length: wanted }, async (_, index) => {
      await worker(readers[index] ?? (await this.#open()));
    });
    const ends = await Promise.allSettled(workers);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.#readers.map((reader) => reader.close()));
  }
}
