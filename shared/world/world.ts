import type { Secrets } from "../secrets/index.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** What a use case may touch of the outside, made in one place and handed to it. */
export interface World {
  readonly clock: Clock;
  readonly log: Log;
  readonly secrets: Secrets;
  /** Aborts when the job is cancelled. */
  readonly signal: AbortSignal;
  /**
   * For putting the world right after `signal` has aborted: itself aborts when the time for that
   * (5 s) is over.
   */
  readonly aftermath: AbortSignal;
  readonly environment: Readonly<Record<string, string | undefined>>;
}
