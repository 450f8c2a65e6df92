import type { BrokenCase } from "../case.ts";
import { configMap, deployment, mounted } from "../objects.ts";
import { either, ended, event, waiting } from "../signs.ts";

const start = {
  awaits: ["deployment/web"],
  sign: either(waiting("RunContainerError", "CreateContainerError"), ended(1)),
  grace: "none",
  reason: "CannotStart",
} as const;

/** Containers that a runtime cannot start. */
export const starts: readonly BrokenCase[] = [
  {
    ...start,
    name: "command-not-found",
    from: (place) => [deployment(place, "web")],
    to: (place) => [deployment(place, "web", { container: { command: ["serve-the-shop"] } })],
    words: ["serve-the-shop", "executable file not found"],
  },
  {
    ...start,
    name: "permission-denied",
    to: (place) => [deployment(place, "web", { container: { command: ["/etc/passwd"] } })],
    words: ["/etc/passwd", "permission denied"],
  },
  {
    ...start,
    name: "file-over-folder",
    before: (place) => [configMap(place, "settings", { host: "db" })],
    to: (place) => [
      deployment(
        place,
        "web",
        // The key does not exist, and so a folder is mounted onto the file.
        mounted(
          { configMap: { name: "settings" } },
          { mountPath: "/etc/passwd", subPath: "web.conf" },
        ),
      ),
    ],
    words: ["/etc/passwd", "not a directory"],
  },
  {
    ...start,
    name: "hook-fails",
    to: (place) => [
      deployment(place, "web", {
        container: { lifecycle: { postStart: { exec: { command: ["register-the-shop"] } } } },
      }),
    ],
    sign: ended(3),
    reason: "CrashLoop",
    words: ["postStart hook"],
  },
  {
    ...start,
    name: "memory-limit-too-low",
    to: (place) => [
      deployment(place, "web", { container: { resources: { limits: { memory: "64Ki" } } } }),
    ],
    sign: either(event("FailedCreatePodSandBox"), start.sign),
    grace: "containerCreate",
    reason: "SandboxFailed",
    words: ["memory"],
  },
];
