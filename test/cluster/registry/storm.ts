import type { Asked, Fault, Rule } from "./fault-registry.ts";

/** How bad a storm is. */
export interface Weather {
  /** The same seed gives the same faults in the same order. */
  readonly seed: number;
  /** The part of requests that meets a fault between the bursts, and within them: 0 to 1. */
  readonly calm: number;
  readonly burst: number;
  /** How long a stall lasts, at most, in milliseconds. */
  readonly stall: number;
  /** Of BuildKit's requests a smaller part is hit: it tries each one a few times only. */
  readonly forBuildKit: number;
}

/** Faults at random, in bursts, and what was sent of them. */
export class Storm {
  /** How many of each kind. */
  readonly sent = new Map<string, number>();
  requests = 0;
  readonly #weather: Weather;
  readonly #random: () => number;
  #left = 0;
  #bursting = false;

  constructor(weather: Weather) {
    this.#weather = weather;
    this.#random = randomFrom(weather.seed);
  }

  readonly rule: Rule = (asked) => {
    this.requests += 1;
    this.#turn();
    const { calm, burst, forBuildKit } = this.#weather;
    const rate = (this.#bursting ? burst : calm) * (asked.ours ? 1 : forBuildKit);
    if (this.#random() >= rate) return undefined;
    const [kind, fault] = this.#pick(asked);
    this.sent.set(kind, (this.sent.get(kind) ?? 0) + 1);
    return fault;
  };

  /** Bursts of 10 to 40 requests, some 100 requests apart. */
  #turn(): void {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#bursting = !this.#bursting;
    this.#left = Math.round(this.#bursting ? 10 + 30 * this.#random() : 50 + 100 * this.#random());
  }

  #pick(asked: Asked): readonly [string, Fault] {
    const kinds = this.#kindsFor(asked);
    const [kind, make] = kinds[Math.floor(this.#random() * kinds.length)] ?? [
      "reset",
      () => "reset",
    ];
    return [kind, make()];
  }

  #kindsFor({ method, ours }: Asked): readonly Kind[] {
    const { stall } = this.#weather;
    const always: readonly Kind[] = [
      status(429, { "retry-after": "1" }),
      status(500),
      status(502),
      status(503),
      ["reset", () => "reset"],
      ["stall", () => ({ stall: Math.round(stall * this.#random()) })],
      ["late", () => ({ late: Math.round(200 * this.#random()) })],
      ["done, unanswered", () => "unanswered"],
      ["last byte missing", () => "last-byte"],
    ];
    const sending: Kind = ["request cut", () => ({ cutAfter: Math.floor(2_000 * this.#random()) })];
    if (method === "PUT" || method === "PATCH") return [...always, sending];
    // BuildKit believes whatever comes under a tag, so that only we are lied to.
    if (!ours) return always;
    return method === "GET" ? [...always, ...LIES] : [...always, WRONG_DIGEST];
  }
}

type Kind = readonly [name: string, make: () => Fault];

function status(code: number, headers: Readonly<Record<string, string>> = {}): Kind {
  return [`${code}`, () => ({ status: code, headers })];
}

const LIES: readonly Kind[] = [
  ["cut short", () => "short"],
  ["garbled", () => "garbled"],
];
const WRONG_DIGEST: Kind = [
  "wrong digest",
  () => ({ altered: { "docker-content-digest": `sha256:${"d".repeat(64)}` } }),
];

/** Numbers from 0 to 1, the same for the same seed. Source: Mulberry32, Tommy Ettinger. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
