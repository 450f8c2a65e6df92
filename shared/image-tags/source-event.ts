/** What set a build off, and for which commit: all that rules for tags and labels go by. */
export interface SourceEvent {
  /** As GitHub calls it: `push`, `pull_request`, `schedule`; empty when it is not known. */
  readonly name: string;
  /** The whole name of the git reference: `refs/heads/main`, `refs/tags/v1.2.3`, `refs/pull/2/merge`. */
  readonly ref: string;
  /** The commit, in full; undefined when it is not known. */
  readonly sha: string | undefined;
  /** The branch that the repository's visitors see; undefined when it is not known. */
  readonly defaultBranch: string | undefined;
  /** The branch that a pull request, or a tag's push, is based on. */
  readonly baseRef: string | undefined;
  readonly repository: SourceRepository;
}

/** What is known of the repository; each part may be missing. */
export interface SourceRepository {
  readonly name: string | undefined;
  /** The address of its page. */
  readonly url: string | undefined;
  readonly description: string | undefined;
  /** The licence by its name in SPDX's list, such as `MIT`. */
  readonly license: string | undefined;
}

/** The branch that the event is for; undefined when it is for a tag or a pull request. */
export function branchOf({ ref }: SourceEvent): string | undefined {
  return after("refs/heads/", ref);
}

/** The git tag that the event is for. */
export function gitTagOf({ ref }: SourceEvent): string | undefined {
  return after("refs/tags/", ref);
}

/** The number of the pull request that the event is for. */
export function pullRequestOf({ ref }: SourceEvent): string | undefined {
  return after("refs/pull/", ref)?.replace(/\/(merge|head)$/, "");
}

function after(prefix: string, ref: string): string | undefined {
  return ref.startsWith(prefix) && ref.length > prefix.length
    ? ref.slice(prefix.length)
    : undefined;
}

/**
 * Whether the event is for the default branch. A schedule runs on that one only.
 *
 * @returns undefined when it is for a branch and the default one is not known.
 */
export function isOnDefaultBranch(event: SourceEvent): boolean | undefined {
  const branch = branchOf(event);
  if (branch === undefined) return false;
  const { name, defaultBranch } = event;
  if (defaultBranch !== undefined) return branch === defaultBranch;
  return name === "schedule" ? true : undefined;
}

/** The event in words, for messages: `a push to the branch main`. */
export function eventInWords(event: SourceEvent): string {
  const by = event.name === "" ? "a run" : `a run for the event ${event.name}`;
  const [branch, tag, number] = [branchOf(event), gitTagOf(event), pullRequestOf(event)];
  if (tag !== undefined) return `${by} on the git tag ${tag}`;
  if (number !== undefined) return `${by} on the pull request ${number}`;
  if (branch !== undefined) return `${by} on the branch ${branch}`;
  return event.ref === "" ? `${by} without a git reference` : `${by} on ${event.ref}`;
}
