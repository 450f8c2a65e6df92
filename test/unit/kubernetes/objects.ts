import { GRACES } from "../../../shared/kubernetes/verdict/grace.ts";
import type { Sight } from "../../../shared/kubernetes/verdict/index.ts";
import type {
  ClusterEvent,
  Condition,
  ContainerSpec,
  ContainerStatus,
  Deployment,
  Pod,
  ReplicaSet,
} from "../../../shared/kubernetes/workload.ts";

/** Objects as a real API server shows them, cut down to what verdicts read. */

export const NOW = Date.parse("2026-03-01T12:00:00Z");

export function ago(seconds: number): string {
  return new Date(NOW - seconds * 1_000).toISOString();
}

export function sight(more: Partial<Sight> = {}): Sight {
  return { now: NOW, graces: GRACES, events: () => [], lastWords: () => undefined, ...more };
}

export const WEB: Deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: {
    name: "web",
    namespace: "shop",
    uid: "d1",
    generation: 2,
    annotations: { "deployment.kubernetes.io/revision": "2" },
  },
  spec: { replicas: 1 },
  status: {
    observedGeneration: 2,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
  },
};

export function deployment(
  spec: Partial<Deployment["spec"]>,
  status: Partial<NonNullable<Deployment["status"]>>,
): Deployment {
  return { ...WEB, spec: { ...WEB.spec, ...spec }, status: { ...WEB.status, ...status } };
}

export function replicaSet(revision: string, conditions: readonly Condition[] = []): ReplicaSet {
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `web-${revision}`,
      namespace: "shop",
      uid: `rs${revision}`,
      generation: 1,
      annotations: { "deployment.kubernetes.io/revision": revision },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: "d1", controller: true },
      ],
    },
    spec: { replicas: 1 },
    status: { observedGeneration: 1, conditions },
  };
}

export interface PodParts {
  readonly name?: string;
  readonly owner?: string;
  readonly spec?: Partial<ContainerSpec>;
  readonly status?: Partial<ContainerStatus>;
  readonly init?: Partial<ContainerStatus>;
  readonly initSpec?: Partial<ContainerSpec>;
  readonly conditions?: readonly Condition[];
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly restartPolicy?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly deleted?: boolean;
  readonly unplaced?: boolean;
}

export const READY_CONDITION: Condition = { type: "Ready", status: "True" };

/** A pod of one container; healthy and settled where nothing else is said. */
export function pod(parts: PodParts = {}): Pod {
  const name = parts.name ?? "web-2-abcde";
  const waits = parts.status !== undefined || parts.init !== undefined || parts.unplaced === true;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "shop",
      uid: `uid-${name}`,
      ...(parts.labels === undefined ? {} : { labels: parts.labels }),
      ...(parts.deleted === true ? { deletionTimestamp: ago(1) } : {}),
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: "owner",
          uid: parts.owner ?? "rs2",
          controller: true,
        },
      ],
    },
    spec: {
      ...(parts.unplaced === true ? {} : { nodeName: "node-1" }),
      restartPolicy: parts.restartPolicy ?? "Always",
      containers: [{ name: "web", image: "registry/web:2", readinessProbe: {}, ...parts.spec }],
      ...(parts.init === undefined
        ? {}
        : { initContainers: [{ name: "setup", ...parts.initSpec }] }),
    },
    status: {
      phase: parts.phase ?? (waits ? "Pending" : "Running"),
      conditions: parts.conditions ?? (waits ? [] : [READY_CONDITION]),
      containerStatuses:
        parts.unplaced === true
          ? []
          : [
              {
                name: "web",
                image: "registry/web:2",
                ready: !waits,
                restartCount: 0,
                state: waits
                  ? { waiting: { reason: "ContainerCreating" } }
                  : { running: { startedAt: ago(60) } },
                ...parts.status,
              },
            ],
      ...(parts.init === undefined
        ? {}
        : {
            initContainerStatuses: [
              { name: "setup", ready: false, restartCount: 0, ...parts.init },
            ],
          }),
    },
  };
}

export function event(uid: string, reason: string, message: string, seconds = 1): ClusterEvent {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${uid}-${reason}`, namespace: "shop" },
    type: "Warning",
    reason,
    message,
    lastTimestamp: ago(seconds),
    involvedObject: { kind: "Pod", name: uid.replace("uid-", ""), uid },
  };
}

/** A sight whose events are these, by uid. */
export function seeing(events: readonly ClusterEvent[], more: Partial<Sight> = {}): Sight {
  return sight({
    events: (uid) => events.filter(({ involvedObject }) => involvedObject.uid === uid),
    ...more,
  });
}
