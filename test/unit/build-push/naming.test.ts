import { describe, expect, test } from "@jest/globals";
import { namingBy } from "../../../actions/build-push/naming.ts";
import { runEvent } from "../../../actions/build-push/source-event.ts";

const SHA = "90dd6032fac8bda1b6c4436a2e65de27961ed071";
const run = runEvent(
  { GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main", GITHUB_SHA: SHA },
  { repository: { full_name: "octocat/hello", default_branch: "main" } },
);
const time = { committed: undefined, now: 0 };
const pushed = {
  tags: undefined,
  flavor: undefined,
  labels: undefined,
  annotations: undefined,
  push: true,
  mode: "build",
  provenance: "min",
  sbom: false,
} as const;

describe("tags of a service", () => {
  test("are the commit's sha where nothing is asked for", () => {
    const naming = namingBy(pushed, run, time);
    expect(naming.problems).toEqual([]);
    expect(naming.tagsFor(undefined)).toEqual({ tags: [SHA], problems: [] });
  });

  test("cannot be made of a commit that is not known", () => {
    const naming = namingBy(pushed, runEvent({}, {}), time);
    expect(naming.problems).toEqual([]);
    expect(naming.tagsFor(undefined).problems).toEqual([
      "the commit: GITHUB_SHA is not set: give a tag",
    ]);
  });

  test("are its own where it has some", () => {
    const naming = namingBy({ ...pushed, tags: "v1" }, run, time);
    expect(naming.tagsFor(undefined).tags).toEqual(["v1"]);
    expect(naming.tagsFor(["v2", "type=sha"]).tags).toEqual(["v2", "sha-90dd603"]);
  });

  test("may come to nothing only where they add to others, or nothing is pushed", () => {
    const rules = ["type=semver,pattern={{version}}"];
    expect(namingBy(pushed, run, time).tagsFor(rules).problems).toEqual([
      expect.stringContaining("no tag comes of it"),
    ]);
    expect(namingBy(pushed, run, time).tagsFor(rules, true)).toEqual({ tags: [], problems: [] });
    const built = namingBy({ ...pushed, push: false }, run, time);
    expect(built.tagsFor(rules)).toEqual({ tags: [], problems: [] });
    const planned = namingBy({ ...pushed, mode: "plan" }, run, time);
    expect(planned.tagsFor(rules)).toEqual({ tags: [], problems: [] });
  });

  test("what is wrong with the step's is told by input and line, and again to each service", () => {
    const naming = namingBy(
      {
        ...pushed,
        tags: "v1\ntype=x",
        flavor: "late=1",
        labels: { a: "{{b}}" },
        annotations: { "x:y": "" },
      },
      run,
      time,
    );
    expect(naming.problems.map(({ where }) => where)).toEqual([
      "tags",
      "flavor: line 1 (late=1)",
      "labels: a",
      "annotations: x:y",
    ]);
    expect(naming.tagsFor(undefined).problems).toEqual([naming.problems[0]?.problem]);
  });
});

describe("tags of the image before", () => {
  const before = "2".repeat(40);
  const repository = { full_name: "octocat/hello", default_branch: "main" };

  test("are those of the commit that was pushed upon", () => {
    const environment = {
      GITHUB_EVENT_NAME: "push",
      GITHUB_REF: "refs/heads/next",
      GITHUB_SHA: SHA,
    };
    const run = runEvent(environment, { repository, before });
    expect(namingBy(pushed, run, time).earlierTags).toEqual([before, "latest"]);
    const tags = "type=ref,event=branch\ntype=sha";
    expect(namingBy({ ...pushed, tags }, run, time).earlierTags).toEqual([
      "sha-2222222",
      "main",
      "latest",
    ]);
    const fresh = runEvent(environment, { repository, before: "0".repeat(40) });
    expect(namingBy(pushed, fresh, time).earlierTags).toEqual(["latest"]);
  });

  test("are those of the branch that a pull request is for", () => {
    const environment = {
      GITHUB_EVENT_NAME: "pull_request",
      GITHUB_REF: "refs/pull/7/merge",
      GITHUB_BASE_REF: "next",
      GITHUB_SHA: SHA,
    };
    const asked = runEvent(environment, { repository, pull_request: { base: { sha: before } } });
    const tags = "type=ref,event=branch\ntype=ref,event=pr\ntype=sha,priority=900";
    expect(namingBy({ ...pushed, tags }, asked, time).earlierTags).toEqual([
      "sha-2222222",
      "next",
      "latest",
    ]);
  });
});

test("a service's labels go before the step's, and its first tag is the version", () => {
  const naming = namingBy({ ...pushed, labels: { a: "step", b: "step" } }, run, time);
  const labels = naming.labelsOf({ labels: { b: "service" }, tags: ["v7", "latest"] });
  expect(labels.stable).toMatchObject({ a: "step", b: "service" });
  const wrong = namingBy({ ...pushed, labels: { a: "{{x}}" } }, run, time);
  expect(wrong.labelsOf({ labels: { b: "{{y}}" }, tags: [] }).problems).toMatchObject([
    { where: "b" },
  ]);
  const ofCommit = labels.ofCommit({ seconds: 0, commit: undefined });
  expect(ofCommit["org.opencontainers.image.version"]).toBe("v7");
  expect(ofCommit["org.opencontainers.image.created"]).toBe("1970-01-01T00:00:00Z");
});
