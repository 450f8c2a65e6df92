import type { World } from "../../world/index.ts";
import type { Cluster } from "../cluster.ts";
import type { Cause } from "../verdict/index.ts";
import { type ClusterEvent, lastSeenOf } from "../workload.ts";
import { groupEvents, readLog } from "./evidence.ts";
import type { LastWords } from "./last-words.ts";
import { missingNamespace } from "./namespace.ts";
import {
  type Evidence,
  type LogTail,
  type ReportedCause,
  type ResourceReport,
  type RolloutReport,
  STATES,
} from "./report.ts";
import type { Target } from "./target.ts";
import type { Tracker } from "./tracker.ts";
import type { View } from "./view.ts";

/** Longest wait for the last words of a crashed container, which make its cause better. */
const LAST_WORDS_MS = 800;
/** Events of this long before the wait began still belong to the rollout. */
const BEFORE_MS = 60_000;
/** Causes that the last words of a container are part of. */
const SPEAKING = ["CrashLoop", "JobFailed", "PodFailed"];
/** Causes of containers that never ran, and so have no log. */
const NO_LOG = ["ImageNotFound", "ImageNameInvalid", "ImagePullDenied", "ImagePull", "ConfigError"];

export interface Ending {
  /** Bound to the end of the wait. */
  readonly cluster: Cluster;
  readonly clock: World["clock"];
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly trackers: readonly Tracker[];
  readonly view: View;
  readonly lastWords: LastWords;
  /** Assesses what was touched since the last look. */
  readonly lookAgain: () => void;
}

interface Culprit {
  readonly tracker: Tracker;
  readonly cause: Cause;
}

/** Makes the report when the verdict is known: the cause, and the evidence for it. */
export class Conclusion {
  readonly #ending: Ending;

  constructor(ending: Ending) {
    this.#ending = ending;
  }

  async report(verdict: RolloutReport["verdict"]): Promise<RolloutReport> {
    const { trackers, startedAt, view } = this.#ending;
    const decided = verdict === "failed" ? this.#culprit() : undefined;
    if (decided !== undefined) await this.#hearLastWords(decided);
    const culprit = verdict === "ready" ? undefined : (this.#culprit() ?? decided);
    const cause =
      culprit === undefined
        ? this.#noCause(verdict)
        : reported(await this.#located(culprit), verdict, this.#now);
    const evidence =
      verdict === "ready" || verdict === "cancelled"
        ? { logs: [], events: [], unavailable: view.unreadable }
        : await this.#evidence(culprit);
    const ended = this.#now;
    const resources = trackers.map((tracker) => tracker.report());
    return {
      verdict,
      cause,
      startedAt: new Date(startedAt).toISOString(),
      endedAt: new Date(ended).toISOString(),
      seconds: Math.round((ended - startedAt) / 10) / 100,
      counts: countsOf(resources),
      resources,
      evidence,
    };
  }

  get #now(): number {
    return this.#ending.clock.now();
  }

  /** The target whose trouble was certain first. */
  #culprit(): Culprit | undefined {
    const troubled = this.#ending.trackers.flatMap((tracker): Culprit[] =>
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
    const message = await missingNamespace(this.#ending.cluster, namespace);
    if (message === undefined) return culprit;
    return { ...culprit, cause: { ...culprit.cause, reason: "NamespaceNotFound", message } };
  }

  /** At the deadline, without a fault: what is missing, or that nobody can tell. */
  #noCause(verdict: RolloutReport["verdict"]): ReportedCause | undefined {
    const { trackers, view, startedAt } = this.#ending;
    const waiting = trackers.filter((one) => one.verdict.state !== "ready");
    const [tracker] = waiting;
    if (verdict !== "timed-out" || tracker === undefined) return undefined;
    const { lost } = view;
    const now = this.#now;
    const seconds = Math.round((now - startedAt) / 1_000);
    const others = waiting.length > 1 ? `; ${waiting.length - 1} more are not ready` : "";
    return {
      resource: tracker.name,
      namespace: tracker.target.namespace ?? "",
      reason: lost === undefined ? "Timeout" : "Unreachable",
      message:
        lost === undefined
          ? `${tracker.name}: not ready after ${seconds} s: ${tracker.missing}${others}`
          : `${tracker.name}: its state is not known, for the API server went away: ${lost.cause}`,
      remedy: lost?.remedy ?? "Look at what is missing, or give it a longer timeout.",
      firstSeenAt: new Date(now).toISOString(),
      causeSeenAt: new Date(now).toISOString(),
    };
  }

  async #hearLastWords({ tracker, cause }: Culprit): Promise<void> {
    const { clock, lastWords, lookAgain, view } = this.#ending;
    if (!SPEAKING.includes(cause.reason)) return;
    const object = view.find(tracker.target);
    const pods = object === undefined ? [] : view.around(tracker.target, object).pods;
    lastWords.ask(pods.filter(({ metadata }) => metadata.name === cause.pod));
    const timer = new AbortController();
    await Promise.race([
      lastWords.settled(),
      clock.sleep(LAST_WORDS_MS, timer.signal).catch(() => undefined),
    ]);
    timer.abort();
    lookAgain();
  }

  async #evidence(culprit: Culprit | undefined): Promise<Evidence> {
    const { trackers, view } = this.#ending;
    const tracker = culprit?.tracker ?? trackers.find(({ verdict }) => verdict.state !== "ready");
    const logs = await this.#logs(culprit);
    const unread = logs.filter((log) => typeof log === "string");
    return {
      logs: logs.filter((log) => typeof log !== "string"),
      events: tracker === undefined ? [] : groupEvents(this.#eventsAround(tracker.target)),
      unavailable: [...new Set([...view.unreadable, ...unread])],
    };
  }

  async #logs(culprit: Culprit | undefined): Promise<(LogTail | string)[]> {
    const { pod, container, reason } = culprit?.cause ?? {};
    if (pod === undefined || container === undefined || NO_LOG.includes(reason ?? "")) return [];
    const { cluster } = this.#ending;
    const name = { namespace: culprit?.tracker.target.namespace ?? "", pod, container };
    const runs = ["previous", "current"] as const;
    return Promise.all(runs.map((run) => readLog(cluster, name, run)));
  }

  #eventsAround(target: Target): ClusterEvent[] {
    const { view, startedAt } = this.#ending;
    const object = view.find(target);
    if (object === undefined) return [];
    const { pods, replicaSets } = view.around(target, object);
    const uids = [object, ...replicaSets, ...pods].map(({ metadata }) => metadata.uid ?? "");
    return uids
      .flatMap((uid) => view.events(uid))
      .filter((event) => lastSeenOf(event) >= startedAt - BEFORE_MS);
  }
}

function countsOf(resources: readonly ResourceReport[]): RolloutReport["counts"] {
  const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<
    (typeof STATES)[number],
    number
  >;
  for (const { state } of resources) counts[state] += 1;
  return counts;
}

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
