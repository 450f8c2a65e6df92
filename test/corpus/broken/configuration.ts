import type { BrokenCase } from "../case.ts";
import { configMap, deployment, mounted } from "../objects.ts";
import { event, waiting } from "../signs.ts";

const config = {
  awaits: ["deployment/web"],
  sign: waiting("CreateContainerConfigError"),
  grace: "config",
  reason: "ConfigError",
} as const;

const volume = {
  awaits: ["deployment/web"],
  sign: event("FailedMount"),
  grace: "volume",
  reason: "VolumeNotMounted",
} as const;

/** What a container is told or given, and is not there. */
export const configuration: readonly BrokenCase[] = [
  {
    ...config,
    name: "configmap-missing",
    to: (place) => [
      deployment(place, "web", {
        container: { envFrom: [{ configMapRef: { name: "settings" } }] },
      }),
    ],
    words: ['configmap "settings" not found'],
  },
  {
    ...config,
    name: "secret-missing",
    from: (place) => [deployment(place, "web", { replicas: 2 })],
    to: (place) => [
      deployment(place, "web", {
        replicas: 2,
        container: { envFrom: [{ secretRef: { name: "database" } }] },
      }),
    ],
    words: ['secret "database" not found'],
  },
  {
    ...config,
    name: "key-missing",
    before: (place) => [configMap(place, "settings", { host: "db" })],
    to: (place) => {
      const ref = { configMapKeyRef: { name: "settings", key: "port" } };
      return [deployment(place, "web", { container: { env: [{ name: "PORT", valueFrom: ref }] } })];
    },
    words: ["couldn't find key port", "settings"],
  },
  {
    ...config,
    name: "secret-of-init-container",
    to: (place) => [
      deployment(place, "web", {
        pod: {
          initContainers: [
            {
              name: "migrate",
              image: place.image,
              command: ["true"],
              envFrom: [{ secretRef: { name: "admin" } }],
            },
          ],
        },
      }),
    ],
    words: ['init container "migrate"', 'secret "admin" not found'],
  },
  {
    ...config,
    name: "runs-as-root",
    to: (place) => [
      deployment(place, "web", { container: { securityContext: { runAsNonRoot: true } } }),
    ],
    grace: "none",
    words: ["runAsNonRoot"],
  },
  {
    ...config,
    name: "subpath-variable-missing",
    to: (place) => [
      deployment(place, "web", mounted({ emptyDir: {} }, { subPathExpr: "$(TENANT)" })),
    ],
    words: ["TENANT"],
  },
  {
    ...volume,
    name: "volume-secret-missing",
    to: (place) => [deployment(place, "web", mounted({ secret: { secretName: "certificate" } }))],
    words: ['secret "certificate" not found'],
  },
  {
    ...volume,
    name: "volume-key-missing",
    before: (place) => [configMap(place, "pages", { "index.html": "hello" })],
    to: (place) => [
      deployment(
        place,
        "web",
        mounted({ configMap: { name: "pages", items: [{ key: "app.conf", path: "app.conf" }] } }),
      ),
    ],
    words: ["app.conf"],
  },
  {
    ...volume,
    name: "host-path-missing",
    to: (place) => [
      deployment(
        place,
        "web",
        mounted({ hostPath: { path: "/srv/no-such-folder", type: "Directory" } }),
      ),
    ],
    words: ["/srv/no-such-folder"],
  },
  {
    ...volume,
    name: "storage-driver-missing",
    to: (place) => [deployment(place, "web", mounted({ csi: { driver: "disk.csi.example.com" } }))],
    words: ["disk.csi.example.com"],
  },
];
