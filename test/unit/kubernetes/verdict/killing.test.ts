import { describe, expect, it } from "@jest/globals";
import { killingOf } from "../../../../shared/kubernetes/verdict/killing.ts";
import type { ClusterEvent, ContainerStatus } from "../../../../shared/kubernetes/workload.ts";
import { ago, event, pod, seeing } from "../objects.ts";

const UID = "uid-web-2-abcde";
const run = { exitCode: 137, startedAt: ago(10), finishedAt: ago(1) };
const status: ContainerStatus = {
  name: "web",
  ready: false,
  restartCount: 1,
  state: { terminated: run },
};
const about = (container: string, reason: string, message: string, seconds = 1): ClusterEvent => {
  const plain = event(UID, reason, message, seconds);
  const involvedObject = { ...plain.involvedObject, fieldPath: `spec.containers{${container}}` };
  return { ...plain, involvedObject };
};

describe("why the kubelet ended a container", () => {
  it.each<readonly [string, readonly ClusterEvent[], object | undefined]>([
    ["no event tells of it", [], undefined],
    [
      "a probe, as the kubelet says",
      [
        about("web", "Unhealthy", "Startup probe failed: not warmed up\n"),
        about("web", "Killing", "Container web failed startup probe, will be restarted"),
      ],
      { by: "startup probe", words: "not warmed up" },
    ],
    [
      "a probe that failed in this run, where the kubelet's own event was dropped",
      [about("web", "Unhealthy", "Liveness probe failed: got 503", 2)],
      { by: "liveness probe", words: "got 503" },
    ],
    [
      "a probe that failed before this run",
      [about("web", "Unhealthy", "Liveness probe failed: x", 30)],
      undefined,
    ],
    [
      "a readiness probe, which kills nothing",
      [about("web", "Unhealthy", "Readiness probe failed: x", 2)],
      undefined,
    ],
    [
      "the probe of another container",
      [about("proxy", "Killing", "Container proxy failed liveness probe, will be restarted")],
      undefined,
    ],
    [
      "its hook",
      [about("web", "FailedPostStartHook", "PostStartHook failed")],
      { by: "postStart hook", words: undefined },
    ],
  ])("%s", (_, events, expected) => {
    expect(killingOf(pod(), status, run, seeing(events))).toEqual(expected);
  });

  it("is no probe when the program ended by its own exit code or was out of memory", () => {
    const failing = seeing([about("web", "Unhealthy", "Liveness probe failed: got 503", 2)]);
    expect(killingOf(pod(), status, { ...run, exitCode: 1 }, failing)).toBeUndefined();
    const outOfMemory = { ...run, reason: "OOMKilled" };
    expect(killingOf(pod(), status, outOfMemory, failing)).toBeUndefined();
  });
});
