/** Where a use case tells its story. Text may hold anything: the log makes it safe to print. */
export interface Log {
  info(text: string): void;
  /** For the reader who turned step debugging on. */
  debug(text: string): void;
  /** A line in the log and an annotation on the run. */
  warning(text: string, title?: string): void;
  /** A folded block. */
  group(title: string, lines: readonly string[]): void;
}

/** A log that goes nowhere. */
export const silentLog: Log = { info() {}, debug() {}, warning() {}, group() {} };
