import { ApiError, isTransient } from "../kubernetes/index.ts";
import type { Clock } from "../world/index.ts";
import { isSchemaError } from "./refusal.ts";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

/** How long, and until when, an API server that is away is waited for. */
export interface Patience {
  readonly clock: Clock;
  /** Milliseconds since the Unix epoch. */
  readonly until: number;
  /** No more tries once it aborts. */
  readonly signal: AbortSignal;
}

/**
 * Does something that may be done twice, again and again while the API server is away or in
 * trouble. Server-side apply and deletion may be: the second time changes nothing.
 */
export async function withPatience<T>(work: () => Promise<T>, patience: Patience): Promise<T> {
  const { clock, until, signal } = patience;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const worthIt = isTransient(error) && !isSchemaError(error) && !isWebhook(error);
      if (!worthIt || signal.aborted || clock.now() + pause > until) throw error;
      await clock.sleep(pause, signal).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}

/** An admission webhook that fails answers 500 too, and says so: it is not the API server. */
function isWebhook(error: unknown): boolean {
  return error instanceof ApiError && /failed calling webhook/.test(error.apiMessage);
}
