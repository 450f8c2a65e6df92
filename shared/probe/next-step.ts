/** What is known of a check after an attempt that did not pass. */
export interface Situation {
  /** Milliseconds since the Unix epoch, as all moments here. */
  readonly now: number;
  readonly deadline: number;
  /** Pause between attempts, in milliseconds. */
  readonly interval: number;
  /** How long waiting makes sense for the trouble that there is; Infinity for a wrong answer. */
  readonly patience: number;
  /** Since when the trouble has been of this kind. */
  readonly since: number;
}

export type NextStep = "try-again" | "give-up-now" | "out-of-time";

/**
 * Whether to try again. Trouble that cannot heal ends all at once, trouble that heals soon or
 * never after its patience, all else at the deadline. An attempt that would start at or after the
 * deadline is not waited for.
 */
export function nextStep({ now, deadline, interval, patience, since }: Situation): NextStep {
  if (now - since >= patience) return "give-up-now";
  return now + interval >= deadline ? "out-of-time" : "try-again";
}
