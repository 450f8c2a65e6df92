import type { Bed } from "./bed.ts";
import type { GoModule } from "./build/go-module.ts";
import type { Jars } from "./build/jars.ts";
import type { System } from "./build/system.ts";

/** A part of the bed that has no process: a program to call, or something prepared once. */
export interface Tool {
  readonly name: string;
  /** Names of the pieces that must be ready before this one. */
  readonly needs: readonly string[];
  /** Go modules whose programs this piece uses, built before anything starts. */
  readonly modules?: readonly GoModule[];
  /** Debian packages whose files this piece uses, unpacked before anything starts. */
  readonly packages?: readonly string[];
  /** Programs with libraries of their own that this piece uses, put together before anything starts. */
  readonly systems?: readonly System[];
  /** Libraries of Java programs that this piece uses, downloaded before anything starts. */
  readonly jars?: readonly Jars[];
  /** Programs to offer in the bed's bin folder: name there, and file. */
  readonly offers?: (bed: Bed) => Readonly<Record<string, string>>;
  /** A folder of their own for these programs, where whoever finds them on the PATH acts on it. */
  readonly folder?: string;
  /** Runs on every `up`, before `start`: must be quick when there is nothing to do. */
  readonly prepare?: (bed: Bed) => Promise<void>;
}

/** A part of the bed that has a process. */
export interface Server extends Tool {
  /** Writes what the server reads, and tells what to run. Called only when it is not running. */
  readonly start: (bed: Bed) => Promise<Command> | Command;
  /** Tells whether the server answers; asked again and again until it does. */
  readonly ready: (bed: Bed, pid: number) => Promise<boolean> | boolean;
  /** When this server dies, those that need it are of no use and are started anew with it. */
  readonly carriesItsDependents?: boolean;
}

/** A program to run in the background. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Where it runs: on the `host` (the default), there with mounts of its own (`mounts`), or inside
   * the `node`, the network and mount namespaces that stand for a machine of the cluster.
   */
  readonly inside?: "host" | "mounts" | "node";
}

export type Piece = Tool | Server;

/** Tells servers from tools. */
export function isServer(piece: Piece): piece is Server {
  return "start" in piece;
}
