import type { Clock } from "../world/index.ts";
import { type Attempt, attempt, type Check } from "./attempt.ts";
import { lanes, type Road } from "./lanes.ts";
import { nextStep } from "./next-step.ts";
import type { Redact } from "./text.ts";

/** Few enough that the checks hardly slow each other down. */
const MOST_AT_ONCE = 4;

/** How a check ended. */
export interface CheckResult {
  readonly check: Check;
  readonly passed: boolean;
  readonly attempts: number;
  /** Milliseconds from the start of the whole until this check was first tried, and was decided. */
  readonly from: number;
  readonly to: number;
  /** The last attempt that ran its full course; undefined when there was none. */
  readonly last: Attempt | undefined;
  /** Whether it was ended before its time because another check can no longer pass. */
  readonly undecided: boolean;
  /** Every pod that answered in any attempt. */
  readonly pods: readonly string[];
}

interface Means {
  readonly clock: Clock;
  /** For all checks together, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  readonly redact: Redact;
  /** Told of every attempt as it ends. */
  readonly onAttempt?: (check: Check, number: number, attempt: Attempt) => void;
}

/**
 * Tries every check until it passes, its time or its attempts are over, or it meets trouble that
 * cannot heal (a certificate that is not valid, a name that stays unknown). Once one has failed for
 * good, so has the whole: the others end with the attempt that they are at. One whose latency
 * counts is tried while no other is. When `signal` aborts, the results tell how far the checks came.
 */
export async function prove(
  checks: readonly Check[],
  means: Means,
): Promise<readonly CheckResult[]> {
  const began = means.clock.now();
  const road = lanes(MOST_AT_ONCE);
  const decided = new AbortController();
  const shared = { ...means, began, road, decided };
  return Promise.all(checks.map((check) => proveOne(check, shared)));
}

interface Shared extends Means {
  readonly began: number;
  readonly road: Road;
  /** Aborts once a check has failed for good. */
  readonly decided: AbortController;
}

async function proveOne(check: Check, shared: Shared): Promise<CheckResult> {
  const { clock, signal, began, redact, decided } = shared;
  const deadline = began + Math.min(shared.timeout, check.pace.timeout);
  let attempts = 0;
  let last: Attempt | undefined;
  let first: number | undefined;
  let since = began;
  const pods = new Set<string>();
  const left = () => deadline - clock.now();
  const result = (passed: boolean, undecided = false): CheckResult => {
    const to = clock.now() - began;
    return { check, passed, undecided, attempts, from: first ?? to, to, last, pods: [...pods] };
  };
  const width = check.latency.length > 0 ? MOST_AT_ONCE : 1;
  while (!signal.aborted) {
    const tried = await shared.road(async () => {
      if (left() <= 0) return undefined;
      first ??= clock.now() - began;
      return attempt(check, { left, signal, redact });
    }, width);
    // The deadline's cut says less than what was seen before.
    if (tried === undefined || (tried.cutShort && last !== undefined)) break;
    attempts += 1;
    if (tried.unanswered?.trouble !== last?.unanswered?.trouble) since = clock.now();
    last = tried;
    for (const pod of tried.pods) pods.add(pod);
    shared.onAttempt?.(check, attempts, tried);
    if (tried.reasons.length === 0) return result(true);
    if (attempts >= check.pace.attempts) {
      decided.abort();
      break;
    }
    const patience = tried.unanswered?.patience ?? Infinity;
    const { interval } = check.pace;
    const step = nextStep({ now: clock.now(), deadline, interval, patience, since });
    if (step === "give-up-now") decided.abort();
    if (step !== "try-again") break;
    if (!decided.signal.aborted) await pause(interval, shared);
    if (decided.signal.aborted) return result(false, true);
  }
  // At the end of the whole's time all end alike.
  if (check.pace.timeout < shared.timeout) decided.abort();
  return result(false);
}

/** The pause between attempts; that the rest is decided, or the job cancelled, just ends it. */
async function pause(interval: number, { clock, signal, decided }: Shared): Promise<void> {
  const either = AbortSignal.any([signal, decided.signal]);
  await clock.sleep(interval, either).catch((error: unknown) => {
    if (!either.aborted) throw error;
  });
}
