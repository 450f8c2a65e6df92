import type { BrokenCase } from "../case.ts";
import {
  core,
  daemonSet,
  deployment,
  mounted,
  script,
  serveAfter,
  statefulSet,
} from "../objects.ts";
import { ended, failedPods } from "../signs.ts";

const loop = {
  awaits: ["deployment/web"],
  sign: ended(3),
  grace: "none",
  reason: "CrashLoop",
} as const;

/** The head of a program for processors that no node of ours has: ELF, 64 bits, big-endian, s390x. */
const FOREIGN_PROGRAM = Buffer.concat([
  Buffer.from("7f454c46020201000000000000000000000200160000000100000000", "hex"),
  Buffer.alloc(200),
]).toString("base64");

const PANIC = `
echo 'listening soon'
echo 'panic: runtime error: index out of range [3] with length 3' >&2
echo '' >&2
echo 'goroutine 1 [running]:' >&2
echo '	main.main()' >&2
exit 2`;

/** Programs that start and do not stay. */
export const crashes: readonly BrokenCase[] = [
  {
    ...loop,
    name: "exit-with-message",
    from: (place) => [deployment(place, "web", { replicas: 2 })],
    to: (place) => [
      deployment(place, "web", {
        replicas: 2,
        container: script("echo starting; echo 'Error: cannot reach the database'; exit 3"),
      }),
    ],
    words: ["exit code 3", "cannot reach the database"],
  },
  {
    ...loop,
    name: "panic-with-trace",
    to: (place) => [deployment(place, "web", { container: script(PANIC) })],
    words: ["exit code 2", "index out of range [3]"],
  },
  {
    ...loop,
    name: "exit-0-again-and-again",
    to: (place) => [deployment(place, "web", { container: script("echo all done") })],
    words: ["exit code 0"],
  },
  {
    ...loop,
    name: "out-of-memory",
    to: (place) => [
      deployment(place, "web", {
        container: {
          ...script("exec tail /dev/zero"),
          resources: { limits: { memory: "24Mi" } },
        },
      }),
    ],
    words: ["out of memory"],
  },
  {
    ...loop,
    name: "segmentation-fault",
    to: (place) => [
      deployment(place, "web", { container: script("sh -c 'kill -SEGV $$$$'; exit $?") }),
    ],
    words: ["SIGSEGV"],
  },
  {
    ...loop,
    name: "program-of-other-processor",
    before: (place) => [
      core(place, "ConfigMap", "program", { binaryData: { server: FOREIGN_PROGRAM } }),
    ],
    to: (place) => {
      const { pod, container } = mounted({ configMap: { name: "program", defaultMode: 0o755 } });
      return [
        deployment(place, "web", {
          ...{ pod: pod ?? {} },
          container: { ...container, command: ["/volume/server"] },
        }),
      ];
    },
    sign: ended(1),
    reason: "WrongArchitecture",
    words: ["exec format error"],
  },
  {
    ...loop,
    name: "init-container-crashes",
    to: (place) => [
      deployment(place, "web", {
        pod: {
          initContainers: [
            {
              name: "migrate",
              image: place.image,
              ...script("echo 'no such schema: shop'; exit 7"),
            },
          ],
        },
      }),
    ],
    words: ['init container "migrate"', "exit code 7", "no such schema: shop"],
  },
  {
    ...loop,
    name: "sidecar-crashes",
    to: (place) => [
      deployment(place, "web", {
        pod: {
          initContainers: [
            {
              name: "proxy",
              image: place.image,
              restartPolicy: "Always",
              ...script("echo 'cannot bind port 15001'; exit 9"),
            },
          ],
        },
      }),
    ],
    words: ['"proxy"', "exit code 9", "cannot bind port 15001"],
  },
  {
    ...loop,
    name: "second-container-crashes",
    from: (place) => [deployment(place, "web")],
    to: (place) => [
      deployment(place, "web", {
        pod: {
          containers: [
            { name: "main", image: place.image, command: ["httpd", "-f", "-p", "8080"] },
            // The containers of a pod share its ports.
            { name: "admin", image: place.image, command: ["httpd", "-f", "-p", "8080"] },
          ],
        },
      }),
    ],
    words: ["Address already in use"],
  },
  {
    ...loop,
    name: "crash-after-start",
    // It is ready at once, for there is no probe, and does not stay.
    to: (place) => [
      deployment(place, "web", {
        unprobed: true,
        container: script("sleep 2; echo 'lost the connection to the queue'; exit 5"),
      }),
    ],
    words: ["exit code 5", "lost the connection to the queue"],
  },
  {
    ...loop,
    name: "crash-after-being-ready",
    from: (place) => [deployment(place, "web")],
    to: (place) => [
      deployment(place, "web", {
        spec: { minReadySeconds: 30 },
        container: script(
          "httpd -p 8080 -h /etc; sleep 3; echo 'unhandled rejection: ECONNRESET'; exit 1",
        ),
      }),
    ],
    words: ["exit code 1", "unhandled rejection: ECONNRESET"],
  },
  {
    ...loop,
    name: "read-only-file-system",
    to: (place) => [
      deployment(place, "web", {
        container: {
          ...serveAfter("set -e; echo $$ > /run.pid"),
          securityContext: { readOnlyRootFilesystem: true },
        },
      }),
    ],
    words: ["Read-only file system"],
  },
  {
    ...loop,
    name: "statefulset-crashes",
    awaits: ["statefulset/db"],
    from: (place) => [statefulSet(place, "db", { replicas: 2 })],
    to: (place) => [
      statefulSet(place, "db", {
        replicas: 2,
        container: script("echo 'data directory has wrong owner'; exit 1"),
      }),
    ],
    words: ["db-1", "data directory has wrong owner"],
  },
  {
    ...loop,
    name: "daemonset-crashes",
    awaits: ["daemonset/agent"],
    to: (place) => [
      daemonSet(place, "agent", { container: script("echo 'kernel module missing'; exit 1") }),
    ],
    words: ["kernel module missing"],
  },
  {
    ...loop,
    name: "liveness-kills",
    to: (place) => [
      deployment(place, "web", {
        unprobed: true,
        container: {
          livenessProbe: {
            httpGet: { path: "/alive", port: 8080 },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
      }),
    ],
    words: ["liveness probe failed", "404"],
  },
  {
    ...loop,
    name: "startup-probe-kills",
    to: (place) => [
      deployment(place, "web", {
        container: {
          startupProbe: {
            exec: { command: ["sh", "-c", "echo not warmed up; exit 1"] },
            periodSeconds: 1,
            failureThreshold: 2,
          },
        },
      }),
    ],
    words: ["startup probe failed", "not warmed up"],
  },
  {
    ...loop,
    name: "sysctl-forbidden",
    to: (place) => [
      deployment(place, "web", {
        pod: { securityContext: { sysctls: [{ name: "net.core.somaxconn", value: "1024" }] } },
      }),
    ],
    sign: failedPods(3),
    reason: "PodFailed",
    words: ["net.core.somaxconn"],
  },
];
