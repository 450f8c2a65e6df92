import type { BrokenCase } from "../case.ts";
import { deployment, script } from "../objects.ts";
import { ended } from "../signs.ts";

const loop = {
  awaits: ["deployment/web"],
  sign: ended(3),
  grace: "none",
  reason: "CrashLoop",
} as const;

/** Programs that start and do not stay. */
export const crashes: readonly BrokenCase[] = [
  {
    ...loop,
    name: "exit-with-message",
    to: (place) => [
      deployment(place, "web", {
        container: script("echo starting; echo 'Error: cannot reach the database'; exit 3"),
      }),
    ],
    words: ["exit code 3", "cannot reach the database"],
  },
];
