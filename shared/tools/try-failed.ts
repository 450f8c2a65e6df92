import type { Trouble } from "../probe/index.ts";

/** Tries in a row that bring nothing new. */
const MOST_TRIES = 5;
/** Where nobody answers at all, waiting helps little. */
const MOST_TRIES_UNREACHED = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Why one try to fetch a file failed, and whether another makes sense. */
export class TryFailed extends Error {
  readonly trouble: Trouble;
  readonly status: number | undefined;
  readonly #pause: number | undefined;
  readonly #final: boolean;

  constructor(
    message: string,
    parts: {
      readonly trouble: Trouble;
      readonly status?: number;
      /** How long the server asks to wait, in milliseconds. */
      readonly pause?: number | undefined;
      /** Another try would end alike. */
      readonly final?: boolean;
    },
  ) {
    super(message);
    this.trouble = parts.trouble;
    this.status = parts.status;
    this.#pause = parts.pause;
    this.#final = parts.final ?? false;
  }

  /** Whether to try again after so many tries in vain, of which this is the last. */
  isWorthAnotherAfter(inVain: number): boolean {
    const { status, trouble } = this;
    if (this.#final || trouble === "certificate" || trouble === "not-tls") return false;
    if (status !== undefined && status < 500 && ![408, 425, 429].includes(status)) return false;
    // A proxy that is overloaded may answer later; one that refuses does not.
    if (trouble === "proxy" && !/status 5\d\d/.test(this.message)) return false;
    const unreached = ["name", "refused", "unreachable", "timeout"].includes(trouble);
    return inVain < (unreached ? MOST_TRIES_UNREACHED : MOST_TRIES);
  }

  /** How long to wait before the next try, in milliseconds. */
  pauseAfter(inVain: number): number {
    return this.#pause ?? FIRST_PAUSE_MS * 2 ** (inVain - 1);
  }
}

/**
 * The pause that a server asks for, in milliseconds, at most a minute.
 *
 * Source: RFC 9110, section 10.2.3.
 */
export function retryAfter(header: string | string[] | undefined, now: number): number | undefined {
  if (typeof header !== "string") return undefined;
  const pause = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(pause) ? Math.min(Math.max(pause, 0), LONGEST_PAUSE_MS) : undefined;
}
