/** What a user needs to act on a failure. Each part is one plain sentence or phrase. */
export interface UserErrorParts {
  /** What failed, in a few words; the annotation's title. */
  readonly title: string;
  /** What happened, where and why, with the world's own words. */
  readonly cause: string;
  /** What to do next. */
  readonly remedy: string;
  /** Longer proof: output of a program, events, log lines. Shown in a log group and the summary. */
  readonly evidence?: string;
  /** The place in the user's own files that it is about; the annotation points there. */
  readonly at?: Place | undefined;
  /** The failures that this one sums up; each that has a place is annotated there too. */
  readonly each?: readonly UserError[];
}

/** A line of a file of the workspace. */
export interface Place {
  /** Relative to the workspace. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/**
 * A failure that the user can act on: wrong input, missing permission, a rollout that broke.
 * It is shown without a stack trace. Any other error that reaches the door counts as a bug.
 */
export class UserError extends Error {
  readonly title: string;
  override readonly cause: string;
  readonly remedy: string;
  readonly evidence: string | undefined;
  readonly at: Place | undefined;
  readonly each: readonly UserError[];

  constructor(parts: UserErrorParts, options?: { readonly reason?: unknown }) {
    super(`${parts.title}: ${parts.cause} ${parts.remedy}`);
    this.name = "UserError";
    this.title = parts.title;
    this.cause = parts.cause;
    this.remedy = parts.remedy;
    this.evidence = parts.evidence;
    this.at = parts.at;
    this.each = parts.each ?? [];
    this.reason = options?.reason;
  }

  /** The error this one was made from, for debug logs. */
  readonly reason: unknown;
}
