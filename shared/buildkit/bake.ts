import { randomUUID } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, UserError } from "../failure/index.ts";
import type { BakeProgress } from "./bake-progress.ts";
import type { BakeResult, BakeTarget } from "./bake-target.ts";
import { brokenTarget, buildxError } from "./build-error.ts";
import type { BuildEvent } from "./build-event.ts";
import { builderReturns } from "./builder-returns.ts";
import { bakeDefinition } from "./definition.ts";
import { Entry } from "./entry.ts";
import { explain } from "./explain.ts";
import { concernsAll, lostBuilder } from "./known-failures.ts";
import { passingCause, waitBefore } from "./passing.ts";
import { redacted } from "./redacted.ts";
import { type Kitchen, type RunEnd, runBake } from "./run-bake.ts";

/** What a bake needs beside its targets. */
export interface BakeExecution extends Omit<Kitchen, "definition" | "allow"> {
  /** The longest that the whole bake may take, in milliseconds; no limit when left out. */
  readonly deadline?: number | undefined;
  /** The longest that one target may take, in milliseconds, where it says nothing of its own. */
  readonly timeout?: number | undefined;
  /** How long a push may be silent before it is tried again, in milliseconds. */
  readonly stall?: number;
  /** The longest that pushes are tried again for one target, in milliseconds. */
  readonly patience?: number;
  /** Told as things happen; `name` is the target's. */
  readonly onEvent: (name: string, event: BuildEvent) => void;
}

// BuildKit tells nothing of a layer that it pushes until all are there.
const STALL_MS = 120_000;
const SIDE_BY_SIDE = 4;
const MOST_STALLS = 5;
/** By so much may a timer be early. */
const SLACK_MS = 50;

/**
 * Builds all targets by one run of buildx, and pushes them by digest. Where one breaks, buildx
 * ends them all; then the others are baked on, each by a run of its own that no other can end, so
 * that every broken target is found and every other one is built. Pushes that fail by what passes
 * are tried again.
 *
 * Never throws for what a user can act on: that is the `failure` of each target that it concerns,
 * also when the signal aborts.
 */
export async function bake(
  targets: readonly BakeTarget[],
  execution: BakeExecution,
): Promise<BakeResult[]> {
  if (targets.length === 0) return [];
  const entries = targets.map((target, index) => new Entry(target, `s${index}`));
  const definition = join(execution.folder, `bake-${randomUUID()}.json`);
  const allow = [...new Set(targets.flatMap(({ entitlements = [] }) => entitlements))];
  const oven = new Oven(entries, { ...execution, definition, allow }, execution);
  try {
    await writeDefinition(definition, entries);
    if (entries.length > 1) await oven.bakeTogether();
    await oven.bakeApart();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    for (const entry of oven.open) entry.fail(error);
  } finally {
    await rm(definition, { force: true }).catch(() => {});
  }
  return entries.map((entry) => entry.result(execution.clock.now()));
}

async function writeDefinition(file: string, entries: readonly Entry[]): Promise<void> {
  const keys = new Map(entries.map(({ target, key }) => [target.name, key]));
  const definition = bakeDefinition(
    entries.map(({ target }) => target),
    keys,
  );
  try {
    await writeFile(file, JSON.stringify(definition), { mode: 0o600 });
  } catch (error) {
    throw new UserError(
      {
        title: "The runner's folder for temporary files cannot be used",
        cause: `${file}: ${describe(error)}.`,
        remedy: "Make room on the runner's disk; RUNNER_TEMP names the folder.",
      },
      { reason: error },
    );
  }
}

/** The runs of buildx that a bake takes. */
class Oven {
  readonly #entries: readonly Entry[];
  readonly #kitchen: Kitchen;
  readonly #execution: BakeExecution;
  readonly #began: number;

  constructor(entries: readonly Entry[], kitchen: Kitchen, execution: BakeExecution) {
    this.#entries = entries;
    this.#kitchen = kitchen;
    this.#execution = execution;
    this.#began = execution.clock.now();
  }

  /** Those of which nothing is decided yet. */
  get open(): readonly Entry[] {
    return this.#entries.filter(({ settled }) => !settled);
  }

  /** Bakes all by one run. Afterwards those are open that it did not decide. */
  async bakeTogether(): Promise<void> {
    this.#start(this.open);
    const { progress, end } = await this.#run(this.open, this.#stall);
    if (end.how !== "broken") {
      this.#conclude(this.open, progress, end);
      return;
    }
    for (const entry of this.open) {
      const pushed = progress.of(entry.key)?.pushed;
      if (pushed !== undefined) entry.succeed(pushed);
    }
    const error = buildxError(progress.text);
    if (lostBuilder(error) && this.open.every(({ lost }) => !lost)) {
      for (const entry of this.open) entry.lost = true;
      // What it had built is in its cache.
      if (await builderReturns(this.#kitchen)) return await this.bakeTogether();
    }
    if (lostBuilder(error) || concernsAll(error)) await this.#break(this.open, progress);
    else await this.#takeBroken(progress, error);
  }

  /** Bakes those that are open, each by runs of its own. */
  async bakeApart(): Promise<void> {
    const waiting = [...this.open];
    const inTurn = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        await this.#bakeAlone(next);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, inTurn));
  }

  async #bakeAlone(entry: Entry): Promise<void> {
    this.#start([entry]);
    while (!entry.settled) {
      if (!(await this.#waitForTrouble(entry))) return;
      // A push that is only slow must not be ended for ever.
      const { progress, end } = await this.#run([entry], this.#stall * 2 ** entry.stalls);
      if (end.how === "broken") await this.#takeTrouble(entry, progress);
      else this.#conclude([entry], progress, end);
    }
  }

  /** A push that stalled is tried again, and given longer. */
  #awaken(entry: Entry): void {
    const silence = inSeconds(this.#stall * 2 ** entry.stalls);
    entry.stalls += 1;
    this.#again(entry, `nothing was heard of the push for ${silence}`, 0);
  }

  /** What passes is waited for, and whatever else it is breaks the target. */
  async #takeTrouble(entry: Entry, progress: BakeProgress): Promise<void> {
    const error = buildxError(progress.text);
    if (lostBuilder(error) && !entry.lost) {
      entry.lost = true;
      if (await builderReturns(this.#kitchen)) return;
    }
    if (!this.#mayPass(entry, error)) await this.#break([entry], progress);
  }

  /** Whether the target is to be tried again: then when, and why, is noted. */
  #mayPass(entry: Entry, error: string): boolean {
    const cause = passingCause(error);
    if (cause === undefined) return false;
    const now = this.#execution.clock.now();
    entry.troubledSince ??= now;
    const wait = waitBefore(entry.troubles + 1, Math.random());
    const patience = Math.min(cause.patience, this.#execution.patience ?? cause.patience);
    if (now + wait - entry.troubledSince > patience) return false;
    if (wait > Math.min(this.#timeOfAll, this.#timeOf(entry))) return false;
    entry.troubles += 1;
    entry.trouble = { why: cause.why, wait };
    return true;
  }

  /** Says no when there is nothing left to try. */
  async #waitForTrouble(entry: Entry): Promise<boolean> {
    const { clock, signal } = this.#execution;
    const { trouble } = entry;
    if (trouble !== undefined) {
      entry.trouble = undefined;
      this.#again(entry, trouble.why, trouble.wait);
      await clock.sleep(trouble.wait, signal).catch(() => {});
    }
    if (signal.aborted) entry.fail(cancelled(signal));
    return !entry.settled;
  }

  #again(entry: Entry, why: string, waitMilliseconds: number): void {
    this.#execution.onEvent(entry.target.name, { kind: "again", why, waitMilliseconds });
  }

  async #run(entries: readonly Entry[], stall: number) {
    const { onEvent, clock } = this.#execution;
    const byKey = new Map(this.#entries.map((entry) => [entry.key, entry]));
    const began = clock.now();
    for (const entry of entries) entry.attempts += 1;
    const run = await runBake(
      {
        keys: entries.map(({ key }) => key),
        involved: involved(entries, this.#entries).map(({ key }) => key),
        deadline: this.#timeFor(entries),
        stall,
        tell: (key, event) => onEvent(byKey.get(key)?.target.name ?? key, event),
      },
      this.#kitchen,
    );
    for (const entry of entries) entry.note(run.progress.of(entry.key), began, clock.now());
    return run;
  }

  /** Time begins anew: what others broke is not for a target to pay. */
  #start(entries: readonly Entry[]): void {
    const now = this.#execution.clock.now();
    for (const entry of entries) entry.since = now;
  }

  get #stall(): number {
    return this.#execution.stall ?? STALL_MS;
  }

  /** What is left of a target's time, its tries together; in milliseconds. */
  #timeOf({ target, since }: Entry): number {
    const { timeout, clock } = this.#execution;
    return (target.timeout ?? timeout ?? Infinity) - (clock.now() - since);
  }

  /** What is left of all targets' time. */
  get #timeOfAll(): number {
    const { deadline, clock } = this.#execution;
    return deadline === undefined ? Infinity : this.#began + deadline - clock.now();
  }

  #timeFor(entries: readonly Entry[]): number | undefined {
    const least = Math.min(this.#timeOfAll, ...entries.map((entry) => this.#timeOf(entry)));
    return least === Infinity ? undefined : Math.max(least, 1);
  }

  /** Decides what a run that was not broken decides. */
  #conclude(entries: readonly Entry[], progress: BakeProgress, end: RunEnd): void {
    for (const entry of entries) {
      const pushed = progress.of(entry.key)?.pushed;
      if (end.how === "baked") entry.succeed(end.digests.get(entry.key));
      else if (end.how === "impossible") entry.fail(end.failure);
      else if (pushed !== undefined) entry.succeed(pushed);
      else if (end.how === "cancelled") entry.fail(cancelled(this.#execution.signal));
      else if (end.how === "late") this.#late(entry, progress);
      else if (entry.stalls < MOST_STALLS) this.#awaken(entry);
      else entry.fail(stalled(entry));
    }
  }

  /** One target's time can be over while others may go on. */
  #late(entry: Entry, progress: BakeProgress): void {
    if (Math.min(this.#timeOfAll, this.#timeOf(entry)) > SLACK_MS) return;
    const doing = redacted(progress.of(entry.key)?.stopped, this.#kitchen.secrets);
    entry.fail(late(entry, this.#execution.clock.now() - entry.since, doing));
  }

  /** Of several targets at once buildx names the one that broke first. */
  async #takeBroken(progress: BakeProgress, error: string): Promise<void> {
    const key = brokenTarget(progress.text);
    const broken = this.open.find((entry) => entry.key === key);
    if (broken === undefined || this.#mayPass(broken, error)) return;
    await this.#break([broken], progress);
    for (const other of progress.sharing(broken.key, error)) {
      const entry = this.open.find((each) => each.key === other);
      // Elsewhere the same instruction stands on another line: its own run will say on which.
      if (entry?.target.dockerfile === broken.target.dockerfile) {
        await this.#break([entry], progress);
      }
    }
  }

  async #break(entries: readonly Entry[], progress: BakeProgress): Promise<void> {
    for (const entry of entries) {
      const failure = await explain(involved([entry], this.#entries), progress, this.#kitchen);
      if (failure !== undefined) entry.fail(failure);
    }
  }
}

/** The targets with all that they are built on. */
function involved(entries: readonly Entry[], all: readonly Entry[]): readonly Entry[] {
  const found = new Set(entries);
  for (const { target } of found) {
    for (const context of Object.values(target.contexts ?? {})) {
      const linked = all.find((each) => `target:${each.target.name}` === context);
      if (linked !== undefined) found.add(linked);
    }
  }
  return [...found];
}

function cancelled(signal: AbortSignal): UserError {
  if (signal.reason instanceof UserError) return signal.reason;
  return new UserError({
    title: "Cancelled",
    cause: "The job was cancelled.",
    remedy: "Run the job again: what was built is cached.",
  });
}

function late({ target }: Entry, milliseconds: number, doing: string | undefined): UserError {
  return new UserError({
    title: `${target.name}: the build took too long`,
    cause: `It was ended after ${inSeconds(milliseconds)}, its timeout${doing === undefined ? "" : `, at: ${doing}`}.`,
    remedy: "Give the input timeout more, or make that step quicker.",
  });
}

function stalled({ target, stalls }: Entry): UserError {
  return new UserError({
    title: `${target.name}: the push stalled`,
    cause: `The registry took the image's layers and never said that it has them, ${stalls + 1} times.`,
    remedy: "Look at the registry and at the network between; run again, the build is cached.",
  });
}

function inSeconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1_000)} s`;
}
