import type { EncodingCheck } from "./encoding-check.ts";

/** A table of a plain dump. */
export interface PlainTable {
  /** With its database in front in a dump of several. */
  readonly name: string;
  /** The line of its CREATE TABLE; undefined where there is none. */
  created: number | undefined;
  /** What it is created with; undefined where that cannot be told. */
  columns: ReadonlySet<string> | undefined;
  /** Whether it holds rows itself: partitioned tables do not. */
  holdsRows: boolean;
  /** The line where its data is announced or begins. */
  announced: number | undefined;
  hasData: boolean;
  rows: number;
}

/** One run of pg_dump in a file: pg_dumpall makes one for each database. */
interface PlainPart {
  /** 0 where the beginning is missing. */
  readonly line: number;
  /** Undefined where the file does not say. */
  readonly database: string | undefined;
  complete: boolean;
}

/** What a plain dump holds, as its text tells. */
export interface PlainFacts {
  readonly tables: Map<string, PlainTable>;
  readonly parts: PlainPart[];
  readonly sequences: Map<string, number>;
  readonly setvals: Set<string>;
  cluster: "none" | "open" | "complete";
  server: string | undefined;
  dumper: string | undefined;
  encoding: string | undefined;
  statements: number;
  /** Statements that make a table, or an extension that may bring some. */
  made: number;
  inserts: number;
  /** Code behind the end marker. */
  afterEnd: { readonly line: number; readonly text: string } | undefined;
  /** The key that \restrict was given and \unrestrict has not taken back. */
  restricted: string | undefined;
  carriageReturns: number;
  firstCarriageReturn: number | undefined;
  readonly encodingCheck: EncodingCheck;
}
