import type { Outcome } from "../../shared/action/index.ts";
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
  const { way, users, difference } = facts;
  return {
    outputs: {
      from: way?.from ?? "",
      to: way?.to ?? "",
      "running-revision": facts.running ?? "",
      changed: facts.touched,
      "users-hurt": users?.hurt ?? "unknown",
      "affected-seconds": users?.affectedSeconds ?? "",
      report: reportOf(journal, facts, failure, seconds),
      seconds,
    },
    summary: summaryOf(options, journal, facts, failure, seconds),
    failure,
  };

  function reportOf(
    { phases }: Journal,
    { record, rollout, images, presence }: Facts,
    error: UserError | undefined,
    total: number,
  ): object {
    return {
      subject: way?.subject,
      from: way?.from,
      to: way?.to,
      ...record,
      cause: error?.cause,
      causeReason: rollout?.cause?.reason,
      changes: difference?.counts,
      notes: way?.notes ?? [],
      images: presence,
      proof: images,
      resources: rollout?.resources ?? [],
      users,
      seconds: total,
      phases: phases.map(({ name, from, to, failed }) => ({
        name,
        startSeconds: from / 1_000,
        seconds: (to - from) / 1_000,
        failed,
      })),
    };
  }
}
