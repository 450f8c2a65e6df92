import type { BrokenCase, Objects } from "../case.ts";
import { deployment } from "../objects.ts";
import { imageMissing } from "../signs.ts";

const running: Objects = (place) => [deployment(place, "web", { replicas: 2 })];
const missing = { awaits: ["deployment/web"], sign: imageMissing } as const;

/** Images that do not come. */
export const images: readonly BrokenCase[] = [
  {
    ...missing,
    name: "image-not-found",
    from: running,
    to: (place) => [
      deployment(place, "web", {
        replicas: 2,
        container: { image: `${place.registry}/corpus/none:2` },
      }),
    ],
    grace: "none",
    reason: "ImageNotFound",
    words: ["corpus/none:2", "not found"],
  },
];
