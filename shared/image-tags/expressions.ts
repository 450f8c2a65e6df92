import { FormatError } from "../failure/index.ts";
import { formatDate } from "./date-format.ts";
import { branchOf, gitTagOf, isOnDefaultBranch, type SourceEvent } from "./source-event.ts";
import type { Expressions } from "./template.ts";

/** What tags and labels are made of. */
export interface Circumstances {
  readonly event: SourceEvent;
  /** When the commit was made, in milliseconds since the Unix epoch; undefined when not known. */
  readonly committed: number | undefined;
  /** The time of the run, in milliseconds since the Unix epoch, for `{{date ...}}` only. */
  readonly now: number;
  /** How many letters a short commit has: 7 unless set. */
  readonly shortSha?: number | undefined;
}

/** Expressions that differ from commit to commit, or from run to run. */
export const PASSING = [
  "branch",
  "tag",
  "sha",
  "base_ref",
  "is_default_branch",
  "date",
  "commit_date",
];

/** The expressions that tags, labels and annotations may all use. */
export function globalExpressions(circumstances: Circumstances): Expressions {
  const { event, committed, now } = circumstances;
  return {
    branch: () => joined(branchOf(event)),
    tag: () => joined(gitTagOf(event)),
    sha: () => shortSha(circumstances),
    base_ref: () => joined(branchOf(event) === undefined ? event.baseRef : undefined),
    is_default_branch: () => {
      const answer = isOnDefaultBranch(event);
      if (answer === undefined) throw new FormatError(UNKNOWN_DEFAULT_BRANCH);
      return String(answer);
    },
    date: ({ format = "", zone }) => formatDate(now, format, zone),
    commit_date: ({ format = "", zone }) => {
      if (committed !== undefined) return formatDate(committed, format, zone);
      throw new FormatError("it is not known when the commit was made; check the repository out");
    },
  };
}

export const UNKNOWN_DEFAULT_BRANCH =
  "the event does not say which branch is the repository's default one; name it, as in type=edge,branch=main";

/** The beginning of the commit's sha. */
export function shortSha({ event, shortSha: length = 7 }: Circumstances): string {
  if (event.sha === undefined) throw new FormatError("the commit is not known");
  return event.sha.slice(0, length);
}

/** A name of git in which no slash divides a tag. */
function joined(name: string | undefined): string {
  return (name ?? "").replaceAll("/", "-");
}
