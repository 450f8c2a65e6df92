import type { UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import type { Cluster } from "../cluster.ts";
import type { ObjectRef } from "../object.ts";
import { type Cause, GRACES, type Graces, type Sight } from "../verdict/index.ts";
import { type ClusterEvent, lastSeenOf, type Pod } from "../workload.ts";
import { groupEvents, readLog } from "./evidence.ts";
import { LastWords } from "./last-words.ts";
import { missingNamespace } from "./namespace.ts";
import type { Evidence, LogTail, ReportedCause, RolloutReport } from "./report.ts";
import { reprieve } from "./second-look.ts";
import { Tracker } from "./tracker.ts";
import { around, View } from "./view.ts";

export interface RolloutOptions {
  /** When to give up, in milliseconds since the Unix epoch. */
  readonly deadline: number;
  readonly world: Pick<World, "clock" | "log" | "signal">;
  readonly graces?: Partial<Graces> | undefined;
}

const HEARTBEAT_MS = 15_000;
/** Changes come in bursts; one look is enough for those that come together. */
const TOGETHER_MS = 30;
/** Longest wait for the last words of a crashed container, which make its cause better. */
const LAST_WORDS_MS = 800;
/** Events of this long before the wait began still belong to the rollout. */
const BEFORE_MS = 60_000;

/**
 * Waits until every target is ready, one has failed, the deadline is over, or the world's signal
 * aborts, and reports which. Tells of every change in the log, and of what is missing every 15 s.
 * Changes nothing in the cluster.
 *
 * @throws {UserError} when the cluster cannot be reached at the very first, or when the
 * credentials may not read what the verdict needs.
 */
export async function waitForRollout(
  cluster: Cluster,
  targets: readonly ObjectRef[],
  options: RolloutOptions,
): Promise<RolloutReport> {
  using rollout = new Rollout(cluster, targets, options);
  // Without `await`, everything would be stopped before it began.
  return await rollout.wait();
}

class Rollout implements Disposable {
  readonly #cluster: Cluster;
  readonly #options: RolloutOptions;
  readonly #graces: Graces;
  readonly #trackers: readonly Tracker[];
  readonly #stop = new AbortController();
  readonly #view: View;
  readonly #lastWords: LastWords;
  readonly #startedAt: number;
  #wake = Promise.withResolvers<void>();
  #heartbeatAt: number;
  #saidLost = false;

  constructor(cluster: Cluster, targets: readonly ObjectRef[], options: RolloutOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#graces = { ...GRACES, ...options.graces };
    this.#trackers = targets.map((target) => new Tracker(target));
    this.#startedAt = options.world.clock.now();
    this.#heartbeatAt = this.#startedAt + HEARTBEAT_MS;
    const { signal } = this.#stop;
    const onChange = () => this.#wake.resolve();
    this.#view = new View(cluster, targets, { signal, onChange });
    this.#lastWords = new LastWords(cluster, signal, onChange);
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
        await this.#secondLook();
        const verdict = this.#look();
        if (verdict !== undefined) return await this.#finish(verdict);
        await Promise.race([broken, this.#pause()]);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  get #now(): number {
    return this.#options.world.clock.now();
  }

  /** One look at everything; gives the verdict when there is one. */
  #look(): RolloutReport["verdict"] | undefined {
    const { deadline, world } = this.#options;
    if (world.signal.aborted) return "cancelled";
    this.#tellOfLoss(this.#view.lost);
    // What is known may be stale while the API server is away: nothing is judged by it.
    if (this.#view.synced && this.#view.lost === undefined) this.#assess();
    const states = this.#trackers.map(({ verdict }) => verdict.state);
    if (states.includes("failed")) return "failed";
    if (states.every((state) => state === "ready")) return "ready";
    if (this.#now >= deadline) return "timed-out";
    if (this.#now >= this.#heartbeatAt) this.#heartbeat();
    return undefined;
  }

  /** Gives more time to what would fail now, where it deserves that. */
  async #secondLook(): Promise<void> {
    const bound = this.#cluster.boundTo(this.#stop.signal);
    for (const tracker of this.#trackers) {
      const { verdict, target } = tracker;
      if (verdict.state !== "failing" || verdict.cause.certainAt > this.#now) continue;
      const { cause } = verdict;
      tracker.reprieve(cause.key, await reprieve(bound, target.namespace, cause));
    }
  }

  #assess(): void {
    const index = this.#view.index();
    const sight: Sight = {
      now: this.#now,
      graces: this.#graces,
      events: (uid) => index.events.get(uid ?? "") ?? [],
      lastWords: (uid, container) => this.#lastWords.of(uid, container),
    };
    for (const tracker of this.#trackers) {
      const object = this.#view.find(tracker.target);
      const surroundings = object === undefined ? NOTHING : around(object, index);
      if (object?.kind !== "Service") this.#lastWords.ask(surroundings.pods);
      if (object?.kind === "Pod") this.#lastWords.ask([object as Pod]);
      const line = tracker.look(object, surroundings, sight, this.#view.namesLike(tracker.target));
      if (line !== undefined) this.#options.world.log.info(line);
    }
  }

  /** Until something changes, or until the time for another look. */
  async #pause(): Promise<void> {
    const { clock } = this.#options.world;
    const looks = this.#trackers.flatMap(({ nextLook }) => nextLook ?? []);
    const until = Math.min(this.#options.deadline, this.#heartbeatAt, ...looks);
    const timer = new AbortController();
    const wait = Math.max(0, until - this.#now);
    await Promise.race([
      this.#wake.promise,
      clock.sleep(wait, timer.signal).catch(() => undefined),
    ]);
    timer.abort();
    await clock.sleep(TOGETHER_MS);
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
    const { log } = this.#options.world;
    this.#heartbeatAt = this.#now + HEARTBEAT_MS;
    const waiting = this.#trackers.filter(({ verdict }) => verdict.state !== "ready");
    const left = Math.max(0, Math.round((this.#options.deadline - this.#now) / 1_000));
    const lines = waiting.map(({ name, missing }) => `${name} (${missing})`);
    const away = this.#saidLost ? "; the API server is away" : "";
    log.info(`Still waiting for ${lines.join(", ")}; ${left} s left${away}`);
  }

  async #finish(verdict: RolloutReport["verdict"]): Promise<RolloutReport> {
    const decided = verdict === "failed" ? this.#culprit() : undefined;
    if (decided !== undefined) await this.#hearLastWords(decided.cause);
    const culprit = verdict === "ready" ? undefined : (this.#culprit() ?? decided);
    const cause =
      culprit === undefined
        ? this.#noCause(verdict)
        : reported(await this.#located(culprit), verdict, this.#now);
    const evidence =
      verdict === "ready" || verdict === "cancelled"
        ? { logs: [], events: [], unavailable: this.#view.unreadable }
        : await this.#evidence(culprit);
    const ended = this.#now;
    return {
      verdict,
      cause,
      startedAt: new Date(this.#startedAt).toISOString(),
      endedAt: new Date(ended).toISOString(),
      seconds: Math.round((ended - this.#startedAt) / 10) / 100,
      resources: this.#trackers.map((tracker) => tracker.report()),
      evidence,
    };
  }

  /** The target whose trouble was certain first. */
  #culprit(): Culprit | undefined {
    const troubled = this.#trackers.flatMap((tracker): Culprit[] =>
      "cause" in tracker.verdict ? [{ tracker, cause: tracker.verdict.cause }] : [],
    );
    const [first] = troubled.sort(
      (a, b) => a.cause.certainAt - b.cause.certainAt || a.cause.since - b.cause.since,
    );
    return first;
  }

  /** What does not exist may be missing with its whole namespace. */
  async #located(culprit: Culprit): Promise<Culprit> {
    const { namespace } = culprit.tracker.target;
    if (culprit.cause.reason !== "NotFound" || namespace === undefined) return culprit;
    const bound = this.#cluster.boundTo(this.#stop.signal);
    const message = await missingNamespace(bound, namespace);
    if (message === undefined) return culprit;
    return { ...culprit, cause: { ...culprit.cause, reason: "NamespaceNotFound", message } };
  }

  /** At the deadline, without a fault: what is missing, or that nobody can tell. */
  #noCause(verdict: RolloutReport["verdict"]): ReportedCause | undefined {
    const { lost } = this.#view;
    const tracker = this.#trackers.find((one) => one.verdict.state !== "ready");
    if (verdict !== "timed-out" || tracker === undefined) return undefined;
    const now = this.#now;
    const seconds = Math.round((now - this.#startedAt) / 1_000);
    return {
      resource: tracker.name,
      namespace: tracker.target.namespace ?? "",
      reason: lost === undefined ? "Timeout" : "Unreachable",
      message:
        lost === undefined
          ? `${tracker.name}: not ready after ${seconds} s: ${tracker.missing}`
          : `${tracker.name}: its state is not known, for the API server went away: ${lost.cause}`,
      remedy: lost?.remedy ?? "Look at what is missing, or give it a longer timeout.",
      firstSeenAt: new Date(now).toISOString(),
      causeSeenAt: new Date(now).toISOString(),
    };
  }

  async #hearLastWords(cause: Cause): Promise<void> {
    if (!SPEAKING.includes(cause.reason)) return;
    const { clock } = this.#options.world;
    const timer = new AbortController();
    await Promise.race([
      this.#lastWords.settled(),
      clock.sleep(LAST_WORDS_MS, timer.signal).catch(() => undefined),
    ]);
    timer.abort();
    if (this.#view.lost === undefined) this.#assess();
  }

  async #evidence(culprit: Culprit | undefined): Promise<Evidence> {
    const tracker =
      culprit?.tracker ?? this.#trackers.find(({ verdict }) => verdict.state !== "ready");
    const object = tracker === undefined ? undefined : this.#view.find(tracker.target);
    const logs = await this.#logs(culprit);
    const unread = logs.filter((log) => typeof log === "string");
    return {
      logs: logs.filter((log) => typeof log !== "string"),
      events: object === undefined ? [] : groupEvents(this.#eventsAround(object)),
      unavailable: [...new Set([...this.#view.unreadable, ...unread])],
    };
  }

  async #logs(culprit: Culprit | undefined): Promise<(LogTail | string)[]> {
    const { pod, container, reason } = culprit?.cause ?? {};
    if (pod === undefined || container === undefined || NO_LOG.includes(reason ?? "")) return [];
    const name = { namespace: culprit?.tracker.target.namespace ?? "", pod, container };
    const runs = ["previous", "current"] as const;
    const { signal } = this.#stop;
    return Promise.all(runs.map((run) => readLog(this.#cluster, name, run, signal)));
  }

  #eventsAround(object: Parameters<typeof around>[0]): ClusterEvent[] {
    const index = this.#view.index();
    const { pods, replicaSets } = around(object, index);
    const since = this.#startedAt - BEFORE_MS;
    const uids = [object, ...replicaSets, ...pods].map(({ metadata }) => metadata.uid ?? "");
    return uids
      .flatMap((uid) => index.events.get(uid) ?? [])
      .filter((event) => lastSeenOf(event) >= since);
  }
}

interface Culprit {
  readonly tracker: Tracker;
  readonly cause: Cause;
}

const NOTHING = { pods: [], replicaSets: [], revisions: [] };
/** Causes that the last words of a container are part of. */
const SPEAKING = ["CrashLoop", "JobFailed", "PodFailed"];
/** Causes of containers that never ran, and so have no log. */
const NO_LOG = ["ImageNotFound", "ImageNameInvalid", "ImagePullDenied", "ImagePull", "ConfigError"];

function reported(
  { tracker, cause }: Culprit,
  verdict: RolloutReport["verdict"],
  now: number,
): ReportedCause {
  const late = verdict === "timed-out" ? "not ready in time: " : "";
  const { reason, remedy, pod, container, exitCode, since, certainAt } = cause;
  return {
    resource: tracker.name,
    namespace: tracker.target.namespace ?? "",
    reason,
    message: `${tracker.name}: ${late}${cause.message}`,
    remedy,
    pod,
    container,
    exitCode,
    firstSeenAt: new Date(since).toISOString(),
    // A deadline may come before the grace is over.
    causeSeenAt: new Date(
      Number.isFinite(certainAt) ? Math.min(certainAt, now) : since,
    ).toISOString(),
  };
}
