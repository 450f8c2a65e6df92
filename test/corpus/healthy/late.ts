import type { HealthyCase } from "../case.ts";
import { configMap, deployment } from "../objects.ts";
import { waiting } from "../signs.ts";

/** What the rollout needs comes after it. */
export const late: readonly HealthyCase[] = [
  {
    name: "configmap-late",
    awaits: ["deployment/web"],
    to: (place) => [
      deployment(place, "web", { container: { envFrom: [{ configMapRef: { name: "late" } }] } }),
    ],
    meanwhile: async ({ place, sees, pause, apply }) => {
      await sees(waiting("CreateContainerConfigError"));
      await pause(5);
      await apply([configMap(place, "late")]);
    },
  },
];
