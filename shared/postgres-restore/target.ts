import type { Readable } from "node:stream";
import type { Place } from "../place/index.ts";
import type { Connection } from "../postgres/index.ts";

/**
 * In whose name something is done at a target. `administrator`: makes roles, extensions and
 * databases, and never runs what stands in a dump. `restorer`: restores, and is no superuser.
 * `reader`: reads everything, writes nothing.
 */
export type Part = "administrator" | "restorer" | "reader";

/** A server into which a dump can be restored. */
export interface RestoreTarget {
  /** For messages: `a throw-away server of PostgreSQL 16 on this machine`. */
  readonly name: string;
  readonly major: number;
  /** Where psql and pg_restore run. */
  readonly place: Place;
  /** The programs, as the place knows them. */
  readonly programs: { readonly psql: string; readonly pgRestore: string };
  /** The name of the role that plays a part; undefined where that is whoever connects. */
  role(part: Part): string | undefined;
  connection(database: string, part: Part): Connection;
  /** Room for files that pg_restore has to seek in. */
  readonly staging: Staging;
  /** Aborts when the job is cancelled or a limit is reached; its reason says which. */
  readonly signal: AbortSignal;
}

/** A private folder at a place. */
export interface Staging {
  /**
   * Writes a file, in folders as its name has them.
   *
   * @param name relative, with slashes.
   * @returns its path at the place.
   */
  write(name: string, content: Readable, signal: AbortSignal): Promise<string>;
  /**
   * Takes over a private copy that lies on this machine, where that costs no second one.
   *
   * @returns its path at the place; undefined where it has to be written.
   */
  adopt?(name: string, copy: string): Promise<string | undefined>;
  /** The path at the place of a name. */
  path(name: string): string;
}

/** A limit of a throw-away server was reached: what it was doing did not come to its end. */
export class LimitReached extends Error {
  readonly limit: "time" | "memory" | "disk";

  /** @param message one sentence with figures, its full stop included. */
  constructor(limit: LimitReached["limit"], message: string) {
    super(message);
    this.name = "LimitReached";
    this.limit = limit;
  }
}

/** The server went away by itself; the message has its own last words. */
export class ServerGone extends Error {
  override readonly name = "ServerGone";
}
