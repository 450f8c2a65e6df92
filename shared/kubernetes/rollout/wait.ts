import type { UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import type { Cluster } from "../cluster.ts";
import { GRACES, type Graces, type Sight } from "../verdict/index.ts";
import type { Pod } from "../workload.ts";
import { Conclusion } from "./conclusion.ts";
import { FirstRuns } from "./first-runs.ts";
import { beFrugal } from "./frugality.ts";
import { LastWords } from "./last-words.ts";
import { Narrator } from "./narrator.ts";
import type { RolloutReport } from "./report.ts";
import { reprieve } from "./second-look.ts";
import type { Target } from "./target.ts";
import { targetNames } from "./target-names.ts";
import { Tracker } from "./tracker.ts";
import { View } from "./view.ts";

export interface RolloutOptions {
  /** When to give up, in milliseconds since the Unix epoch. */
  readonly deadline: number;
  readonly world: Pick<World, "clock" | "log" | "signal">;
  readonly graces?: Partial<Graces> | undefined;
}

const HEARTBEAT_MS = 15_000;
/** Changes come in bursts; one look is enough for those that come together. */
const TOGETHER_MS = 30;
/** Where looks take long, so many times as long passes between them: others need the processor. */
const REST = 3;
const LONGEST_REST_MS = 300;
/** Some verdicts change with time alone and do not say when: what is not ready is looked at again. */
const SWEEP_MS = 5_000;

/**
 * Waits until every target is ready, one has failed, the deadline is over, or the world's signal
 * aborts, and reports which. Tells of every change in the log (of many targets, of troubles and
 * counts), and of what is missing every 15 s. Changes nothing in the cluster.
 *
 * @throws {UserError} when the cluster cannot be reached at the very first, or when the
 * credentials may not read what the verdict needs.
 */
export async function waitForRollout(
  cluster: Cluster,
  targets: readonly Target[],
  options: RolloutOptions,
): Promise<RolloutReport> {
  beFrugal(targets.length);
  using rollout = new Rollout(cluster, targets, options);
  // Without `await`, everything would be stopped before it began.
  return await rollout.wait();
}

class Rollout implements Disposable {
  readonly #options: RolloutOptions;
  readonly #graces: Graces;
  readonly #trackers: ReadonlyMap<Target, Tracker>;
  readonly #all: readonly Tracker[];
  readonly #narrator: Narrator;
  readonly #stop = new AbortController();
  readonly #bound: Cluster;
  readonly #view: View;
  readonly #lastWords: LastWords;
  readonly #firstRuns = new FirstRuns();
  readonly #startedAt: number;
  #wake = Promise.withResolvers<void>();
  #heartbeatAt: number;
  #sweepAt: number;
  #rest = TOGETHER_MS;
  #saidLost = false;

  constructor(cluster: Cluster, targets: readonly Target[], options: RolloutOptions) {
    this.#options = options;
    this.#graces = { ...GRACES, ...options.graces };
    const names = targetNames(targets);
    this.#trackers = new Map(
      targets.map((target) => [target, new Tracker(target, names.get(target))]),
    );
    this.#all = [...this.#trackers.values()];
    this.#narrator = new Narrator(options.world.log, this.#all.length);
    this.#startedAt = options.world.clock.now();
    this.#heartbeatAt = this.#startedAt + HEARTBEAT_MS;
    this.#sweepAt = this.#startedAt + SWEEP_MS;
    const { signal } = this.#stop;
    this.#bound = cluster.boundTo(signal);
    this.#view = new View(cluster, targets, { signal, onChange: () => this.#wake.resolve() });
    this.#lastWords = new LastWords(this.#bound, (uid) => this.#view.touch(uid));
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  async wait(): Promise<RolloutReport> {
    const { signal } = this.#options.world;
    const broken = this.#view.failed();
    broken.catch(() => undefined);
    const onAbort = () => this.#wake.resolve();
    signal.addEventListener("abort", onAbort);
    try {
      for (;;) {
        if (!signal.aborted) await Promise.race([broken, this.#secondLook()]);
        const verdict = this.#look();
        if (verdict !== undefined) return await this.#conclude(verdict);
        await Promise.race([broken, this.#pause()]);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  get #now(): number {
    return this.#options.world.clock.now();
  }

  /** What is known may be stale while the API server is away: nothing is judged by it. */
  get #sees(): boolean {
    return this.#view.synced && this.#view.lost === undefined;
  }

  /** One look at everything that may have changed; gives the verdict when there is one. */
  #look(): RolloutReport["verdict"] | undefined {
    const { deadline, world } = this.#options;
    if (world.signal.aborted) return "cancelled";
    const began = performance.now();
    this.#tellOfLoss(this.#view.lost);
    if (this.#sees) this.#assess();
    const states = new Set(this.#all.map(({ verdict }) => verdict.state));
    this.#narrator.looked(this.#all, this.#now);
    this.#rest = Math.min(
      LONGEST_REST_MS,
      Math.max(TOGETHER_MS, REST * (performance.now() - began)),
    );
    if (states.has("failed")) return "failed";
    if (states.size === 0 || (states.size === 1 && states.has("ready"))) return "ready";
    if (this.#now >= deadline) return "timed-out";
    if (this.#now >= this.#heartbeatAt) this.#heartbeat();
    return undefined;
  }

  /** Gives more time to what would fail now, where it deserves that. */
  async #secondLook(): Promise<void> {
    if (!this.#sees) return;
    for (const tracker of this.#all) {
      const { verdict, target } = tracker;
      if (verdict.state !== "failing" || verdict.cause.certainAt > this.#now) continue;
      const more = await reprieve(this.#bound, target.namespace, verdict.cause);
      tracker.reprieve(verdict.cause.key, more);
      // One that deserves none decides the verdict: the others need not be asked for.
      if (more === 0) return;
    }
  }

  #assess(): void {
    const now = this.#now;
    const due = new Set(this.#trackersOf(this.#view.takeTouched()));
    const sweep = now >= this.#sweepAt;
    if (sweep) this.#sweepAt = now + SWEEP_MS;
    for (const tracker of this.#all) {
      const { nextLook = Infinity, verdict } = tracker;
      if (nextLook <= now || (sweep && verdict.state !== "ready")) due.add(tracker);
    }
    const sight: Sight = {
      now,
      graces: this.#graces,
      events: (uid) => this.#view.events(uid),
      lastWords: (uid, container) => this.#lastWords.of(uid, container),
      runSeenAt: (uid, container, startedAt) =>
        this.#firstRuns.seenAt(uid, container, startedAt, now),
    };
    for (const tracker of due) this.#assessOne(tracker, sight);
  }

  #trackersOf(targets: Iterable<Target>): Tracker[] {
    return [...targets].flatMap((target) => this.#trackers.get(target) ?? []);
  }

  #assessOne(tracker: Tracker, sight: Sight): void {
    const { target } = tracker;
    const object = this.#view.find(target) ?? this.#view.findRemoved(target);
    if (object === undefined) {
      const others = () => this.#view.namesLike(target);
      const noSuchKind = this.#view.noSuchKind(target)?.cause;
      const unreadable = this.#view.unreadableOf(target)?.cause;
      this.#tell(tracker, tracker.look({ object, others, noSuchKind, unreadable }, sight));
      return;
    }
    const around = this.#view.around(target, object);
    if (isRunByController(object.kind)) this.#lastWords.ask(around.pods);
    if (object.kind === "Pod") this.#lastWords.ask([object as Pod]);
    this.#tell(tracker, tracker.look({ object, around }, sight));
  }

  #tell(tracker: Tracker, words: string | undefined): void {
    if (words !== undefined) this.#narrator.changed(tracker, words);
  }

  /** Until something changes, or until the time for another look. */
  async #pause(): Promise<void> {
    const { clock } = this.#options.world;
    // Looks that are due while the API server is away come when it is back.
    const looks = this.#sees ? this.#all.flatMap(({ nextLook }) => nextLook ?? []) : [];
    const sweep = this.#sees ? this.#sweepAt : Infinity;
    const until = Math.min(this.#options.deadline, this.#heartbeatAt, sweep, ...looks);
    const timer = new AbortController();
    const wait = Math.max(0, until - this.#now);
    await Promise.race([
      this.#wake.promise,
      clock.sleep(wait, timer.signal).catch(() => undefined),
    ]);
    timer.abort();
    // Nobody who cancels should wait for others to come together.
    await clock.sleep(this.#rest, this.#options.world.signal).catch(() => undefined);
    this.#wake = Promise.withResolvers<void>();
  }

  #tellOfLoss(lost: UserError | undefined): void {
    const { log } = this.#options.world;
    if (lost !== undefined && !this.#saidLost) {
      log.warning(`${lost.cause} Waiting for it to come back.`, "The API server is away");
    }
    if (lost === undefined && this.#saidLost) log.info("The API server is back.");
    this.#saidLost = lost !== undefined;
  }

  #heartbeat(): void {
    this.#heartbeatAt = this.#now + HEARTBEAT_MS;
    const left = Math.max(0, Math.round((this.#options.deadline - this.#now) / 1_000));
    this.#narrator.heartbeat(this.#all, left, this.#saidLost);
  }

  async #conclude(verdict: RolloutReport["verdict"]): Promise<RolloutReport> {
    const conclusion = new Conclusion({
      cluster: this.#bound,
      clock: this.#options.world.clock,
      startedAt: this.#startedAt,
      trackers: this.#all,
      view: this.#view,
      lastWords: this.#lastWords,
      lookAgain: () => {
        if (this.#sees) this.#assess();
      },
    });
    return conclusion.report(verdict);
  }
}

const RUN = [
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "ReplicationController",
  "Job",
];

function isRunByController(kind: string): boolean {
  return RUN.includes(kind);
}
