import { describe, expect, test } from "@jest/globals";
import { runEvent } from "../../../actions/build-push/source-event.ts";

const SHA = "90dd6032fac8bda1b6c4436a2e65de27961ed071";
const HEAD = "1".repeat(40);
const runner = {
  GITHUB_EVENT_NAME: "push",
  GITHUB_REF: "refs/heads/main",
  GITHUB_SHA: SHA,
  GITHUB_REPOSITORY: "octocat/Hello",
  GITHUB_SERVER_URL: "https://github.example",
};
const repository = {
  full_name: "octocat/Hello",
  default_branch: "main",
  description: " Says hello ",
  license: { spdx_id: "MIT" },
};

describe("what the runner tells of the event", () => {
  test("a push", () => {
    const head_commit = { id: SHA, timestamp: "2020-01-01T00:00:00Z" };
    expect(runEvent(runner, { repository, head_commit, base_ref: null })).toEqual({
      event: {
        name: "push",
        ref: "refs/heads/main",
        sha: SHA,
        defaultBranch: "main",
        baseRef: undefined,
        repository: {
          name: "Hello",
          url: "https://github.example/octocat/Hello",
          description: "Says hello",
          license: "MIT",
        },
      },
      timestamp: "2020-01-01T00:00:00Z",
      before: undefined,
      shortSha: undefined,
    });
  });

  test("nothing at all", () => {
    expect(runEvent({}, {}).event).toEqual({
      name: "",
      ref: "",
      sha: undefined,
      defaultBranch: undefined,
      baseRef: undefined,
      repository: { name: undefined, url: undefined, description: undefined, license: undefined },
    });
  });

  test("a pull request by its target, which runs on the base branch", () => {
    const environment = {
      ...runner,
      GITHUB_EVENT_NAME: "pull_request_target",
      GITHUB_BASE_REF: "main",
    };
    const payload = { number: 7, pull_request: { head: { sha: HEAD } }, repository };
    const { event } = runEvent(environment, payload);
    expect(event).toMatchObject({ ref: "refs/pull/7/merge", baseRef: "main", sha: SHA });
  });

  test("a pull request's own commit, where it is asked for", () => {
    const environment = {
      ...runner,
      GITHUB_REF: "refs/pull/7/merge",
      GITHUB_EVENT_NAME: "pull_request",
      DOCKER_METADATA_PR_HEAD_SHA: "true",
      DOCKER_METADATA_SHORT_SHA_LENGTH: "12",
    };
    const payload = { pull_request: { head: { sha: HEAD }, base: { ref: "next" } } };
    const { event, shortSha } = runEvent(environment, payload);
    expect(event).toMatchObject({ sha: HEAD, baseRef: "next" });
    expect(shortSha).toBe(12);
  });

  test("a merge queue", () => {
    const merge_group = {
      base_ref: "refs/heads/main",
      head_commit: { id: SHA, timestamp: "2021-01-01T00:00:00Z" },
    };
    const { event, timestamp } = runEvent(
      {
        ...runner,
        GITHUB_EVENT_NAME: "merge_group",
        GITHUB_REF: "refs/heads/gh-readonly-queue/main/pr-1",
      },
      { merge_group, repository },
    );
    expect(event.baseRef).toBe("main");
    expect(timestamp).toBe("2021-01-01T00:00:00Z");
  });

  test("the time of another commit than the run's is not taken for its own", () => {
    const workflow_run = { head_commit: { id: HEAD, timestamp: "2021-01-01T00:00:00Z" } };
    expect(runEvent(runner, { workflow_run }).timestamp).toBeUndefined();
  });

  test.each([null, 7, "x", []])("a payload with %j where a mapping belongs", (odd) => {
    const payload = {
      repository: odd,
      pull_request: odd,
      head_commit: odd,
      base_ref: 7,
      number: odd,
    };
    expect(() => runEvent(runner, payload)).not.toThrow();
  });

  test("a licence that GitHub does not know is none", () => {
    const license = { spdx_id: "NOASSERTION" };
    expect(runEvent(runner, { repository: { license } }).event.repository.license).toBeUndefined();
  });
});
