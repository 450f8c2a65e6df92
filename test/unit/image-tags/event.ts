import type { Circumstances, SourceEvent } from "../../../shared/image-tags/index.ts";

/** The commit of all events here. */
export const SHA = "90dd6032fac8bda1b6c4436a2e65de27961ed071";
/** 2020-01-10T00:30:00Z. */
export const NOW = Date.UTC(2020, 0, 10, 0, 30);

/** An event on a git reference, as GitHub would tell it. */
export function on(ref: string, more: Partial<SourceEvent> = {}): Circumstances {
  const name = ref.startsWith("refs/pull/") ? "pull_request" : "push";
  const repository = {
    name: "hello",
    url: "https://github.com/octocat/hello",
    description: "Says hello",
    license: "MIT",
  };
  return {
    event: { name, ref, sha: SHA, defaultBranch: "main", baseRef: undefined, repository, ...more },
    committed: Date.UTC(2019, 11, 31, 23, 59, 58),
    now: NOW,
  };
}

export const schedule = on("refs/heads/main", { name: "schedule", defaultBranch: undefined });
