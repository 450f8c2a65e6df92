import type { Outcome } from "../../shared/action/index.ts";
import { differenceData } from "../../shared/diff/index.ts";
import type { UserError } from "../../shared/failure/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import type { Facts } from "./facts.ts";
import type { Options, OutputName } from "./inputs.ts";
import { summaryOf } from "./summary.ts";

/** Outputs and summary from what is known, whether all went well or not. */
export function outcomeOf(
  options: Options,
  journal: Journal,
  facts: Facts,
  failure: UserError | undefined,
): Outcome<OutputName> {
  const seconds = Math.round(journal.elapsed() / 10) / 100;
  return {
    outputs: {
      changes: facts.difference === undefined ? "" : differenceData(facts.difference),
      revision: facts.revision ?? "",
      "previous-revision": facts.previous?.revision ?? "",
      "running-revision": facts.running ?? "",
      "rolled-back": facts.rolledBack,
      "users-hurt": facts.availability?.hurt ?? "unknown",
      "affected-seconds": facts.availability?.affectedSeconds ?? "",
      report: reportOf(options, journal, facts, failure, seconds),
      seconds,
    },
    summary: summaryOf(options, journal, facts, failure, seconds),
    failure,
  };
}

function reportOf(
  { release, namespace }: Options,
  { phases }: Journal,
  facts: Facts,
  failure: UserError | undefined,
  seconds: number,
): object {
  const { rollout, recovery, images, notes, helmVersion } = facts;
  const cause = rollout?.cause ?? facts.hookCause;
  const late =
    cause === undefined || rollout === undefined
      ? undefined
      : (Date.parse(rollout.endedAt) - Date.parse(cause.causeSeenAt)) / 1_000;
  return {
    release,
    namespace,
    helm: helmVersion,
    revision: facts.revision,
    previousRevision: facts.previous?.revision,
    runningRevision: facts.running,
    rolledBack: facts.rolledBack,
    cause: failure?.cause,
    causeReason: cause?.reason,
    causeSeenAt: cause?.causeSeenAt,
    verdictAt: cause === undefined ? undefined : rollout?.endedAt,
    verdictSecondsAfterCause: late,
    seconds,
    phases: phases.map(({ name, from, to, failed }) => ({
      name,
      startSeconds: from / 1_000,
      seconds: (to - from) / 1_000,
      failed,
    })),
    resources: rollout?.resources ?? [],
    recovery: recovery?.resources,
    images,
    availability: facts.availability,
    notes,
  };
}
