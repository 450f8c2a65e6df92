import type { BrokenCase } from "../case.ts";
import { deployment } from "../objects.ts";
import { waiting } from "../signs.ts";

const web = { awaits: ["deployment/web"] } as const;

/** What a container is told, and is not there. */
export const configuration: readonly BrokenCase[] = [
  {
    ...web,
    name: "configmap-missing",
    to: (place) => [
      deployment(place, "web", {
        container: { envFrom: [{ configMapRef: { name: "settings" } }] },
      }),
    ],
    sign: waiting("CreateContainerConfigError"),
    grace: "config",
    reason: "ConfigError",
    words: ['configmap "settings" not found'],
  },
];
