import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import type { BrokenCase, Place } from "../case.ts";
import { claim, claimSpec, deployment, mounted, statefulSet, volume } from "../objects.ts";
import { either, event, unschedulable } from "../signs.ts";

const nowhere = {
  awaits: ["deployment/web"],
  sign: unschedulable,
  grace: "unschedulable",
  reason: "Unschedulable",
} as const;

const unbound = { ...nowhere, grace: "volume", reason: "VolumeNotBound" } as const;

/** A node that takes no pod of ours; nothing but the scheduler knows of it. */
function taintedNode({ namespace }: Place): KubernetesObject {
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: namespace, labels: { pool: namespace } },
    spec: { taints: [{ key: "dedicated", value: "payments", effect: "NoSchedule" }] },
  };
  return node;
}

const requests = (what: object) => ({ container: { resources: { requests: what } } });

/** Pods that no node takes. */
export const scheduling: readonly BrokenCase[] = [
  {
    ...nowhere,
    name: "cpu-not-there",
    from: (place) => [deployment(place, "web")],
    to: (place) => [deployment(place, "web", requests({ cpu: "4000" }))],
    words: ["Insufficient cpu"],
  },
  {
    ...nowhere,
    name: "device-not-there",
    to: (place) => [
      deployment(place, "web", {
        container: { resources: { limits: { "gpu.example.com/card": "1" } } },
      }),
    ],
    words: ["Insufficient gpu.example.com/card"],
  },
  {
    ...nowhere,
    name: "node-selector-matches-none",
    to: (place) => [deployment(place, "web", { pod: { nodeSelector: { disk: "fast" } } })],
    words: ["node affinity/selector"],
  },
  {
    ...nowhere,
    name: "node-tainted",
    before: (place) => [taintedNode(place)],
    to: (place) => [deployment(place, "web", { pod: { nodeSelector: { pool: place.namespace } } })],
    words: ["taint"],
  },
  {
    ...nowhere,
    name: "companion-missing",
    to: (place) => {
      const labelSelector = { matchLabels: { app: "cache" } };
      const term = { labelSelector, topologyKey: "kubernetes.io/hostname" };
      const rule = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
      return [deployment(place, "web", { pod: { affinity: { podAffinity: rule } } })];
    },
    words: ["pod affinity rules"],
  },
  {
    ...nowhere,
    name: "host-port-taken",
    // The old pod holds the port until the new one is there, which waits for the port.
    from: (place) => [
      deployment(place, "web", {
        container: { ports: [{ containerPort: 8080, hostPort: 18_931 }] },
      }),
    ],
    to: (place) => [
      deployment(place, "web", {
        container: { ports: [{ containerPort: 8080, hostPort: 18_931 }], env: [{ name: "A" }] },
      }),
    ],
    words: ["free ports"],
  },
  {
    ...unbound,
    name: "claim-missing",
    to: (place) => [
      deployment(place, "web", mounted({ persistentVolumeClaim: { claimName: "data" } })),
    ],
    words: ['persistentvolumeclaim "data" not found'],
  },
  {
    ...unbound,
    name: "claim-unbound",
    awaits: ["statefulset/db"],
    to: (place) => {
      const spec = claimSpec({ storageClassName: "no-such-class" });
      const metadata = { name: "data" };
      return [statefulSet(place, "db", { spec: { volumeClaimTemplates: [{ metadata, spec }] } })];
    },
    words: ["unbound immediate PersistentVolumeClaims"],
  },
  {
    ...unbound,
    name: "claim-without-class",
    awaits: ["pvc/data"],
    to: (place) => [claim(place, "data", { storageClassName: "no-such-class" })],
    sign: either(event("ProvisioningFailed"), event("FailedBinding")),
    words: ["no-such-class"],
  },
  {
    ...nowhere,
    name: "volume-in-other-zone",
    before: (place) => {
      const zone = { key: "topology.kubernetes.io/zone", operator: "In", values: ["moon-1"] };
      const terms = [{ matchExpressions: [zone] }];
      const nodeAffinity = { required: { nodeSelectorTerms: terms } };
      return [volume(place, "data", { nodeAffinity }), claim(place, "data")];
    },
    to: (place) => [
      deployment(place, "web", mounted({ persistentVolumeClaim: { claimName: "data" } })),
    ],
    words: ["PersistentVolume's node affinity"],
  },
];
