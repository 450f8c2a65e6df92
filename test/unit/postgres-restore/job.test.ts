import { describe, expect, it } from "@jest/globals";
import { jobOf, policyOf } from "../../../shared/postgres-restore/server/job-manifest.ts";
import { whyEnded } from "../../../shared/postgres-restore/server/job-watch.ts";

const PARTS = {
  ...{ namespace: "proofs", name: "seaworthy-restore-1", image: "postgres:17" },
  ...{ memory: 2 ** 31, life: 8_100 },
};

describe("the Job of a throw-away server", () => {
  it("has neither an account nor privileges, and is tried once", () => {
    const { spec } = jobOf(PARTS);
    const pod = spec.template.spec;
    expect(spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 8_100 });
    expect(spec.ttlSecondsAfterFinished).toBeGreaterThan(0);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      restartPolicy: "Never",
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
    });
    for (const { securityContext, resources } of pod.containers) {
      expect(securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(resources.limits.memory).toBe(resources.requests.memory);
    }
  });

  it("has the volume that is asked for, which goes with its pod", () => {
    const data = (volume?: { size: string; storageClass?: string }) =>
      jobOf({ ...PARTS, volume }).spec.template.spec.volumes.find(({ name }) => name === "data");
    expect(data()).toEqual({ name: "data", emptyDir: {} });
    const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "50Gi" } } };
    expect(data({ size: "50Gi" })).toEqual({
      ...{ name: "data", ephemeral: { volumeClaimTemplate: { spec: claim } } },
    });
    expect(JSON.stringify(data({ size: "50Gi", storageClass: "fast" }))).toContain(
      '"storageClassName":"fast"',
    );
  });

  it("is cut off from the network by a policy that goes with it", () => {
    const job = jobOf(PARTS);
    const policy = policyOf({ ...job, metadata: { ...job.metadata, uid: "u-1" } });
    expect(policy.metadata.ownerReferences).toMatchObject([{ kind: "Job", uid: "u-1" }]);
    expect(policy.spec.policyTypes).toEqual(["Ingress", "Egress"]);
    expect(policy.spec).not.toHaveProperty("ingress");
    expect(policy.spec).not.toHaveProperty("egress");
    expect(job.spec.template.metadata.labels).toMatchObject(policy.spec.podSelector.matchLabels);
  });
});

describe("why a throw-away server's pod ended", () => {
  const pod = (status: object, metadata = {}) => ({
    ...{ apiVersion: "v1", kind: "Pod", status },
    metadata: { name: "db", ...metadata },
  });
  const ended = (terminated: object) => ({
    phase: "Failed",
    containerStatuses: [{ name: "postgres", state: { terminated } }],
  });
  const full = 'Usage of EmptyDir volume "scratch" exceeds the limit "64Mi".';

  it.each([
    ["memory", pod(ended({ reason: "OOMKilled", exitCode: 137 })), /more than its memory/],
    ["disk", pod({ phase: "Failed", reason: "Evicted", message: full }), /exceeds the limit/],
    ["time", pod({ phase: "Failed", reason: "DeadlineExceeded" }), /DeadlineExceeded/],
  ])("tells the limit of %s", (limit, seen, words) => {
    expect(whyEnded(seen)).toMatchObject({ limit, message: expect.stringMatching(words) });
  });

  it.each([
    [pod({ phase: "Failed", reason: "NodeShutdown" }), /NodeShutdown/],
    [pod({ phase: "Running" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }), /was deleted/],
    [pod(ended({ exitCode: 1 })), /exit code 1/],
  ])("tells what is no limit", (seen, words) => {
    const end = whyEnded(seen);
    expect(end).toMatchObject({ name: "ServerGone", message: expect.stringMatching(words) });
  });

  it("has nothing to tell of one that runs", () => {
    expect(whyEnded(pod({ phase: "Running" }))).toBeUndefined();
  });
});
