import type { Outcome } from "../../shared/action/index.ts";
import type { DeployFacts } from "../../shared/apply-set/index.ts";
import { differenceData } from "../../shared/diff/index.ts";
import type { UserError } from "../../shared/failure/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import { briefReport, type RolloutReport } from "../../shared/kubernetes/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import { summaryOf } from "./summary.ts";

/** Outputs and summary from what is known, whether all went well or not. */
export function outcomeOf(
  options: Options,
  journal: Journal,
  facts: DeployFacts,
  failure: UserError | undefined,
): Outcome<OutputName> {
  const seconds = Math.round(journal.elapsed() / 10) / 100;
  const { availability, difference, plan } = facts;
  return {
    outputs: {
      revision: facts.revision ?? "",
      "previous-revision": facts.previous?.revision ?? "",
      "running-revision": facts.running ?? "",
      applied: plan?.objects.length ?? 0,
      changed: facts.changed,
      pruned: facts.pruned.length,
      "rolled-back": facts.rolledBack,
      "users-hurt": availability?.hurt ?? "",
      "affected-seconds": availability?.affectedSeconds ?? "",
      changes: difference === undefined ? "" : differenceData(difference),
      report: reportOf(options, journal, facts, failure, seconds),
      seconds,
    },
    summary: summaryOf(options, journal, facts, failure, seconds),
    failure,
  };
}

function reportOf(
  { name = "live", namespace }: Options,
  { phases }: Journal,
  facts: DeployFacts,
  failure: UserError | undefined,
  seconds: number,
): object {
  const { rollout, recovery, images, notes, availability } = facts;
  const cause = rollout?.cause;
  return {
    set: name,
    namespace,
    revision: facts.revision,
    previousRevision: facts.previous?.revision,
    runningRevision: facts.running,
    rolledBack: facts.rolledBack,
    unchanged: facts.unchanged,
    cause: failure?.cause,
    causeReason: cause?.reason,
    causeSeenAt: cause?.causeSeenAt,
    verdictAt: cause === undefined ? undefined : rollout?.endedAt,
    verdictSecondsAfterCause: secondsAfterCause(rollout),
    seconds,
    phases: phases.map((phase) => ({
      name: phase.name,
      startSeconds: phase.from / 1_000,
      seconds: (phase.to - phase.from) / 1_000,
      failed: phase.failed,
    })),
    resources: rollout === undefined ? [] : briefReport(rollout).resources,
    recovery: recovery === undefined ? undefined : briefReport(recovery).resources,
    pruned: facts.pruned.slice(0, 200),
    images,
    availability,
    notes: notes.slice(0, 100),
  };
}

function secondsAfterCause(rollout: RolloutReport | undefined): number | undefined {
  if (rollout?.cause === undefined) return undefined;
  return (Date.parse(rollout.endedAt) - Date.parse(rollout.cause.causeSeenAt)) / 1_000;
}
