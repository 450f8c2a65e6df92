/** A COPY block of a plain dump. */
export interface CopyBlock {
  /** As the statement names it, `public."Odd Name"`. */
  readonly table: string;
  /** Undefined where the statement has no list. */
  readonly columns: readonly string[] | undefined;
  /** The line of its COPY statement, from 1. */
  readonly line: number;
  rows: number;
  /** Rows whose number of fields is not that of the columns. */
  wrongRows: number;
  firstWrong: { readonly line: number; readonly fields: number } | undefined;
}

/** A statement, without its comments; the contents of strings are kept apart. */
export interface Statement {
  readonly line: number;
  /** With empty strings in place of those it has: `SELECT setval('', 7, true)`. */
  readonly code: string;
  /** The contents of its first strings, in their order. */
  readonly strings: readonly string[];
  /** The contents of its dollar-quoted strings, as far as they are kept. */
  readonly bodies: readonly string[];
  /** Whether it is too long to have been kept whole. */
  readonly cut: boolean;
}

/** Told what a scanner comes by. */
export interface SqlListener {
  statement(statement: Statement): void;
  /** A comment from `--` to the end of the line. */
  comment(text: string, line: number): void;
  /** What psql itself would do: the line from its backslash on. */
  metaCommand(text: string, line: number): void;
  copyBegins(block: CopyBlock): void;
  copyEnds(block: CopyBlock): void;
  /** A carriage return where pg_dump writes none. */
  carriageReturn(line: number): void;
}
