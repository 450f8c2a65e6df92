import type { HealthyCase } from "../case.ts";
import {
  core,
  daemonSet,
  deployment,
  job,
  mounted,
  script,
  serveAfter,
  statefulSet,
} from "../objects.ts";

const web = { awaits: ["deployment/web"] } as const;

/** A change of the template that changes nothing else. */
const changed = { env: [{ name: "RELEASE", value: "2" }] };

/** Counts the runs of a container in a volume, and goes on as this run is to. */
function onRun(first: string, then: string) {
  const count = "echo x >> /volume/runs; runs=$(wc -l < /volume/runs)";
  const { pod, container } = mounted({ emptyDir: {} });
  return {
    ...{ pod: pod ?? {} },
    container: { ...container, ...script(`${count}; ${first}; ${then}`) },
  };
}

const oneByOne = { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } };
const SERVE = "exec httpd -f -p 8080 -h /etc";

const FLAPPING = `
now=$(cut -d. -f1 /proc/uptime)
[ -e /tmp/born ] || echo $now > /tmp/born
age=$((now - $(cat /tmp/born)))
[ $age -gt 14 ] || [ $((age % 6)) -lt 3 ]`;

/** Rollouts that take their time, or stumble and go on. */
export const slow: readonly HealthyCase[] = [
  {
    ...web,
    name: "plain",
    to: (place) => [deployment(place, "web", { replicas: 2 })],
  },
  {
    ...web,
    name: "ready-after-20-seconds",
    from: (place) => [deployment(place, "web")],
    to: (place) => [deployment(place, "web", { container: serveAfter("sleep 20") })],
  },
  {
    ...web,
    name: "initial-delay",
    to: (place) => [
      deployment(place, "web", {
        container: {
          ...serveAfter("sleep 10"),
          readinessProbe: { tcpSocket: { port: 8080 }, initialDelaySeconds: 12, periodSeconds: 2 },
        },
      }),
    ],
  },
  {
    ...web,
    name: "startup-probe-of-30-seconds",
    to: (place) => [
      deployment(place, "web", {
        container: {
          ...serveAfter("sleep 20"),
          startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 2, failureThreshold: 15 },
          livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 2, failureThreshold: 1 },
        },
      }),
    ],
  },
  {
    ...web,
    name: "image-comes-slowly",
    from: (place) => [deployment(place, "web")],
    to: (place) => [
      deployment(place, "web", { container: { image: place.misbehaving("slow-6") } }),
    ],
  },
  {
    ...web,
    name: "crashes-twice",
    // As programs do whose database is not there yet.
    to: (place) => [
      deployment(place, "web", onRun('[ "$runs" -gt 2 ] || { echo no database; exit 1; }', SERVE)),
    ],
  },
  {
    ...web,
    name: "crashes-once-without-probe",
    to: (place) => {
      const { pod, container } = onRun('[ "$runs" -gt 1 ] || exit 1', SERVE);
      return [deployment(place, "web", { pod, container, unprobed: true })];
    },
  },
  {
    ...web,
    name: "init-container-fails-once",
    to: (place) => {
      const { pod, container } = onRun('[ "$runs" -gt 1 ] || exit 1', "sleep 3");
      const init = { name: "wait", image: place.image, ...container };
      return [deployment(place, "web", { pod: { ...pod, initContainers: [init] } })];
    },
  },
  {
    ...web,
    name: "killed-once-by-liveness",
    to: (place) => {
      const { pod, container } = onRun('[ "$runs" -gt 1 ] || exec sleep 600', SERVE);
      const livenessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 3 };
      return [deployment(place, "web", { pod, container: { ...container, livenessProbe } })];
    },
  },
  {
    ...web,
    name: "readiness-flaps",
    to: (place) => [
      deployment(place, "web", {
        spec: { minReadySeconds: 6 },
        container: {
          readinessProbe: {
            // Ready for three seconds of each six, for as long as its youth lasts.
            exec: { command: ["sh", "-c", FLAPPING] },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
      }),
    ],
  },
  {
    ...web,
    name: "min-ready-seconds",
    from: (place) => [deployment(place, "web", { replicas: 3, spec: { minReadySeconds: 3 } })],
    to: (place) => [
      deployment(place, "web", { replicas: 3, spec: { minReadySeconds: 3 }, container: changed }),
    ],
  },
  {
    ...web,
    name: "old-pods-go-slowly",
    from: (place) => [
      deployment(place, "web", {
        replicas: 2,
        pod: { terminationGracePeriodSeconds: 12 },
        container: { lifecycle: { preStop: { exec: { command: ["sleep", "8"] } } } },
      }),
    ],
    to: (place) => [
      deployment(place, "web", {
        replicas: 2,
        pod: { terminationGracePeriodSeconds: 12 },
        container: { ...changed, lifecycle: { preStop: { exec: { command: ["sleep", "8"] } } } },
      }),
    ],
  },
  {
    ...web,
    name: "no-replicas",
    from: (place) => [deployment(place, "web")],
    to: (place) => [deployment(place, "web", { replicas: 0 })],
  },
  {
    ...web,
    name: "recreated",
    from: (place) => [
      deployment(place, "web", { replicas: 2, spec: { strategy: { type: "Recreate" } } }),
    ],
    to: (place) => [
      deployment(place, "web", {
        replicas: 2,
        spec: { strategy: { type: "Recreate" } },
        container: { ...changed, ...serveAfter("sleep 3") },
      }),
    ],
  },
  {
    ...web,
    name: "without-surge",
    from: (place) => [deployment(place, "web", { replicas: 3, spec: oneByOne })],
    to: (place) => [
      deployment(place, "web", {
        replicas: 3,
        spec: oneByOne,
        container: { ...changed, ...serveAfter("sleep 2") },
      }),
    ],
  },
  {
    ...web,
    name: "scaled-meanwhile",
    // As an autoscaler does.
    from: (place) => [deployment(place, "web")],
    to: (place) => [deployment(place, "web", { container: serveAfter("sleep 6") })],
    meanwhile: async ({ pause, patch }) => {
      await pause(3);
      await patch("deployment/web", { spec: { replicas: 3 } });
    },
  },
  {
    ...web,
    name: "pod-deleted-meanwhile",
    to: (place) => [deployment(place, "web", { replicas: 2, container: serveAfter("sleep 6") })],
    meanwhile: async ({ sees, deletePod }) => {
      await sees(({ pods }) => pods.some(({ status }) => status?.phase === "Running"));
      await deletePod();
    },
  },
  {
    name: "statefulset-one-after-the-other",
    awaits: ["statefulset/db"],
    from: (place) => [statefulSet(place, "db", { replicas: 3 })],
    to: (place) => [statefulSet(place, "db", { replicas: 3, container: serveAfter("sleep 4") })],
  },
  {
    name: "statefulset-with-partition",
    awaits: ["statefulset/db"],
    from: (place) => [statefulSet(place, "db", { replicas: 2 })],
    to: (place) => [
      statefulSet(place, "db", {
        replicas: 2,
        spec: { updateStrategy: { rollingUpdate: { partition: 1 } } },
        container: changed,
      }),
    ],
  },
  {
    name: "daemonset-updated",
    awaits: ["daemonset/agent"],
    from: (place) => [daemonSet(place, "agent")],
    to: (place) => [
      daemonSet(place, "agent", { container: { ...changed, ...serveAfter("sleep 3") } }),
    ],
  },
  {
    name: "job-of-20-seconds",
    awaits: ["job/migrate"],
    to: (place) => [job(place, "migrate", { container: script("sleep 20") })],
  },
  {
    name: "job-fails-first",
    awaits: ["job/migrate"],
    to: (place) => {
      const { pod, container } = onRun('[ "$runs" -gt 1 ] || exit 1', "true");
      return [
        job(place, "migrate", {
          spec: { backoffLimit: 3 },
          pod: {
            ...pod,
            restartPolicy: "OnFailure",
            containers: [{ name: "main", image: place.image, ...container }],
          },
        }),
      ];
    },
  },
  {
    name: "several-at-once",
    awaits: ["deployment/web", "statefulset/db", "daemonset/agent", "job/migrate", "service/web"],
    to: (place) => [
      deployment(place, "web", { container: serveAfter("sleep 3") }),
      statefulSet(place, "db"),
      daemonSet(place, "agent"),
      job(place, "migrate", { container: script("sleep 2") }),
      core(place, "Service", "web", {
        spec: { selector: { app: "web" }, ports: [{ port: 8080 }] },
      }),
    ],
  },
];
