import { lanes } from "./lanes.ts";
import { type Latencies, type LatencyLimit, latenciesOf, latencyMismatches } from "./latency.ts";
import type { Ask, Kind, Pace, Reply, Target, Way } from "./probe.ts";
import type { Redact } from "./text.ts";
import { Unanswered } from "./unanswered.ts";

/** A question to a target, and how often it must be answered well. */
export interface Check {
  /** As reports call it. */
  readonly name: string;
  readonly kind: Kind;
  readonly target: Target;
  /** What exactly is asked: a URL, an address, a command. */
  readonly subject: string;
  readonly ask: Ask;
  readonly pace: Pace;
  /** Requests of one attempt, all of which must be answered well. */
  readonly requests: number;
  /** How many of them may be on their way at once. */
  readonly atOnce: number;
  readonly latency: readonly LatencyLimit[];
  /** Looks at the pods that answered: what is wrong with them, as phrases. */
  readonly attest?: ((pods: readonly string[]) => Promise<readonly string[]>) | undefined;
}

/** What one attempt at a check showed. */
export interface Attempt {
  /** The reply that counts: the first that was wrong, or the last; undefined when none came. */
  readonly reply: Reply | undefined;
  /** Why there was none, or why it never will be. */
  readonly unanswered: Unanswered | undefined;
  /** What is wrong, as phrases; empty when the check passed. */
  readonly reasons: readonly string[];
  /** Whether it was the deadline that ended it, not its own timeout. */
  readonly cutShort: boolean;
  /** How many requests were answered, and by whom. */
  readonly answered: number;
  readonly latencies: Latencies | undefined;
  readonly pods: readonly string[];
  /** How many answers each version gave, by what the answers say. */
  readonly versions: Readonly<Record<string, number>>;
}

interface Circumstances {
  /** Milliseconds that are left until the deadline. */
  readonly left: () => number;
  readonly signal: AbortSignal;
  readonly redact: Redact;
}

/**
 * Asks a target as often as the check wants it. The first request goes alone; further ones follow
 * side by side until one is not answered well. Undefined when the signal aborted.
 */
export async function attempt(
  check: Check,
  { left, signal, redact }: Circumstances,
): Promise<Attempt | undefined> {
  const series = new Series(check);
  const budget = left();
  let cutShort = false;
  try {
    const ways = await within(budget, check.target.ways(signal), check.target.name);
    const count = Math.max(check.requests, ways.length);
    // The first of a series that is measured makes names known and code ready: it does not count.
    const last = check.latency.length > 0 ? count : count - 1;
    const one = async (at: number) => {
      const way = ways[at % ways.length];
      if (way === undefined || series.over || signal.aborted) return;
      const timeout = Math.max(1, Math.min(check.pace.requestTimeout, left()));
      try {
        series.add(await check.ask(way, timeout, signal), way, { at, count, ways: ways.length });
      } catch (error) {
        if (signal.aborted || series.over) return;
        if (!(error instanceof Unanswered)) throw error;
        cutShort = error.trouble === "timeout" && timeout < check.pace.requestTimeout;
        const reason = cutShort ? timeOver(check) : await check.target.failed(error, way);
        series.fail(reason, { at, count });
      }
    };
    await one(0);
    const road = lanes(check.atOnce);
    const others = Array.from({ length: last }, (_, at) => road(() => one(at + 1)));
    await Promise.all(others);
    if (signal.aborted) return undefined;
    await series.conclude();
  } catch (error) {
    if (signal.aborted) return undefined;
    if (!(error instanceof Unanswered)) throw error;
    series.fail(error, { at: 0, count: 1 });
    cutShort = error.trouble === "timeout" && budget < check.pace.requestTimeout;
  }
  return series.result(cutShort, redact);
}

/** A request that was cut short says nothing of the server: how long it took is by chance. */
function timeOver({ target }: Check): Unanswered {
  const message = `the time was over before ${target.name} had answered`;
  return new Unanswered(message, { trouble: "timeout", patience: Infinity });
}

/** Which of how many requests, over how many ways. */
interface Position {
  readonly at: number;
  readonly count: number;
  readonly ways?: number;
}

/** What the requests of one attempt showed so far. */
class Series {
  readonly #check: Check;
  readonly #times: number[] = [];
  #answered = 0;
  readonly #pods = new Set<string>();
  readonly #versions = new Map<string, number>();
  #reply: Reply | undefined;
  #unanswered: Unanswered | undefined;
  #reasons: readonly string[] = [];

  constructor(check: Check) {
    this.#check = check;
  }

  /** Whether nothing more can change that the attempt has failed. */
  get over(): boolean {
    return this.#reasons.length > 0;
  }

  add(reply: Reply, way: Way, position: Position): void {
    const warmsUp = this.#check.latency.length > 0 && position.at === 0;
    if (!warmsUp) this.#times.push(reply.milliseconds);
    this.#answered += 1;
    const pod = reply.pod ?? way.pod;
    if (pod !== undefined) this.#pods.add(pod);
    const { version } = reply;
    if (version !== undefined) this.#versions.set(version, (this.#versions.get(version) ?? 0) + 1);
    if (this.over) return;
    this.#reply = reply;
    const by = pod !== undefined && (position.ways ?? 1) > 1 ? `pod ${pod}: ` : "";
    this.#reasons = reply.reasons.map((reason) => `${placeOf(position)}${by}${reason}`);
  }

  fail(unanswered: Unanswered, position: Position): void {
    if (this.over) return;
    this.#reply = undefined;
    this.#unanswered = unanswered;
    this.#reasons = [`${placeOf(position)}${unanswered.message}`];
  }

  /** Judges what all answers show together. */
  async conclude(): Promise<void> {
    if (this.over) return;
    const { latency, attest } = this.#check;
    this.#reasons = latencyMismatches(latency, this.#times);
    if (this.over || attest === undefined) return;
    this.#reasons = await attest([...this.#pods]);
  }

  result(cutShort: boolean, redact: Redact): Attempt {
    return {
      reply: this.#reply,
      unanswered: this.#unanswered,
      reasons: this.#reasons.map(redact),
      cutShort,
      answered: this.#answered,
      latencies: latenciesOf(this.#times),
      pods: [...this.#pods],
      versions: Object.fromEntries(this.#versions),
    };
  }
}

/** Only one that is not the first needs its place told. */
function placeOf({ at, count }: Position): string {
  return count > 1 && at > 0 ? `request ${at + 1} of ${count}: ` : "";
}

async function within<T>(milliseconds: number, work: Promise<T>, name: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `the way to ${name} was not open in time`;
    reject(new Unanswered(message, { trouble: "timeout", patience: Infinity }));
  }, milliseconds);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
