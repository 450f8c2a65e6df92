import { UserError } from "../../shared/failure/index.ts";
import { type Wanted, wantedText } from "./wanted.ts";

/** A revision that somebody may want to go back to, of whatever is rolled back. */
export interface Candidate {
  readonly revision: number;
  /** Numbers that it had before it was rolled out again. */
  readonly formerly?: readonly number[];
  readonly current: boolean;
  /** Whether it asks for the same as the current one. */
  readonly same: boolean;
  readonly version?: string | undefined;
  /** As containers name them. */
  readonly images: readonly string[];
  /** Pods of it that are ready; undefined where that cannot be told apart. */
  readonly ready?: number | undefined;
  /** Why nobody should go back to it unless it is named: it failed, or somebody went back from it. */
  readonly spoilt?: string | undefined;
  /** What else helps to choose: when it was made, and why. */
  readonly details: readonly string[];
}

/**
 * Picks the revision to go back to.
 *
 * The previous good one is the newest before the current that is not spoilt and asks for something
 * else; where pods of such a one are still ready, that one, for it surely runs.
 *
 * @param subject as people call it: `deployment/web`.
 * @param revisions newest first.
 * @throws {UserError} when there is none, or it is the current one already.
 */
export function chooseRevision<C extends Candidate>(
  subject: string,
  revisions: readonly C[],
  wanted: Wanted,
): C {
  const named = revisions.filter((one) => matches(one, wanted));
  const found =
    wanted.by === "previous" ? previous(revisions) : (named.find(({ same }) => !same) ?? named[0]);
  if (found === undefined) throw notThere(subject, revisions, wanted);
  if (found.current || found.same) throw changesNothing(subject, found);
  return found;
}

function previous<C extends Candidate>(revisions: readonly C[]): C | undefined {
  const good = revisions.filter((one) => !one.current && !one.same && one.spoilt === undefined);
  return good.find(({ ready = 0 }) => ready > 0) ?? good[0];
}

function matches(one: Candidate, wanted: Wanted): boolean {
  switch (wanted.by) {
    case "previous":
      return false;
    case "revision":
      return one.revision === wanted.revision || (one.formerly ?? []).includes(wanted.revision);
    case "version":
      return one.version === wanted.version;
    case "digest":
      return one.images.some((image) => image.endsWith(`@${wanted.digest}`));
  }
}

function notThere(subject: string, revisions: readonly Candidate[], wanted: Wanted): UserError {
  const evidence = revisions.map(revisionLine).join("\n");
  if (wanted.by !== "previous") {
    return new UserError({
      title: "No such revision",
      cause: `${subject} does not have ${wantedText(wanted)}, or has it no more.`,
      remedy:
        "Choose one of those below, or deploy the version that you want. Nothing was changed.",
      ...(evidence === "" ? {} : { evidence }),
    });
  }
  const spoilt = revisions.some((one) => one.spoilt !== undefined);
  return new UserError({
    title: "There is nothing to go back to",
    cause: `${subject} has no earlier revision${spoilt ? " that was good" : ""}.`,
    remedy: spoilt
      ? "Name the revision if you want one of those below all the same. Nothing was changed."
      : "Deploy the version that you want. Nothing was changed.",
    ...(evidence === "" ? {} : { evidence }),
  });
}

function changesNothing(subject: string, found: Candidate): UserError {
  const same = found.current ? "" : ", or at one that asks for the same";
  return new UserError({
    title: "A rollback would change nothing",
    cause: `${subject} is at revision ${found.revision} already${same}.`,
    remedy:
      "What is wrong has another cause: look at its configuration, its data, and what it depends on. Nothing was changed.",
  });
}

/** One revision in one line, as a person chooses by. */
function revisionLine(one: Candidate): string {
  return [
    `revision ${one.revision}${one.current ? " (current)" : ""}`,
    ...(one.version === undefined ? [] : [`version ${one.version}`]),
    ...one.details,
    ...(one.ready === undefined ? [] : [`${one.ready} ready`]),
    ...(one.images.length === 0 ? [] : [one.images.join(" ")]),
    ...(one.spoilt === undefined ? [] : [`not good: ${one.spoilt}`]),
  ].join(", ");
}
