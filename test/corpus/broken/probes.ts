import type { BrokenCase } from "../case.ts";
import { deployment, script, statefulSet } from "../objects.ts";
import { unreadyFor } from "../signs.ts";

/**
 * How long the settings of a probe allow for a start, in seconds: to the end of the last try that
 * may fail, with half a period of the kubelet's jitter. Period and timeout are 1 s, three failures
 * are allowed: 0 + 1 + (3 + 1 - 3) x 1 + 1 / 2 + 1.
 */
const ALLOWED = 3.5;

const unready = {
  awaits: ["deployment/web"],
  sign: unreadyFor(ALLOWED),
  grace: "probe",
  reason: "NotReady",
} as const;

const probe = (how: object) => ({ ...how, periodSeconds: 1 });

/** Programs that run and are never ready. */
export const probes: readonly BrokenCase[] = [
  {
    ...unready,
    name: "readiness-http-error",
    from: (place) => [deployment(place, "web")],
    to: (place) => [
      deployment(place, "web", {
        container: { readinessProbe: probe({ httpGet: { path: "/healthz", port: 8080 } }) },
      }),
    ],
    words: ["/healthz"],
  },
  {
    ...unready,
    name: "readiness-port-wrong",
    to: (place) => [
      deployment(place, "web", {
        container: { readinessProbe: probe({ tcpSocket: { port: 9090 } }) },
      }),
    ],
    words: [":9090"],
  },
  {
    ...unready,
    name: "readiness-command-fails",
    awaits: ["statefulset/db"],
    to: (place) => [
      statefulSet(place, "db", {
        replicas: 2,
        container: {
          readinessProbe: probe({
            exec: { command: ["sh", "-c", "echo replication is behind; exit 1"] },
          }),
        },
      }),
    ],
    words: ["db-0", "replication is behind"],
  },
  {
    ...unready,
    name: "readiness-in-dead-program",
    to: (place) => [deployment(place, "web", { container: script("sleep 600") })],
    words: [":8080"],
  },
];
