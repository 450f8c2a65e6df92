import type { DumpExamination, ExamineOptions } from "./examination.ts";
import type { FaultList } from "./fault-list.ts";
import type { Recognised } from "./format.ts";
import type { Limits } from "./limits.ts";

/** What all readers of one examination share. */
export interface Reading {
  readonly signal: AbortSignal;
  readonly faults: FaultList;
  readonly limits: Limits;
  readonly decrypt: ExamineOptions["decrypt"];
  readonly onProgress: ExamineOptions["onProgress"];
  readonly skim: boolean;
}

/** What a reader of one format gives, before it becomes an examination. */
export interface Read
  extends Pick<
    DumpExamination,
    | "recognised"
    | "rows"
    | "archive"
    | "server"
    | "dumper"
    | "sha256"
    | "storedBytes"
    | "plainBytes"
    | "unknown"
  > {
  /** Whether the rows of all tables were counted, so that they can be compared. */
  readonly countsRows: boolean;
}

export function nothingRead(recognised: Recognised): Read {
  return {
    recognised,
    rows: new Map(),
    countsRows: false,
    archive: undefined,
    server: undefined,
    dumper: undefined,
    sha256: undefined,
    storedBytes: 0,
    plainBytes: 0,
    unknown: [],
  };
}
