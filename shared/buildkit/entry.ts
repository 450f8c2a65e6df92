import type { UserError } from "../failure/index.ts";
import type { BakeResult, BakeTarget } from "./bake-target.ts";
import type { StepCounts } from "./build-event.ts";
import type { TargetProgress } from "./target-progress.ts";

const NONE: StepCounts = { done: 0, cached: 0, total: 0 };

/** What is known of one target in the course of a bake. */
export class Entry {
  readonly target: BakeTarget;
  /** Its name in the definition. */
  readonly key: string;
  attempts = 0;
  /** When its time began, in epoch milliseconds. */
  since = 0;
  /** How often something that passes has ended it, since when, and what the last was. */
  troubles = 0;
  troubledSince: number | undefined;
  trouble: { readonly why: string; readonly wait: number } | undefined;
  stalls = 0;
  /** BuildKit was lost once. */
  lost = false;
  #settled = false;
  #digest: string | undefined;
  #failure: UserError | undefined;
  #steps: StepCounts = NONE;
  #stepsOfSuccess: StepCounts = NONE;
  #fetched = 0;
  #began: number | undefined;
  #ended: number | undefined;

  constructor(target: BakeTarget, key: string) {
    this.target = target;
    this.key = key;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** It is built, and pushed where it was to be. */
  succeed(digest: string | undefined): void {
    this.#settled = true;
    this.#steps = this.#stepsOfSuccess;
    this.#digest = this.target.output === "none" ? undefined : digest;
  }

  fail(failure: UserError): void {
    this.#settled = true;
    this.#failure = failure;
  }

  /** Takes in how far a run came. */
  note(progress: TargetProgress | undefined, began: number, ended: number): void {
    this.#began ??= progress?.began ?? began;
    this.#ended = progress?.ended ?? ended;
    if (progress === undefined) return;
    this.#steps = progress.steps;
    this.#stepsOfSuccess = progress.stepsOfSuccess;
    this.#fetched += progress.fetched;
  }

  /** A sentence on how often something that could have passed did not; undefined when nothing was. */
  get tried(): string | undefined {
    if (this.troubles === 0 || this.troubledSince === undefined) return undefined;
    const seconds = Math.round(((this.#ended ?? this.troubledSince) - this.troubledSince) / 1_000);
    return `It was tried ${this.troubles + 1} times in ${seconds} s.`;
  }

  result(now: number): BakeResult {
    return {
      name: this.target.name,
      digest: this.#digest,
      steps: this.#steps,
      bytes: this.#fetched,
      began: this.#began ?? now,
      ended: this.#ended ?? now,
      attempts: this.attempts,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }
}
