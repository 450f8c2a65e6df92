import { UserError } from "../../shared/failure/index.ts";
import { nameOf } from "../../shared/images/index.ts";
import type { Passage } from "./result.ts";

/**
 * The one failure of a step from those of its services; undefined when there was none.
 *
 * @param unreleased why the tags of services that were all well could not be moved.
 */
export function failureOf(
  passages: readonly Passage[],
  unreleased: UserError | undefined,
  signal: AbortSignal,
): UserError | undefined {
  if (signal.aborted) return cancelled(passages, unreleased);
  if (unreleased !== undefined) return unreleased;
  const failed = passages.flatMap(({ service, failure }) =>
    failure === undefined ? [] : [{ name: service.name, failure }],
  );
  const [first] = failed;
  if (first === undefined) return undefined;
  const proven = provenText(passages);
  if (failed.length === 1) return worded(first.failure, proven);
  const causes = failed.map(({ name, failure }) => `${name}: ${failure.cause}`);
  const evidence = failed
    .flatMap(({ name, failure }) => (failure.evidence ? [`== ${name}`, failure.evidence] : []))
    .join("\n");
  return new UserError({
    title: `${failed.length} of ${passages.length} services failed`,
    cause: `${causes.join("\n")}${proven}`,
    remedy: [...new Set(failed.map(({ failure }) => failure.remedy))].join(" "),
    each: failed.map(({ failure }) => failure),
    ...(evidence === "" ? {} : { evidence }),
  });
}

/** What is at the registry all the same, and that nobody will be given it. */
function provenText(passages: readonly Passage[]): string {
  const done = passages.filter(({ images }) => images.length > 0);
  const released = passages.some((passage) => passage.released);
  if (done.length === 0 || released) return "";
  return `\nNo tag was moved: it is all services or none. At the registry by digest: ${names(done)}.`;
}

function worded(failure: UserError, addition: string): UserError {
  if (addition === "") return failure;
  const { title, cause, remedy, evidence, at, each, reason } = failure;
  const parts = { title, cause: `${cause}${addition}`, remedy, at, each };
  return new UserError(evidence === undefined ? parts : { ...parts, evidence }, { reason });
}

function cancelled(passages: readonly Passage[], unreleased: UserError | undefined): UserError {
  const released = passages.filter((passage) => passage.released);
  const proven = passages.filter(({ images, released: tagged }) => images.length > 0 && !tagged);
  const others = passages.filter(({ images }) => images.length === 0);
  const unproven = others.filter(({ built }) => built?.digest !== undefined);
  const none = others.filter(({ built }) => built?.digest === undefined);
  const sentences = [
    unreleased?.cause ?? "The job was cancelled.",
    ...(released.length === 0 ? [] : [`Released before that: ${names(released)}.`]),
    ...(proven.length === 0
      ? []
      : [`At the registry by digest, with no tag moved: ${names(proven)}.`]),
    ...(unproven.length === 0
      ? []
      : [
          `Pushed by digest, under no tag, and not proven: ${unproven.map(pushedName).join(", ")}.`,
        ]),
    ...(none.length === 0 ? [] : [`Not pushed: ${names(none)}.`]),
  ];
  return new UserError({
    title: "Cancelled",
    cause: sentences.join(" "),
    remedy:
      unreleased?.remedy ??
      "Run the job again: what was built is cached, and what the registry has is not sent again.",
  });
}

function pushedName({ service, built }: Passage): string {
  return `${nameOf(service.repository)}@${built?.digest}`;
}

function names(passages: readonly Passage[]): string {
  return passages.map(({ service, images }) => images[0]?.reference ?? service.name).join(", ");
}
