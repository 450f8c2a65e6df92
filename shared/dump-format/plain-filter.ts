import { Transform, type TransformCallback } from "node:stream";
import { UserError } from "../failure/index.ts";
import { type EntryHeader, entryHeaderOf } from "./entry-header.ts";
import { hostilityOf, metaHostility } from "./hostile.ts";
import type { SqlListener, Statement } from "./sql-listener.ts";
import { SqlScanner } from "./sql-scanner.ts";

export interface PlainFilterOptions {
  /**
   * Leaves statements out: given each statement's text without comments, and the header of the
   * entry that pg_dump put it under. COPY with its rows cannot be left out.
   */
  readonly skip?: (code: string, header: EntryHeader | undefined) => boolean;
  /**
   * Given to psql's \restrict in front of everything, so that psql itself refuses its commands too.
   * Only a psql of 2025-08-14 or later (14.19, 15.14, 16.10, 17.6, 18) knows it.
   */
  readonly restrictKey?: string;
  /** Lets statements through that the scanner doubts (DO, ALTER SYSTEM, COPY PROGRAM). */
  readonly allowDoubtful?: boolean;
  /** Lets `\connect` of a dump of several databases through. */
  readonly allowConnect?: boolean;
  /** Leaves out the one `\connect` of `pg_dump --create`; a second one is refused. */
  readonly dropConnect?: boolean;
}

/** A statement that is only held back so long, to be left out or not. */
const LONGEST_HELD = 4_194_304;

/**
 * Passes a plain dump on to psql, and fails before any byte of a command of psql, of a statement
 * that reaches out of the database, or of a COPY whose end psql could see elsewhere, is passed on.
 *
 * @throws {UserError} as the stream's error, with the line.
 */
export function plainSqlFilter(options: PlainFilterOptions = {}): Transform {
  return new PlainFilter(options);
}

class PlainFilter extends Transform implements SqlListener {
  readonly #scanner = new SqlScanner(this);
  readonly #options: PlainFilterOptions;
  #header: EntryHeader | undefined;
  /** Bytes that are not passed on yet, and where they begin in the file. */
  #held: Buffer[] = [];
  #heldFrom = 0;
  #heldBytes = 0;
  #refused: UserError | undefined;
  #connected = false;

  constructor(options: PlainFilterOptions) {
    super();
    this.#options = options;
    if (options.restrictKey !== undefined) this.push(`\\restrict ${options.restrictKey}\n`);
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    this.#scanner.push(chunk);
    if (this.#refused === undefined) {
      const rows = this.#scanner.isInRows;
      if (rows || this.#heldBytes > LONGEST_HELD) this.#pass(this.#heldFrom + this.#heldBytes);
    }
    done(this.#refused ?? null);
  }

  override _flush(done: TransformCallback): void {
    this.#scanner.end();
    if (this.#refused === undefined) {
      this.#pass(this.#heldFrom + this.#heldBytes);
      const key = this.#options.restrictKey;
      if (key !== undefined) this.push(`\n\\unrestrict ${key}\n`);
    }
    done(this.#refused ?? null);
  }

  statement(statement: Statement): void {
    if (this.#refused !== undefined) return;
    const doubts = hostilityOf(statement).filter(({ weight }) => weight === "doubt");
    const [first] = doubts;
    if (first !== undefined && this.#options.allowDoubtful !== true) {
      this.#refuse(statement.line, `The statement ${first.what}`, statement.code);
    } else if (this.#options.skip?.(statement.code, this.#header) === true) {
      this.#drop(this.#scanner.position);
    } else this.#pass(this.#scanner.position);
  }

  comment(text: string): void {
    this.#header = entryHeaderOf(text) ?? this.#header;
    if (!this.#scanner.isInStatement) this.#pass(this.#scanner.position);
  }

  metaCommand(text: string, line: number): void {
    if (this.#refused !== undefined) return;
    const command = text.trim();
    const restrict = /^\\(un)?restrict /.test(command);
    const own = !restrict && this.#options.dropConnect === true && !this.#connected;
    const allowed = restrict || own || this.#options.allowConnect === true;
    const reason = metaHostility(command) ?? (allowed ? undefined : "connects to another database");
    if (reason !== undefined || this.#scanner.isInStatement) {
      this.#refuse(line, `A command of psql ${reason ?? "stands inside of a statement"}`, command);
    } else if (restrict || own) {
      this.#connected ||= own;
      this.#drop(this.#scanner.position);
    } else this.#pass(this.#scanner.position);
  }

  copyBegins(): void {
    this.#pass(this.#scanner.position);
  }

  copyEnds(): void {
    this.#pass(this.#scanner.position);
  }

  carriageReturn(): void {
    // What it does to rows shows in the rows.
  }

  #pass(until: number): void {
    if (this.#refused !== undefined) return;
    for (const part of this.#takeHeld(until)) this.push(part);
  }

  #drop(until: number): void {
    // Lines are kept, so that the numbers in psql's messages are those of the dump.
    let lines = 0;
    for (const part of this.#takeHeld(until)) {
      for (let at = part.indexOf(10); at !== -1; at = part.indexOf(10, at + 1)) lines += 1;
    }
    if (lines > 0) this.push("\n".repeat(lines));
  }

  *#takeHeld(until: number): Generator<Buffer> {
    while (this.#heldFrom < until) {
      const first = this.#held[0];
      if (first === undefined) return;
      const part = first.subarray(0, until - this.#heldFrom);
      if (part.length === first.length) this.#held.shift();
      else this.#held[0] = first.subarray(part.length);
      this.#heldFrom += part.length;
      this.#heldBytes -= part.length;
      yield part;
    }
  }

  #refuse(line: number, what: string, text: string): void {
    this.#refused = new UserError({
      title: "Hostile dump",
      cause: `${what}, at line ${line}: ${JSON.stringify(text.slice(0, 120))}.`,
      remedy: "It was not run. Find out who wrote the dump and why before restoring it anywhere.",
    });
  }
}

const POST_DATA = [
  /^CREATE\s+(UNIQUE\s+)?INDEX\b/i,
  /^ALTER\s+(FOREIGN\s+)?TABLE\s+(ONLY\s+)?(?:"(?:[^"]|"")*"|[^\s"])+\s+(ADD\s+CONSTRAINT|CLUSTER\s+ON|REPLICA\s+IDENTITY|ENABLE|DISABLE|FORCE)\b/i,
  /^ALTER\s+INDEX\b/i,
  /^CREATE\s+(OR\s+REPLACE\s+)?(CONSTRAINT\s+)?TRIGGER\b/i,
  /^CREATE\s+(EVENT\s+TRIGGER|RULE|POLICY|PUBLICATION|SUBSCRIPTION|STATISTICS)\b/i,
  /^ALTER\s+(EVENT\s+TRIGGER|PUBLICATION|SUBSCRIPTION|STATISTICS)\b/i,
  /^REFRESH\s+MATERIALIZED\s+VIEW\b/i,
  /^COMMENT\s+ON\s+(INDEX|CONSTRAINT|TRIGGER|EVENT\s+TRIGGER|RULE|POLICY|PUBLICATION|SUBSCRIPTION|STATISTICS)\b/i,
];

/** Whether a statement of a plain dump belongs to the section after the data. */
export function isPostDataStatement(code: string): boolean {
  return POST_DATA.some((pattern) => pattern.test(code));
}
