import { describe, expect, it } from "@jest/globals";
import { type ClusterState, judgePods } from "../../../../shared/buildkit/builder/judge-pods.ts";

const waiting = (reason: string, message = ""): ClusterState => ({
  owners: [],
  pods: [
    {
      metadata: { name: "b0-x" },
      status: { containerStatuses: [{ state: { waiting: { reason, message } } }] },
    },
  ],
});

describe("why the pods of a builder do not start", () => {
  it.each([
    ["a pod that is being made", waiting("ContainerCreating")],
    ["no pod yet", { pods: [], owners: [{ status: { conditions: [] } }] }],
    ["nothing at all", { pods: [], owners: [] }],
    ["a pod that says nothing yet", { pods: [{}], owners: [] }],
  ])("is not known of %s", (_, state) => {
    expect(judgePods([state])).toBeUndefined();
  });

  it.each([
    ["ErrImagePull", "x: not found", "image", 5_000, "cannot be pulled: x: not found."],
    ["ErrImagePull", "i/o timeout", "image", 14_000, "cannot be pulled: i/o timeout."],
    ["ImagePullBackOff", "Back-off: denied", "image", 5_000, "cannot be pulled: Back-off: denied."],
    ["InvalidImageName", "no", "image", 0, "cannot be pulled: no."],
    ["CreateContainerConfigError", "no", "container", 10_000, "cannot be made: no."],
  ])("is told of %s: %s", (reason, message, kind, graceMs, words) => {
    const trouble = judgePods([waiting(reason, message)]);
    expect(trouble).toMatchObject({ kind, graceMs });
    expect(trouble?.sentence).toContain(words);
  });

  it("is told of a BuildKit that ends, with why", () => {
    const crash = (terminated: object): ClusterState => ({
      owners: [],
      pods: [{ status: { containerStatuses: [{ lastState: { terminated } }] } }],
    });
    expect(judgePods([crash({ reason: "OOMKilled", exitCode: 137 })])?.sentence).toContain(
      "out of memory",
    );
    expect(judgePods([crash({ reason: "Error", exitCode: 1 })])?.sentence).toContain(
      "exit status 1",
    );
  });

  it("is told of a cluster that lets no pod be made", () => {
    const conditions = [
      { type: "ReplicaFailure", status: "True", message: "violates PodSecurity" },
    ];
    expect(judgePods([{ pods: [], owners: [{ status: { conditions } }] }])).toMatchObject({
      kind: "refused",
      sentence: "The cluster lets no pod be made: violates PodSecurity.",
    });
  });

  it("waits for ever for a node, which a cluster may add", () => {
    const conditions = [{ type: "PodScheduled", status: "False", message: "0/3 nodes" }];
    const state = { owners: [], pods: [{ metadata: { name: "p" }, status: { conditions } }] };
    expect(judgePods([state])).toMatchObject({ graceMs: Number.POSITIVE_INFINITY });
    // What will not heal comes before it.
    expect(judgePods([state, waiting("InvalidImageName")])).toMatchObject({ kind: "image" });
  });
});
