import type { Clock } from "../world/index.ts";
import type { Answer, Check } from "./check.ts";
import type { Client } from "./client.ts";
import { lanes } from "./lanes.ts";
import { mismatches, type Redact } from "./mismatches.ts";
import { nextStep } from "./next-step.ts";
import { type Target, urlOf } from "./target.ts";
import { Unanswered } from "./unanswered.ts";

/** Few enough that the checks hardly slow each other down. */
const MOST_AT_ONCE = 4;

/** Times in milliseconds. */
export interface Pace {
  /** For all checks together, from the start. */
  readonly timeout: number;
  /** Between the attempts of one check. */
  readonly interval: number;
  /** For one request, its redirects included. */
  readonly requestTimeout: number;
}

/** What one attempt showed. */
export interface Attempt {
  /** The answer, if there was one. */
  readonly answer: Answer | undefined;
  /** Why there was none, or why it never will be. */
  readonly unanswered: Unanswered | undefined;
  /** What is wrong, as phrases; empty when the check passed. */
  readonly reasons: readonly string[];
  /** Whether it was the deadline of the whole that ended it, not its own. */
  readonly cutShort: boolean;
}

/** How a check ended. */
export interface CheckResult {
  readonly check: Check;
  readonly url: URL;
  readonly passed: boolean;
  readonly attempts: number;
  /** From the start of the whole until this check passed or was given up. */
  readonly milliseconds: number;
  /** The last attempt that ran its full course; undefined when there was none. */
  readonly last: Attempt | undefined;
}

interface Means {
  readonly client: Client;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly redact: Redact;
  /** Told of every attempt as it ends. */
  readonly onAttempt?: (check: Check, number: number, attempt: Attempt) => void;
}

/**
 * Tries every check until it passes or the time is over. Trouble that cannot heal (a certificate
 * that is not valid, a name that stays unknown) ends them all, for they have one target. When
 * `signal` aborts, the results tell how far the checks came.
 */
export async function prove(
  checks: readonly Check[],
  target: Target,
  pace: Pace,
  means: Means,
): Promise<readonly CheckResult[]> {
  const hopeless = new AbortController();
  const shared: Shared = {
    ...means,
    target,
    pace,
    began: means.clock.now(),
    signal: AbortSignal.any([means.signal, hopeless.signal]),
    giveUp: () => hopeless.abort(),
    lane: lanes(MOST_AT_ONCE),
  };
  return Promise.all(checks.map((check) => proveOne(check, shared)));
}

interface Shared extends Means {
  readonly target: Target;
  readonly pace: Pace;
  readonly began: number;
  readonly giveUp: () => void;
  readonly lane: ReturnType<typeof lanes>;
}

async function proveOne(check: Check, shared: Shared): Promise<CheckResult> {
  const { clock, signal, pace, began, target } = shared;
  const url = urlOf(target.base, check.path);
  const deadline = began + pace.timeout;
  let attempts = 0;
  let last: Attempt | undefined;
  let since = began;
  const result = (passed: boolean): CheckResult => {
    return { check, url, passed, attempts, milliseconds: clock.now() - began, last };
  };
  while (!signal.aborted) {
    const attempt = await shared.lane(() => tryOnce(check, url, deadline, shared));
    // The deadline's cut says less than what was seen before.
    if (attempt === undefined || (attempt.cutShort && last !== undefined)) break;
    attempts += 1;
    if (attempt.unanswered?.trouble !== last?.unanswered?.trouble) since = clock.now();
    last = attempt;
    shared.onAttempt?.(check, attempts, attempt);
    if (attempt.reasons.length === 0) return result(true);
    const patience = attempt.unanswered?.patience ?? Infinity;
    const step = nextStep({ now: clock.now(), deadline, interval: pace.interval, patience, since });
    if (step === "give-up-now") shared.giveUp();
    if (step !== "try-again") break;
    await pause(shared);
  }
  return result(false);
}

/** The pause between attempts; an abort just ends it. */
async function pause({ clock, pace, signal }: Shared): Promise<void> {
  await clock.sleep(pace.interval, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Undefined when there was no time left, or when the attempt was aborted. */
async function tryOnce(
  check: Check,
  url: URL,
  deadline: number,
  { target, client, clock, pace, signal, redact }: Shared,
): Promise<Attempt | undefined> {
  const left = deadline - clock.now();
  if (signal.aborted || left <= 0) return undefined;
  try {
    const via = await within(left, target.reach(signal), target.base.host);
    const timeout = Math.max(1, Math.min(pace.requestTimeout, deadline - clock.now()));
    // Latency counts to the end of the body; nothing else needs it.
    const wholeBody = check.expectation.maxLatency !== undefined;
    const answer = await client.send({ ...check, url, via, wholeBody }, timeout, signal);
    const reasons = mismatches(check.expectation, answer, redact);
    return { answer, unanswered: undefined, reasons, cutShort: false };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof Unanswered)) throw error;
    const unanswered = await target.failed(error);
    const cutShort = error.trouble === "timeout" && left < pace.requestTimeout;
    return { answer: undefined, unanswered, reasons: [redact(unanswered.message)], cutShort };
  }
}

async function within<T>(milliseconds: number, work: Promise<T>, host: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `the way to ${host} was not open in time`;
    reject(new Unanswered(message, { trouble: "timeout", patience: Infinity }));
  }, milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
