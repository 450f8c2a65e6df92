import type { HealthyCase, Place } from "../case.ts";
import {
  claim,
  configMap,
  core,
  deployment,
  mounted,
  statefulSet,
  volume,
  webhook,
} from "../objects.ts";
import { refused, unschedulable, waiting } from "../signs.ts";

const web = { awaits: ["deployment/web"] } as const;
const quota = (place: Place, pods: number) =>
  core(place, "ResourceQuota", "small", { spec: { hard: { pods: String(pods) } } });

/** What the rollout needs comes after it. */
export const late: readonly HealthyCase[] = [
  {
    ...web,
    name: "configmap-late",
    to: (place) => [
      deployment(place, "web", { container: { envFrom: [{ configMapRef: { name: "late" } }] } }),
    ],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(waiting("CreateContainerConfigError"));
      await pause(6);
      await apply([configMap(place, "late")]);
    },
  },
  {
    ...web,
    name: "volume-secret-late",
    from: (place) => [deployment(place, "web")],
    to: (place) => [deployment(place, "web", mounted({ secret: { secretName: "late" } }))],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(waiting("ContainerCreating"));
      await pause(6);
      await apply([core(place, "Secret", "late")]);
    },
  },
  {
    ...web,
    name: "service-account-late",
    to: (place) => [deployment(place, "web", { pod: { serviceAccountName: "late" } })],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(refused);
      await pause(5);
      await apply([core(place, "ServiceAccount", "late")]);
    },
  },
  {
    ...web,
    name: "quota-raised",
    before: (place) => [quota(place, 2)],
    from: (place) => [deployment(place, "web", { replicas: 2 })],
    to: (place) => [deployment(place, "web", { replicas: 2, container: { env: [{ name: "A" }] } })],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(refused);
      await pause(5);
      await apply([quota(place, 4)]);
    },
  },
  {
    ...web,
    name: "volume-late",
    awaits: ["statefulset/db"],
    before: (place) => [claim(place, "data")],
    to: (place) => [
      statefulSet(place, "db", mounted({ persistentVolumeClaim: { claimName: "data" } })),
    ],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(unschedulable);
      await pause(5);
      await apply([volume(place, "data")]);
    },
  },
  {
    ...web,
    name: "claim-late",
    to: (place) => [
      deployment(place, "web", mounted({ persistentVolumeClaim: { claimName: "data" } })),
    ],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(unschedulable);
      await pause(5);
      await apply([volume(place, "data"), claim(place, "data")]);
    },
  },
  {
    ...web,
    name: "gate-lifted-late",
    to: (place) => {
      const pod = { schedulingGates: [{ name: "example.com/capacity" }] };
      return [deployment(place, "web", { pod })];
    },
    meanwhile: async ({ sees, pause, patchPods }) => {
      await sees(({ pods }) => pods.length > 0);
      await pause(6);
      await patchPods({ spec: { schedulingGates: null } });
    },
  },
  {
    ...web,
    name: "node-label-late",
    to: (place) => [
      deployment(place, "web", { pod: { nodeSelector: { [labelOf(place.namespace)]: "true" } } }),
    ],
    meanwhile: async ({ place, sees, pause, labelNodes }) => {
      await sees(unschedulable);
      await pause(6);
      await labelNodes(labelOf(place.namespace));
    },
  },
  {
    ...web,
    name: "registry-recovers",
    from: (place) => [deployment(place, "web")],
    to: (place) => [
      deployment(place, "web", {
        container: { image: place.misbehaving(`until-${Math.ceil(Date.now() / 1_000) + 14}`) },
      }),
    ],
  },
  {
    ...web,
    name: "webhook-comes-back",
    before: (place) => [webhook(place)],
    to: (place) => [deployment(place, "web")],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(refused);
      await pause(4);
      // Its owner has it let pods pass while it is away.
      await apply([webhook(place, "Ignore")]);
    },
  },
];

function labelOf(namespace: string): string {
  return `${namespace}/disk`;
}
