import { UserError } from "../../shared/failure/index.ts";
import type { ServiceResult } from "./result.ts";

/** The one failure of a step from those of its services; undefined when there was none. */
export function failureOf(
  results: readonly ServiceResult[],
  signal: AbortSignal,
): UserError | undefined {
  if (signal.aborted) return cancelled(results);
  const failed = results.flatMap(({ name, failure }) => (failure ? [{ name, failure }] : []));
  const [first] = failed;
  if (first === undefined) return undefined;
  const done = results.filter(({ image }) => image !== undefined);
  const pushed =
    done.length === 0
      ? ""
      : `\n${names(done)} ${done.length === 1 ? "is" : "are"} pushed and proven.`;
  if (failed.length === 1) return worded(first.failure, pushed);
  return new UserError({
    title: `${failed.length} of ${results.length} services failed`,
    cause: `${failed.map(({ name, failure }) => `${name}: ${failure.cause}`).join("\n")}${pushed}`,
    remedy: [...new Set(failed.map(({ failure }) => failure.remedy))].join(" "),
    evidence: failed
      .flatMap(({ name, failure }) => (failure.evidence ? [`== ${name}`, failure.evidence] : []))
      .join("\n"),
    at: first.failure.at,
  });
}

function worded(failure: UserError, addition: string): UserError {
  if (addition === "") return failure;
  const { title, cause, remedy, evidence, at } = failure;
  const rest = evidence === undefined ? {} : { evidence };
  return new UserError({ title, cause: `${cause}${addition}`, remedy, at, ...rest });
}

function cancelled(results: readonly ServiceResult[]): UserError {
  const done = results.filter(({ image }) => image !== undefined);
  const half = results.filter(({ image, pushed }) => image === undefined && pushed.length > 0);
  const none = results.filter(({ image, pushed }) => image === undefined && pushed.length === 0);
  const sentences = [
    "The job was cancelled.",
    ...(done.length === 0 ? [] : [`Pushed and proven before that: ${names(done)}.`]),
    ...(half.length === 0
      ? []
      : [`Pushed and not proven: ${half.flatMap(({ pushed }) => pushed).join(", ")}.`]),
    ...(none.length === 0 ? [] : [`Not pushed: ${names(none)}.`]),
  ];
  return new UserError({
    title: "Cancelled",
    cause: sentences.join(" "),
    remedy:
      "Run the job again: what was built is cached, and what was pushed is pushed again as it is.",
  });
}

function names(results: readonly ServiceResult[]): string {
  return results.map(({ name, image }) => image?.reference ?? name).join(", ");
}
