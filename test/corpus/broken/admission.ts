import type { BrokenCase, Place } from "../case.ts";
import { core, daemonSet, deployment, job, onlyHere, statefulSet, webhook } from "../objects.ts";
import { refused } from "../signs.ts";

const turnedAway = {
  awaits: ["deployment/web"],
  sign: refused,
  grace: "podCreate",
  reason: "PodsRefused",
} as const;

/** A policy of the cluster that refuses pods without an owner's label. */
function policy(place: Place) {
  const name = place.namespace;
  const pods = {
    apiGroups: [""],
    apiVersions: ["v1"],
    operations: ["CREATE"],
    resources: ["pods"],
  };
  const spec = {
    matchConstraints: { namespaceSelector: onlyHere(place), resourceRules: [pods] },
    validations: [
      { expression: "has(object.metadata.labels.owner)", message: "every pod needs an owner" },
    ],
  };
  const binding = { policyName: name, validationActions: ["Deny"] };
  const of = (kind: string, content: object) => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind,
    metadata: { name },
    spec: content,
  });
  return [of("ValidatingAdmissionPolicy", spec), of("ValidatingAdmissionPolicyBinding", binding)];
}

/** A pod like those that are turned away. */
function stray(place: Place) {
  const containers = [{ name: "main", image: place.image }];
  return core(place, "Pod", "stray", { spec: { containers } });
}

const quota = (place: Place, pods: number) =>
  core(place, "ResourceQuota", "small", { spec: { hard: { pods: String(pods) } } });

/** Pods that the API server refuses to have. */
export const admission: readonly BrokenCase[] = [
  {
    ...turnedAway,
    name: "quota-full",
    before: (place) => [quota(place, 2)],
    from: (place) => [deployment(place, "web", { replicas: 2 })],
    // The surge of a rolling update needs room too.
    to: (place) => [deployment(place, "web", { replicas: 2, container: { env: [{ name: "A" }] } })],
    words: ["exceeded quota: small"],
  },
  {
    ...turnedAway,
    name: "quota-full-for-statefulset",
    awaits: ["statefulset/db"],
    before: (place) => [quota(place, 1)],
    to: (place) => [statefulSet(place, "db", { replicas: 2 })],
    words: ["exceeded quota: small"],
  },
  {
    ...turnedAway,
    name: "limit-range-exceeded",
    before: (place) => [
      core(place, "LimitRange", "limits", {
        spec: { limits: [{ type: "Container", max: { memory: "64Mi" } }] },
      }),
    ],
    to: (place) => [
      deployment(place, "web", { container: { resources: { limits: { memory: "128Mi" } } } }),
    ],
    words: ["maximum memory usage per Container is 64Mi"],
  },
  {
    ...turnedAway,
    name: "service-account-missing",
    from: (place) => [deployment(place, "web")],
    to: (place) => [deployment(place, "web", { pod: { serviceAccountName: "shop" } })],
    words: ['serviceaccount "shop" not found'],
  },
  {
    ...turnedAway,
    name: "priority-class-missing",
    to: (place) => [deployment(place, "web", { pod: { priorityClassName: "urgent" } })],
    words: ["PriorityClass", "urgent"],
  },
  {
    ...turnedAway,
    name: "pod-security",
    before: (place) => [
      {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: {
          name: place.namespace,
          labels: { "pod-security.kubernetes.io/enforce": "restricted" },
        },
      },
    ],
    to: (place) => [deployment(place, "web")],
    words: ['violates PodSecurity "restricted'],
  },
  {
    ...turnedAway,
    name: "policy-denies",
    before: policy,
    refusedFirst: stray,
    to: (place) => [deployment(place, "web")],
    words: ["every pod needs an owner"],
  },
  {
    ...turnedAway,
    name: "webhook-away",
    before: (place) => [webhook(place)],
    refusedFirst: stray,
    to: (place) => [deployment(place, "web")],
    words: ["pods.guard.example.com"],
  },
  {
    ...turnedAway,
    name: "daemonset-refused",
    awaits: ["daemonset/agent"],
    to: (place) => [daemonSet(place, "agent", { pod: { serviceAccountName: "agent" } })],
    words: ['serviceaccount "agent" not found'],
  },
  {
    ...turnedAway,
    name: "job-refused",
    awaits: ["job/migrate"],
    to: (place) => [job(place, "migrate", { pod: { serviceAccountName: "migrator" } })],
    words: ['serviceaccount "migrator" not found'],
  },
];
