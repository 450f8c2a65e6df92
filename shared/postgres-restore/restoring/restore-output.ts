import { subjectOf } from "../dump/grammar.ts";
import type { Problem } from "./problems.ts";

/** What pg_restore said, taken apart. */
export interface RestoreOutput {
  readonly problems: readonly (Problem & { readonly entry: number | undefined })[];
  /** Entries of which something failed, however many. */
  readonly failed: ReadonlySet<number>;
  /** Problems beyond the number that is kept. */
  readonly more: number;
  /** What ended it, where it did not go on after an error. */
  readonly fatal: string | undefined;
}

const MOST_PROBLEMS = 200;
/** Of one error, with its statement. */
const MOST_LINES = 2_000;
const ENTRY = /^pg_restore: from TOC entry (\d+); \d+ \d+ (.+)$/;
const ERROR = /^pg_restore: error: (.*)$/;
const BEGINS_ROWS =
  /^pg_restore: (?:entering main parallel loop|processing data for table |restoring (?:large object|BLOB)|executing (?:SEQUENCE SET|BLOBS|LARGE OBJECTS) )/;

/** Reads what pg_restore says, line by line as it comes. */
export class RestoreOutputReader {
  readonly #problems: (Problem & { readonly entry: number | undefined })[] = [];
  readonly #failed = new Set<number>();
  #onRows: (() => void) | undefined;
  #more = 0;
  #wentOn = false;
  #entry: { readonly id: number; readonly told: string } | undefined;
  #error: { said: string; lines: string[] } | undefined;

  /** @param onRows called once, at the first word of rows. */
  constructor(onRows?: () => void) {
    this.#onRows = onRows;
  }

  line(line: string): void {
    if (this.#onRows !== undefined && BEGINS_ROWS.test(line)) {
      this.#onRows();
      this.#onRows = undefined;
    }
    if (/^pg_restore: warning: errors ignored on restore/.test(line)) this.#wentOn = true;
    const entry = ENTRY.exec(line);
    const error = ERROR.exec(line);
    if (entry === null && error === null && !line.startsWith("pg_restore: ")) {
      if (this.#error !== undefined && this.#error.lines.length < MOST_LINES) {
        this.#error.lines.push(line);
      }
      return;
    }
    this.#finish();
    if (entry !== null) this.#entry = { id: Number(entry[1]), told: entry[2] ?? "" };
    else if (error !== null) this.#error = { said: error[1] ?? "", lines: [] };
  }

  end(exitCode: number | undefined): RestoreOutput {
    this.#finish();
    const [failed, more] = [this.#failed, this.#more];
    if (exitCode === 0 || this.#wentOn) {
      return { problems: this.#problems, failed, more, fatal: undefined };
    }
    // What it did not go on after is the last that it said.
    const problems = this.#problems.slice(0, -1);
    const fatal = this.#problems.at(-1)?.said ?? "it ended without a word";
    return { problems, failed, more, fatal };
  }

  #finish(): void {
    if (this.#error === undefined) return;
    const { said, lines } = this.#error;
    this.#error = undefined;
    if (this.#entry !== undefined) this.#failed.add(this.#entry.id);
    if (this.#problems.length >= MOST_PROBLEMS) {
      this.#more += 1;
      return;
    }
    const at = lines.findIndex((line) => line.startsWith("Command was: "));
    const command = at < 0 ? undefined : lines.slice(at).join("\n").slice("Command was: ".length);
    const details = (at < 0 ? lines : lines.slice(0, at)).filter((line) =>
      /^(?:DETAIL|CONTEXT): /.test(line),
    );
    this.#problems.push({
      subject: this.#subject(said, command),
      said: [wordsOf(said), ...details.map((line) => line.replace(/\s+/g, " "))].join("; "),
      where: this.#entry === undefined ? "its beginning" : `TOC entry ${this.#entry.id}`,
      statement: command,
      entry: this.#entry?.id,
    });
  }

  #subject(said: string, command: string | undefined): string {
    if (this.#entry !== undefined) return subjectOfEntry(this.#entry.told);
    const table = /^COPY failed for table "([^"]+)"/.exec(said)?.[1];
    if (table !== undefined) return `table ${table}`;
    return command === undefined ? "dump" : subjectOf(command);
  }
}

/** `could not execute query: ERROR:  words` and its like, down to the words. */
function wordsOf(said: string): string {
  return said
    .replace(
      /^(?:could not execute query|COPY failed for table "[^"]*"|error returned by PQputCopyData): /,
      "",
    )
    .replace(/^ERROR: +/, "");
}

const KINDS =
  /^(ACCESS METHOD|BLOB METADATA|CHECK CONSTRAINT|DATABASE PROPERTIES|DEFAULT ACL|EVENT TRIGGER|FK CONSTRAINT|FOREIGN DATA WRAPPER|FOREIGN TABLE|INDEX ATTACH|LARGE OBJECT|MATERIALIZED VIEW DATA|MATERIALIZED VIEW|OPERATOR CLASS|OPERATOR FAMILY|PROCEDURAL LANGUAGE|PUBLICATION TABLES IN SCHEMA|PUBLICATION TABLE|ROW SECURITY|SECURITY LABEL|SEQUENCE OWNED BY|SEQUENCE SET|SHELL TYPE|STATISTICS DATA|SUBSCRIPTION TABLE|TABLE ATTACH|TABLE DATA|TEXT SEARCH (?:CONFIGURATION|DICTIONARY|PARSER|TEMPLATE)|USER MAPPING|[A-Z]+) (.*)$/;

/** `TABLE DATA orders alice` is about `table orders`. */
export function subjectOfEntry(told: string): string {
  const [, kind = "", rest = told] = KINDS.exec(told) ?? [];
  const name = rest.replace(/^- /, "").replace(/ \S*$/, "");
  const noun =
    kind === "TABLE DATA" ? "table" : kind === "SEQUENCE SET" ? "sequence" : kind.toLowerCase();
  return `${noun} ${name}`.trim();
}

/** The kind of an entry of `pg_restore --list`, such as `TABLE DATA`. */
export function kindOfEntry(told: string): string {
  return KINDS.exec(told)?.[1] ?? "";
}
