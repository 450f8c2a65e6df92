import { codeOf } from "../failure/index.ts";
import type { Clock } from "../world/index.ts";
import { isFull, wordsOf } from "./registry-error.ts";
import type { HttpHead, HttpResponse } from "./request.ts";

// From the first try to the last lie some 16 s: the length of a registry's restart.
const PAUSES_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];
// One that has never answered well is more likely a wrong address than on its way back: some 5 s.
const PAUSES_FOR_STRANGERS_MS = [250, 1_000, 3_500];
/** A registry that asks for more is not waited for: the job ends and says so. */
const LONGEST_WAIT_MS = 60_000;
// To wait out a silence takes long by itself.
const MOST_SILENCES = 3;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const PASSING_CODES = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN"]);
/** Passing only where the registry was there a moment ago: it restarts, or its name server does. */
const GONE_CODES = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH"]);

/** Why something is tried again, and after how long. */
export interface Retry {
  readonly why: string;
  /** In milliseconds. */
  readonly wait: number;
}

/**
 * Decides on tries at one request: how long to wait before the next one, or that none would help.
 * Pauses grow and are spread at random, so that runs that failed together do not return together.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #known: boolean;
  #tries = 0;
  #silences = 0;

  /** @param known whether the other side has ever answered well. */
  constructor(clock: Clock, known: boolean) {
    this.#clock = clock;
    this.#known = known;
  }

  /** After an answer; undefined when it is to be taken as it is. */
  afterAnswer(response: HttpResponse): Retry | undefined {
    const { status } = response;
    if (!PASSING.has(status)) return undefined;
    // A full registry has as little room in a minute as now.
    if (status !== 429 && isFull(wordsOf(response))) return undefined;
    const asked = retryAfter(response, this.#clock.now());
    if (asked > LONGEST_WAIT_MS) return undefined;
    return this.#next(`answered ${status}`, asked);
  }

  /** After an error; undefined when it would come again. */
  afterError(error: unknown): Retry | undefined {
    const code = codeOf(error) ?? "";
    if (code === "ETIMEDOUT") this.#silences += 1;
    if (this.#silences >= MOST_SILENCES) return undefined;
    // HPE: what came is no HTTP, as from a proxy that breaks off and mixes up.
    const passing = PASSING_CODES.has(code) || code.startsWith("HPE_");
    if (!passing && !(this.#known && GONE_CODES.has(code))) return undefined;
    return this.#next(code === "ETIMEDOUT" ? "kept silent" : `broke off (${code})`, 0);
  }

  /** After an answer that was whole, and not what it claims to be. */
  afterNonsense(why: string): Retry | undefined {
    return this.#next(why, 0);
  }

  #next(why: string, atLeast: number): Retry | undefined {
    const pause = (this.#known ? PAUSES_MS : PAUSES_FOR_STRANGERS_MS)[this.#tries];
    this.#tries += 1;
    if (pause === undefined) return undefined;
    return { why, wait: Math.max(Math.round(pause * (0.75 + Math.random() / 2)), atLeast) };
  }
}

/** How long a registry asks us to wait, in milliseconds; 0 when it does not. Source: RFC 9110, 10.2.3. */
export function retryAfter({ headers }: Pick<HttpHead, "headers">, now: number): number {
  const given = headers["retry-after"];
  if (given === undefined) return 0;
  const until = /^\d+$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - now;
  return Number.isNaN(until) ? 0 : Math.max(until, 0);
}
