import type { BrokenCase, Objects } from "../case.ts";
import { core, deployment, job, script, serveAfter, statefulSet } from "../objects.ts";
import { condition, fromTheStart, gone, imageMissing } from "../signs.ts";

const web = { awaits: ["deployment/web"], grace: "none" } as const;
const jobFailed = {
  awaits: ["job/migrate"],
  sign: condition("Job", "Failed", "True"),
  grace: "none",
  reason: "JobFailed",
} as const;
const running: Objects = (place) => [deployment(place, "web")];

/** Workloads that go wrong as a whole. */
export const workloads: readonly BrokenCase[] = [
  {
    ...web,
    name: "progress-deadline",
    from: running,
    to: (place) => [
      deployment(place, "web", {
        spec: { progressDeadlineSeconds: 5 },
        container: serveAfter("sleep 600"),
      }),
    ],
    sign: condition("Deployment", "Progressing", "False", "ProgressDeadlineExceeded"),
    reason: "ProgressDeadlineExceeded",
    words: ["has timed out progressing"],
  },
  {
    ...web,
    name: "init-container-waits-forever",
    to: (place) => [
      deployment(place, "web", {
        spec: { progressDeadlineSeconds: 6 },
        pod: {
          initContainers: [
            { name: "wait-for-db", image: place.image, ...script("until false; do sleep 1; done") },
          ],
        },
      }),
    ],
    sign: condition("Deployment", "Progressing", "False", "ProgressDeadlineExceeded"),
    reason: "ProgressDeadlineExceeded",
    words: ["wait-for-db"],
  },
  {
    ...web,
    name: "paused",
    from: running,
    to: (place) => [
      deployment(place, "web", { spec: { paused: true }, container: { env: [{ name: "A" }] } }),
    ],
    sign: (seen) =>
      seen
        .of("Deployment")
        .some((object) => (object as { spec?: { paused?: boolean } }).spec?.paused === true),
    reason: "Paused",
    words: ["paused"],
  },
  {
    ...jobFailed,
    name: "job-fails",
    to: (place) => [
      job(place, "migrate", {
        spec: { backoffLimit: 1 },
        container: script("echo 'relation \"orders\" does not exist'; exit 4"),
      }),
    ],
    words: ["exit code 4", 'relation "orders" does not exist'],
  },
  {
    ...jobFailed,
    name: "job-fails-in-place",
    to: (place) => [
      job(place, "migrate", {
        spec: { backoffLimit: 0 },
        pod: { restartPolicy: "OnFailure" },
        container: script("echo 'lock is held by another'; exit 6"),
      }),
    ],
    words: ["BackoffLimitExceeded"],
  },
  {
    ...jobFailed,
    name: "job-too-slow",
    to: (place) => [
      job(place, "migrate", {
        spec: { activeDeadlineSeconds: 4 },
        container: script("sleep 600"),
      }),
    ],
    words: ["DeadlineExceeded"],
  },
  {
    ...web,
    name: "bare-pod-fails",
    awaits: ["pod/check"],
    to: (place) => {
      const container = { name: "main", image: place.image, ...script("echo 'no route'; exit 8") };
      return [
        core(place, "Pod", "check", { spec: { restartPolicy: "Never", containers: [container] } }),
      ];
    },
    sign: ({ pods }) => pods.some(({ status }) => status?.phase === "Failed"),
    reason: "PodFailed",
    words: ["exit code 8", "no route"],
  },
  {
    ...web,
    name: "deleted-meanwhile",
    to: (place) => [deployment(place, "web", { container: script("sleep 600") })],
    meanwhile: async ({ sees, pause, delete: remove }) => {
      await sees(({ pods }) => pods.some(({ status }) => status?.phase === "Running"));
      await pause(1);
      await remove("deployment/web");
    },
    sign: gone("Deployment"),
    grace: "absent",
    reason: "Deleted",
    words: ["deleted"],
  },
  {
    ...web,
    name: "misnamed",
    to: running,
    awaits: ["deployment/wbe"],
    sign: fromTheStart,
    grace: "absent",
    reason: "NotFound",
    words: ["wbe"],
  },
  {
    ...web,
    name: "statefulset-blocked",
    // The broken pod of the revision before stays, however good the new one is.
    awaits: ["statefulset/db"],
    before: (place) => [
      statefulSet(place, "db", { container: { image: `${place.registry}/corpus/none:6` } }),
    ],
    beforeShows: imageMissing,
    to: (place) => [statefulSet(place, "db")],
    sign: fromTheStart,
    grace: "blocked",
    reason: "Blocked",
    words: ["db-0", "corpus/none:6"],
  },
];
