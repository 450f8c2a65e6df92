import { describe, expect, it } from "@jest/globals";
import { timeToReady } from "../../../shared/kubernetes/verdict/container.ts";
import { GRACES } from "../../../shared/kubernetes/verdict/grace.ts";
import { assessPod } from "../../../shared/kubernetes/verdict/pod.ts";
import type { ContainerState } from "../../../shared/kubernetes/workload.ts";
import { ago, event, NOW, type PodParts, pod, READY_CONDITION, seeing, sight } from "./objects.ts";

const REF =
  'failed to pull and unpack image "registry/web:2": failed to resolve reference "registry/web:2"';

function waiting(reason: string, message?: string): PodParts {
  return {
    status: { state: { waiting: { reason, ...(message === undefined ? {} : { message }) } } },
  };
}

function ended(exitCode: number, restartCount: number, more: object = {}): PodParts {
  return { status: { restartCount, state: { terminated: { exitCode, ...more } } } };
}

function backOff(exitCode: number, restartCount: number, more: object = {}): PodParts {
  const state: ContainerState = {
    waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" },
  };
  return { status: { restartCount, state, lastState: { terminated: { exitCode, ...more } } } };
}

/** [what, the pod, reason, grace in ms, words of the message] */
const faults: readonly [string, PodParts, string, number, string][] = [
  [
    "tag missing",
    waiting("ErrImagePull", `${REF}: registry/web:2: not found`),
    "ImageNotFound",
    0,
    "registry/web:2: not found",
  ],
  [
    "tag missing, backing off",
    waiting(
      "ImagePullBackOff",
      `Back-off pulling image "registry/web:2": ErrImagePull: ${REF}: registry/web:2: not found`,
    ),
    "ImageNotFound",
    0,
    'container "web" of pod web-2-abcde: failed to resolve',
  ],
  [
    "manifest unknown",
    waiting("ErrImagePull", "rpc error: code = Unknown desc = manifest unknown"),
    "ImageNotFound",
    0,
    "manifest unknown",
  ],
  [
    "no access",
    waiting(
      "ErrImagePull",
      `${REF}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
    ),
    "ImagePullDenied",
    0,
    "pull access denied",
  ],
  [
    "registry answers 503",
    waiting(
      "ErrImagePull",
      `${REF}: unexpected status code [manifests 2]: 503 Service Unavailable`,
    ),
    "ImagePull",
    GRACES.imagePull,
    "503",
  ],
  [
    "registry down",
    waiting(
      "ImagePullBackOff",
      `Back-off pulling image "registry/web:2": ErrImagePull: ${REF}: dial tcp 10.0.0.1:5000: connect: connection refused`,
    ),
    "ImagePull",
    GRACES.imagePull,
    "connection refused",
  ],
  [
    "registry name unknown",
    waiting("ErrImagePull", `${REF}: dial tcp: lookup registry: no such host`),
    "ImagePull",
    GRACES.imagePull,
    "no such host",
  ],
  [
    "tag that looks like a status",
    waiting(
      "ErrImagePull",
      'failed to resolve reference "tls-proxy:503": tls-proxy:503: not found',
    ),
    "ImageNotFound",
    0,
    "not found",
  ],
  [
    "token server too slow",
    waiting(
      "ErrImagePull",
      "pull access denied: failed to fetch oauth token: context deadline exceeded",
    ),
    "ImagePull",
    GRACES.imagePull,
    "deadline exceeded",
  ],
  [
    "name invalid",
    waiting("InvalidImageName", "couldn't parse image name"),
    "ImageNameInvalid",
    0,
    "is not a valid image name",
  ],
  [
    "never pull",
    waiting(
      "ErrImageNeverPull",
      'Container image "registry/web:2" is not present with pull policy of Never',
    ),
    "ImageNotFound",
    0,
    "pull policy of Never",
  ],
  [
    "config map missing",
    waiting("CreateContainerConfigError", 'configmap "web" not found'),
    "ConfigError",
    GRACES.config,
    'configmap "web" not found',
  ],
  [
    "secret key missing",
    waiting("CreateContainerConfigError", "couldn't find key password in Secret shop/db"),
    "ConfigError",
    GRACES.config,
    "couldn't find key password",
  ],
  [
    "root not allowed",
    waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"),
    "ConfigError",
    0,
    "runAsNonRoot",
  ],
  [
    "no such program",
    waiting(
      "RunContainerError",
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "srv": executable file not found in $PATH: unknown',
    ),
    "CannotStart",
    0,
    'cannot start: exec: "srv": executable file not found',
  ],
  [
    "no such program, ended",
    ended(128, 0, {
      reason: "StartError",
      message: 'failed to create containerd task: exec: "/x": permission denied',
    }),
    "CannotStart",
    0,
    "permission denied",
  ],
  [
    "no such program, backing off",
    backOff(128, 1, { reason: "StartError", message: 'exec: "srv": executable file not found' }),
    "CannotStart",
    0,
    "executable file not found",
  ],
  [
    "runtime too slow",
    waiting("CreateContainerError", "context deadline exceeded"),
    "CannotStart",
    GRACES.containerCreate,
    "deadline exceeded",
  ],
  ["first crash", ended(1, 0), "CrashLoop", Infinity, "crashed with exit code 1"],
  ["second crash", backOff(1, 1), "CrashLoop", Infinity, "crashed 2 times with exit code 1"],
  ["third crash", ended(1, 2), "CrashLoop", 0, "crashed 3 times with exit code 1"],
  [
    "a crash after days, one of many",
    ended(1, 9, { startedAt: ago(90_000), finishedAt: ago(1) }),
    "CrashLoop",
    Infinity,
    "crashed 10 times",
  ],
  ["third crash, backing off", backOff(3, 2), "CrashLoop", 0, "crashed 3 times with exit code 3"],
  [
    "out of memory",
    ended(137, 2, { reason: "OOMKilled" }),
    "CrashLoop",
    0,
    "exit code 137 (SIGKILL, out of memory)",
  ],
  ["ends by itself", ended(0, 2, { reason: "Completed" }), "CrashLoop", 0, "exit code 0"],
  [
    "init crash loop",
    { init: { restartCount: 2, state: { terminated: { exitCode: 2 } } } },
    "CrashLoop",
    0,
    'init container "setup" of pod web-2-abcde crashed 3 times',
  ],
  [
    "init image missing",
    { init: { state: { waiting: { reason: "ErrImagePull", message: `${REF}: not found` } } } },
    "ImageNotFound",
    0,
    'container "setup"',
  ],
];

describe("a container in trouble", () => {
  it.each(faults)("%s", (_, parts, reason, grace, words) => {
    const { ready, problems } = assessPod(pod(parts), sight());
    expect(ready).toBe(false);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ reason, grace });
    expect(problems[0]?.message).toContain(words);
  });

  it("takes the reason for a back-off from the event where an old kubelet keeps it to itself", () => {
    const parts = waiting("ImagePullBackOff", 'Back-off pulling image "registry/web:2"');
    const failed = event(
      "uid-web-2-abcde",
      "Failed",
      `Failed to pull image "registry/web:2": ${REF}: not found`,
    );
    const { problems } = assessPod(pod(parts), seeing([failed]));
    expect(problems[0]).toMatchObject({ reason: "ImageNotFound", grace: 0 });
  });

  it.each<readonly [string, string, string, string]>([
    [
      "not found",
      "Failed",
      `Failed to pull image "registry/web:2": ${REF}: not found`,
      "ImageNotFound",
    ],
    [
      "not a name",
      "InspectFailed",
      'Failed to apply default image tag "W": couldn\'t parse image name "W"',
      "ImageNameInvalid",
    ],
    [
      "not pulled",
      "ErrImageNeverPull",
      'Container image "registry/web:2" is not present with pull policy of Never',
      "ImageNotFound",
    ],
  ])(
    "knows from the event that the image is %s before the status tells",
    (_, reason, message, expected) => {
      const plain = event("uid-web-2-abcde", reason, message);
      const told = (container: string) =>
        seeing([
          {
            ...plain,
            involvedObject: { ...plain.involvedObject, fieldPath: `spec.containers{${container}}` },
          },
        ]);
      const creating = pod(waiting("ContainerCreating", ""));
      expect(assessPod(creating, told("web")).problems).toMatchObject([
        { reason: expected, grace: 0 },
      ]);
      expect(assessPod(creating, told("proxy")).problems).toEqual([]);
      const silent = pod({ status: {} });
      const unreported = { ...silent, status: { ...silent.status, containerStatuses: [] } };
      expect(assessPod(unreported, told("web")).problems).toMatchObject([{ reason: expected }]);
      expect(assessPod(pod(), told("web")).ready).toBe(true);
    },
  );

  it("fails at the first crash of a program for another processor, which only its log tells", () => {
    const words = sight({ lastWords: () => "exec /app: exec format error" });
    const { problems } = assessPod(pod(ended(1, 0)), words);
    expect(problems[0]).toMatchObject({ reason: "WrongArchitecture", grace: 0 });
  });

  it("puts the last words and the probe that killed it into the cause", () => {
    const killing = event(
      "uid-web-2-abcde",
      "Killing",
      "Container web failed liveness probe, will be restarted",
    );
    const unhealthy = event("uid-web-2-abcde", "Unhealthy", "Liveness probe failed: got 503\n");
    const parts = ended(137, 2);
    const { problems } = assessPod(
      pod(parts),
      seeing([unhealthy, killing], { lastWords: () => "Error: no database" }),
    );
    expect(problems[0]?.message).toContain("killed because its liveness probe failed (got 503)");
    expect(problems[0]?.message).toContain("its last words: Error: no database");
  });
});

/** [what, the pod] */
const healthy: readonly [string, PodParts][] = [
  ["pulling", waiting("ContainerCreating")],
  ["initialising", waiting("PodInitializing")],
  [
    "kubelet's cache is late",
    waiting(
      "CreateContainerConfigError",
      "failed to sync configmap cache: timed out waiting for the condition",
    ),
  ],
  ["init container done", { init: { state: { terminated: { exitCode: 0 } } } }],
  [
    "runs again after two crashes",
    {
      status: {
        restartCount: 2,
        state: { running: { startedAt: ago(2) } },
        lastState: { terminated: { exitCode: 1 } },
      },
    },
  ],
  [
    "not ready yet, within its probe's time",
    {
      status: { state: { running: { startedAt: ago(5) } } },
      spec: { readinessProbe: { periodSeconds: 10 } },
    },
  ],
  [
    "startup probe still trying",
    {
      status: { started: false, state: { running: { startedAt: ago(500) } } },
      spec: { startupProbe: { failureThreshold: 100 } },
    },
  ],
];

describe("a container that is only slow", () => {
  it.each(healthy)("%s", (_, parts) => {
    const { ready, problems, missing } = assessPod(pod(parts), sight());
    expect(problems).toEqual([]);
    expect(ready).toBe(false);
    expect(missing).toHaveLength(1);
  });
});

describe("a probe that fails for too long", () => {
  const probed = (seconds: number): PodParts => ({
    status: { state: { running: { startedAt: ago(seconds) } } },
    spec: { readinessProbe: { initialDelaySeconds: 5, periodSeconds: 10, failureThreshold: 3 } },
  });

  it("is in trouble only after the time that its own settings allow", () => {
    // 5 + 1 + (3 + 1 - 3) x 10 + 5 + 1
    expect(timeToReady({ initialDelaySeconds: 5 })).toBe(22_000);
    expect(assessPod(pod(probed(21)), sight()).problems).toEqual([]);
    expect(assessPod(pod(probed(23)), sight()).problems[0]).toMatchObject({
      reason: "NotReady",
      grace: GRACES.probe,
    });
  });

  it("quotes the probe's own message", () => {
    const unhealthy = event(
      "uid-web-2-abcde",
      "Unhealthy",
      "Readiness probe failed: HTTP probe failed with statuscode: 503",
    );
    expect(assessPod(pod(probed(40)), seeing([unhealthy])).problems[0]?.message).toContain(
      "statuscode: 503",
    );
  });

  it("asks to be looked at when that time is over", () => {
    const { lookAgainAt } = assessPod(pod(probed(20)), sight());
    expect(lookAgainAt).toBe(sight().now + 2_000);
  });
});

describe("a pod that is ready", () => {
  it("is believed at once when a probe says so", () => {
    expect(assessPod(pod(), sight())).toMatchObject({ ready: true, problems: [] });
  });

  it("must have run for a while when no probe speaks for it", () => {
    const fresh = (seconds: number) => {
      const made = pod({
        status: { ready: true, state: { running: { startedAt: ago(seconds) } } },
        conditions: [READY_CONDITION],
      });
      const [container] = made.spec.containers;
      return { ...made, spec: { ...made.spec, containers: [{ name: container?.name ?? "" }] } };
    };
    expect(assessPod(fresh(2), sight())).toMatchObject({ ready: false, problems: [] });
    expect(assessPod(fresh(6), sight()).ready).toBe(true);
  });

  it("must have been seen running for that while, where its node reports late", () => {
    const running = (seconds: number) =>
      pod({
        status: { ready: true, restartCount: 1, state: { running: { startedAt: ago(seconds) } } },
        conditions: [READY_CONDITION],
      });
    const seen = (seconds: number) => sight({ runSeenAt: () => NOW - seconds * 1_000 });
    expect(assessPod(running(18), seen(9))).toMatchObject({
      ready: false,
      lookAgainAt: NOW + 1_000,
    });
    expect(assessPod(running(18), seen(11)).ready).toBe(true);
    // No node is as late as that: it ran before anybody looked.
    expect(assessPod(running(21), seen(0)).ready).toBe(true);
  });

  it("is not believed while its liveness probe fails, until it would have been killed", () => {
    const alive = pod({ spec: { livenessProbe: { failureThreshold: 3, periodSeconds: 5 } } });
    const unhealthy = (seconds: number) =>
      seeing([event("uid-web-2-abcde", "Unhealthy", "Liveness probe failed: no", seconds)]);
    const doubted = assessPod(alive, unhealthy(10));
    expect(doubted).toMatchObject({ ready: false, problems: [], lookAgainAt: NOW + 6_000 });
    expect(doubted.missing.join()).toContain("Liveness probe failed: no");
    expect(assessPod(alive, unhealthy(17)).ready).toBe(true);
    // That was an earlier run.
    expect(assessPod(alive, unhealthy(61)).ready).toBe(true);
  });

  it("must stay up for longer when it was restarted", () => {
    const restarted = (seconds: number) =>
      pod({
        status: { ready: true, restartCount: 1, state: { running: { startedAt: ago(seconds) } } },
        conditions: [READY_CONDITION],
      });
    expect(assessPod(restarted(6), sight()).ready).toBe(false);
    expect(assessPod(restarted(11), sight()).ready).toBe(true);
  });
});

describe("a pod that no container speaks for", () => {
  const unschedulable = pod({
    unplaced: true,
    conditions: [
      {
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message:
          "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found.",
      },
    ],
  });
  const uid = "uid-web-2-abcde";

  it("is unschedulable, in the scheduler's words, for a while", () => {
    const [problem] = assessPod(unschedulable, sight()).problems;
    expect(problem).toMatchObject({ reason: "Unschedulable", grace: GRACES.unschedulable });
    expect(problem?.message).toBe(
      "no node takes pod web-2-abcde: 0/1 nodes are available: 1 Insufficient cpu.",
    );
  });

  it("waits for a claim when that is what the scheduler waits for", () => {
    const message =
      '0/1 nodes are available: persistentvolumeclaim "data" not found. no new claims to deallocate, preemption: 0/1 nodes are available.';
    const [problem] = assessPod(
      pod({
        unplaced: true,
        conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }],
      }),
      sight(),
    ).problems;
    expect(problem).toMatchObject({ reason: "VolumeNotBound", grace: GRACES.volume });
    expect(problem?.message).toMatch(/persistentvolumeclaim "data" not found\.$/);
  });

  it("has more time when an autoscaler brings a node", () => {
    const [problem] = assessPod(
      unschedulable,
      seeing([event(uid, "TriggeredScaleUp", "1->2")]),
    ).problems;
    expect(problem?.grace).toBe(GRACES.scaleUp);
  });

  it.each([
    [
      "FailedMount",
      'MountVolume.SetUp failed for volume "c": configmap "x" not found',
      "VolumeNotMounted",
      GRACES.volume,
    ],
    [
      "FailedCreatePodSandBox",
      "Failed to create pod sandbox: network not ready",
      "SandboxFailed",
      GRACES.sandbox,
    ],
    [
      "FailedCreatePodSandBox",
      "Failed to create pod sandbox: memory limit too low",
      "SandboxFailed",
      GRACES.containerCreate,
    ],
  ])("%s: %s", (reason, message, expected, grace) => {
    const { problems } = assessPod(
      pod(waiting("ContainerCreating")),
      seeing([event(uid, reason, message)]),
    );
    expect(problems[0]).toMatchObject({ reason: expected, grace });
  });

  it("quotes a warning that it does not know as a hint", () => {
    const odd = event(uid, "NetworkNotReady", "cni plugin not initialized");
    const result = assessPod(pod(waiting("ContainerCreating")), seeing([odd]));
    expect(result.problems).toEqual([]);
    expect(result.missing).toEqual([
      "pod web-2-abcde: container web: ContainerCreating (NetworkNotReady: cni plugin not initialized)",
    ]);
  });

  it("does not blame a mount that went well since", () => {
    const mount = event(uid, "FailedMount", "timed out");
    expect(assessPod(pod(), seeing([mount])).problems).toEqual([]);
  });
});
