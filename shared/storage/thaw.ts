import type { Storage } from "./storage.ts";

/** How quick, and how dear: minutes, hours, half a day and more. */
export type ThawTier = "expedited" | "standard" | "bulk";

export interface ThawProgress {
  /** Objects that can be read. */
  readonly ready: number;
  readonly total: number;
  /** Milliseconds since it was asked for. */
  readonly elapsed: number;
  /** Milliseconds that the rest may take at the longest. */
  readonly left: number;
}

export interface ThawOptions {
  /** `standard` when left out. */
  readonly tier?: ThawTier | undefined;
  /** For how many days they can be read then; 3 when left out. */
  readonly days?: number | undefined;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ThawProgress) => void) | undefined;
}

/** A storage with objects that have to be thawed before they can be read. */
export interface Thawable {
  /**
   * Asks for frozen objects to be readable again, and waits until all are; what is ready already
   * costs nothing.
   *
   * @throws {UserError} when one is not there, or the storage refuses.
   */
  thaw(names: readonly string[], options: ThawOptions): Promise<void>;
}

/** Whether a storage can be asked for a thaw. */
export function isThawable(storage: Storage): storage is Storage & Thawable {
  return "thaw" in storage && typeof storage.thaw === "function";
}
