import { UserError } from "../failure/index.ts";
import { HelmFailure } from "../helm/index.ts";
import {
  type Cluster,
  nameOf,
  type ObjectRef,
  type ReportedCause,
  type RolloutReport,
  refOf,
  rolloutFailure,
  waitForRollout,
} from "../kubernetes/index.ts";
import type { Log, World } from "../world/index.ts";
import { followLogsOf, type HookLog } from "./hook-log.ts";
import { type Hook, runs } from "./hooks.ts";

/** How often a hook is looked for that Helm has not made yet. */
const LOOK_MS = 500;
/** Helm ends by itself when a hook has failed; later it is ended. */
const UNTIL_HELM_SEES_MS = 5_000;
/** After Helm's end, the words of the hook may still be on their way. */
const LAST_WORDS_MS = 1_500;
/** What Helm sees too; the rest it would wait for until its timeout. */
const SEEN_BY_HELM = ["JobFailed", "PodFailed"];
/** Hooks come and go by Helm's will. */
const NO_FAILURE = ["Deleted", "NotFound", "NamespaceNotFound", "Unreachable"];

/**
 * Watches the hooks that Helm runs, for Helm tells little of a hook that fails, and waits its whole
 * timeout for one that cannot start.
 */
export class HookWatch {
  readonly #cluster: Cluster;
  readonly #world: World;
  readonly #deadline: number;
  readonly #failed = new AbortController();
  readonly #over = new AbortController();
  #watching: Promise<void> = Promise.resolve();
  #failure: UserError | undefined;
  #cause: ReportedCause | undefined;
  /** Of a hook that Helm deleted as soon as it had failed, this is all there is. */
  #lastSeen: { readonly hook: Hook; readonly ref: ObjectRef; readonly text: string } | undefined;
  readonly #logs: HookLog[] = [];

  private constructor(cluster: Cluster, world: World, deadline: number) {
    this.#cluster = cluster;
    this.#world = world;
    this.#deadline = deadline;
  }

  /** Begins to watch the hooks that Helm is about to run; those of earlier runs are left alone. */
  static async begin(
    hooks: readonly Hook[],
    { cluster, namespace: home }: { readonly cluster: Cluster; readonly namespace: string },
    deadline: number,
    world: World,
  ): Promise<HookWatch> {
    const watch = new HookWatch(cluster, world, deadline);
    const found = hooks.filter(runs).map(async (hook) => {
      const { namespace = home, ...ref } = refOf(hook.object);
      const before = await cluster.find({ ...ref, namespace });
      return { hook, ref: { ...ref, namespace }, before: before?.metadata.uid };
    });
    const all = await Promise.all(found).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      world.log.debug(`The hooks are not watched: ${error.cause}`);
      return [];
    });
    const watching = all.map(({ hook, ref, before }) => watch.#follow(hook, ref, before));
    watch.#watching = Promise.all(watching).then(() => {});
    // Whoever waits for it hears of an error; until then it must not count as unhandled.
    watch.#watching.catch(() => {});
    return watch;
  }

  /** Aborts, with the failure as its reason, when there is no use in waiting for Helm. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Why a hook failed; undefined while none has. */
  get cause(): ReportedCause | undefined {
    return this.#cause;
  }

  /** Helm's failure in the words of the hook, where it was the hook's. */
  async explain(error: unknown): Promise<unknown> {
    if (!(error instanceof HelmFailure) || !["hook", "deadline"].includes(error.kind)) return error;
    await Promise.race([this.#watching, this.#world.clock.sleep(LAST_WORDS_MS)]);
    if (this.#failure !== undefined) return this.#failure;
    await this.stop();
    if (this.#lastSeen === undefined) return error;
    const { hook, ref, text } = this.#lastSeen;
    const { title, cause, remedy, evidence } = error;
    const what = `${hook.when} hook ${nameOf(ref)}: ${text}`;
    const now = new Date(this.#world.clock.now()).toISOString();
    this.#cause ??= {
      resource: nameOf(ref),
      namespace: ref.namespace ?? "",
      reason: ref.kind === "Pod" ? "PodFailed" : "JobFailed",
      message: what,
      remedy,
      firstSeenAt: now,
      causeSeenAt: now,
    };
    const log = this.#logs.flatMap(({ tail }) => tail).join("\n");
    const words = [evidence ?? cause, ...(log === "" ? [] : [`The hook's log:\n${log}`])];
    return new UserError({
      title,
      cause: `${what}.`,
      remedy: "Read the hook's log: its program gave up by itself.",
      evidence: words.join("\n\n"),
    });
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #follow(hook: Hook, ref: ObjectRef, before: string | undefined): Promise<void> {
    const { clock, log } = this.#world;
    const signal = AbortSignal.any([this.#over.signal, this.#world.signal]);
    const cluster = this.#cluster.boundTo(signal);
    try {
      for (;;) {
        const found = await cluster.find(ref);
        if (found !== undefined && found.metadata.uid !== before) break;
        await clock.sleep(LOOK_MS, signal);
      }
      log.info(`Helm runs the ${hook.when} hook ${nameOf(ref)}.`);
      const world = { ...this.#world, signal, log: withoutDeletions(log) };
      await using following = followLogsOf(cluster, ref, world);
      this.#logs.push(following);
      const graces = { absent: 0 };
      const options = { deadline: this.#deadline, world, graces };
      const report = await waitForRollout(cluster, [ref], options);
      await this.#judge(hook, ref, report);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UserError)) throw error;
      log.debug(`The hook ${nameOf(ref)} is watched no more: ${error.cause}`);
    }
  }

  async #judge(hook: Hook, ref: ObjectRef, report: RolloutReport): Promise<void> {
    const [{ state, timeline } = { state: "ready", timeline: [] }] = report.resources;
    const seen = timeline.findLast((moment) => moment.state === "progressing");
    if (state !== "ready" && seen !== undefined) {
      // The counts of its pods say less than what became of one.
      const text = /(?:^|; )(container .*|pod .*)$/s.exec(seen.text)?.[1] ?? seen.text;
      this.#lastSeen = { hook, ref, text };
    }
    const failure = rolloutFailure(report);
    const reason = report.cause?.reason ?? "";
    if (failure === undefined || report.verdict === "cancelled" || NO_FAILURE.includes(reason))
      return;
    this.#failure ??= hookFailure(hook, failure);
    this.#cause ??= report.cause;
    const ended = SEEN_BY_HELM.includes(reason);
    if (ended) {
      await this.#world.clock.sleep(UNTIL_HELM_SEES_MS, this.#over.signal);
    }
    if (this.#over.signal.aborted) return;
    this.#failed.abort(this.#failure);
    // One that has not even started must not do so after the rollback.
    if (ended && !hook.deletedOnFailure) return;
    await this.#cluster.boundTo(this.#world.aftermath).delete(ref);
  }
}

/** Helm deletes a hook when it has ended: that is no trouble to tell of. */
function withoutDeletions(log: Log): Log {
  const info = (text: string) => {
    if (!text.includes("it was deleted in namespace")) log.info(text);
  };
  return { ...log, info };
}

function hookFailure({ when }: Hook, { cause, remedy, evidence }: UserError): UserError {
  return new UserError({
    title: `The ${when} hook failed`,
    cause: `${when} hook ${cause}`,
    remedy,
    ...(evidence === undefined ? {} : { evidence }),
  });
}
