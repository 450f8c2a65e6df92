import type { Readable, Writable } from "node:stream";

/** A program and its arguments, to run at a place: never a line for a shell. */
export interface PlaceCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment there; never shown. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether something is to be written to its standard input; it is closed at once otherwise. */
  readonly input?: boolean;
}

/** How a program ended. */
export interface Ended {
  /** Undefined when it was killed, or when nobody can know (a broken connection to its pod). */
  readonly exitCode: number | undefined;
  /** Why it failed, in one sentence without a full stop; empty when it succeeded. */
  readonly message: string;
  /** The end of its standard error, redacted. */
  readonly stderr: string;
}

/** A program that runs. Its output has to be read: it waits for its reader. */
export interface Running {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects. */
  readonly ended: Promise<Ended>;
  /** Asks it to end, and makes it a little later. */
  end(): void;
}

/** Where programs can be run: this machine, a pod's container, a container of the docker engine. */
export interface Place {
  /** For messages: `this machine`, `container db of pod prod/db-0`. */
  readonly name: string;
  /**
   * Starts a program. It is ended when the signal aborts, and does not outlive this process.
   *
   * @throws {UserError} where it cannot be started: the program is not there, the place is gone.
   */
  start(command: PlaceCommand, signal: AbortSignal): Promise<Running>;
}
