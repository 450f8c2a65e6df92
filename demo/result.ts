import type { FaultName } from "./faults.ts";
import type { Tally } from "./traffic.ts";
import type { PodLife } from "./witness.ts";

/** The slowest verdict that counts as caught in time. */
export const LONGEST_VERDICT_SECONDS = 2;

/** What came of shipping one broken version. Times in seconds since its workflow began. */
export interface FaultResult {
  readonly fault: FaultName;
  readonly version: string;
  readonly story: string;
  /** Why it failed, as the workflow's output says it. */
  readonly cause: string;
  /** The API's own words when it first showed the fault. */
  readonly seen: string;
  readonly seenAt: number | undefined;
  readonly verdictAt: number | undefined;
  readonly endedAt: number;
  /** Whether the workflow failed, as it must. */
  readonly caught: boolean;
  readonly rolledBack: boolean;
  readonly traffic: TrafficResult;
  readonly steps: readonly StepSpan[];
  readonly pods: readonly PodSpan[];
}

export interface TrafficResult {
  readonly requests: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly slowestMs: number;
  /** Answers by version. */
  readonly versions: Readonly<Record<string, number>>;
  /** Half seconds of requests. */
  readonly beats: readonly Beat[];
}

export interface Beat {
  readonly at: number;
  readonly answered: number;
  readonly failed: number;
}

export interface StepSpan {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly passed: boolean;
}

export interface PodSpan {
  readonly name: string;
  readonly version: string;
  readonly states: readonly PodState[];
}

export interface PodState {
  readonly state: string;
  readonly ready: boolean;
  readonly from: number;
  readonly to: number;
}

/** How long the verdict took once the cause could be seen; undefined when one of them is missing. */
export function verdictSeconds({ seenAt, verdictAt }: FaultResult): number | undefined {
  if (seenAt === undefined || verdictAt === undefined) return undefined;
  // The action has its own watch, which may hear of it a moment before the demo's does.
  return Math.max(0, verdictAt - seenAt);
}

/** What went otherwise than it should; empty when all is well. */
export function problemsOf(result: FaultResult): string[] {
  const { fault, caught, rolledBack, traffic, seenAt, verdictAt } = result;
  const seconds = verdictSeconds(result);
  const problems: string[] = [];
  if (!caught) problems.push("the workflow did not fail");
  if (caught && verdictAt === undefined) problems.push("no verdict was printed");
  if (caught && seenAt === undefined) problems.push("the API never showed the fault");
  if (!rolledBack) problems.push("the release was not rolled back");
  if (traffic.requests === 0) problems.push("no request was counted");
  if (traffic.failed > 0) {
    problems.push(
      `${traffic.failed} of ${traffic.requests} requests failed (${traffic.failures.join("; ")})`,
    );
  }
  if (seconds !== undefined && seconds > LONGEST_VERDICT_SECONDS) {
    problems.push(
      `the verdict came ${seconds.toFixed(1)} s after its cause could be seen, and may take ${LONGEST_VERDICT_SECONDS} s`,
    );
  }
  return problems.map((problem) => `${fault}: ${problem}`);
}

/** The machine-readable result, without a line break. */
export function toJson(results: readonly FaultResult[]): string {
  const faults = results.map((result) => ({
    fault: result.fault,
    cause: result.cause,
    verdictSecondsAfterCause: rounded(verdictSeconds(result)),
    failedRequests: result.traffic.failed,
    requests: result.traffic.requests,
    rolledBack: result.rolledBack,
  }));
  return JSON.stringify({ faults });
}

function rounded(seconds: number | undefined): number | null {
  return seconds === undefined ? null : Math.round(seconds * 1_000) / 1_000;
}

/** What the client met between two of its tallies. */
export function trafficBetween(
  tallies: readonly Tally[],
  before: Tally,
  secondsOf: (at: number) => number,
): TrafficResult {
  const after = tallies.at(-1) ?? before;
  const during = tallies.filter(({ at }) => at >= before.at);
  const beats = during.slice(1).flatMap((tally, index): Beat[] => {
    const previous = during[index];
    if (previous === undefined) return [];
    return [
      {
        at: secondsOf(tally.at),
        answered: tally.answered - previous.answered,
        failed: tally.failed - previous.failed,
      },
    ];
  });
  const versions = Object.entries(after.versions)
    .map(([version, count]) => [version, count - (before.versions[version] ?? 0)] as const)
    .filter(([, count]) => count > 0);
  return {
    requests: after.answered + after.failed - before.answered - before.failed,
    failed: after.failed - before.failed,
    failures: after.failures.slice(before.failures.length),
    slowestMs: Math.max(0, ...during.slice(1).map(({ slowestMs }) => slowestMs)),
    versions: Object.fromEntries(versions),
    beats,
  };
}

/** The states of pods as spans; `end` closes those that last. Times given by performance.now(). */
export function podSpans(lives: readonly PodLife[], began: number, ended: number): PodSpan[] {
  const seconds = (at: number) => (Math.max(at, began) - began) / 1_000;
  return lives.map(({ name, version, states, to }) => ({
    name,
    version,
    states: states.map(({ at, state, ready }, index) => ({
      state,
      ready,
      from: seconds(at),
      to: seconds(states[index + 1]?.at ?? to ?? ended),
    })),
  }));
}
