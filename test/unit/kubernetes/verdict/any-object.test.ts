import { ago, event } from "../objects.ts";
import { condition, object, verdictTable } from "./verdict-table.ts";

const widget = (status?: object, seconds = 60) => {
  const one = object("example.com/v1", "Widget", status === undefined ? {} : { status });
  return { ...one, metadata: { ...one.metadata, creationTimestamp: ago(seconds) } };
};
const said = (...conditions: readonly object[]) => widget({ conditions });

verdictTable("a custom resource", [
  ["ready", said(condition("Ready", "True")), "ready", ""],
  ["available", said(condition("Available", "True")), "ready", ""],
  [
    "not ready",
    said(condition("Ready", "False", "Building", "2 of 3")),
    "progressing",
    "Ready is False (Building: 2 of 3)",
  ],
  ["not available", said(condition("Available", "False", "Starting")), "progressing", "Starting"],
  ["in doubt", said(condition("Ready", "Unknown")), "progressing", "Ready is Unknown"],
  [
    "whose status is of an older generation",
    widget({ observedGeneration: 1, conditions: [condition("Ready", "True")] }),
    "progressing",
    "not seen the change",
  ],
  [
    "whose condition is of an older generation",
    said(condition("Ready", "True", "", "", 1)),
    "progressing",
    "Ready speaks of an older generation",
  ],
  [
    "being reconciled",
    said(condition("Reconciling", "True", "Upgrading"), condition("Ready", "True")),
    "progressing",
    "Reconciling is True (Upgrading)",
  ],
  [
    "stalled",
    said(condition("Stalled", "True", "BadSpec", "no such size")),
    "failed",
    "Stalled; it goes no further: BadSpec: no such size",
  ],
  [
    "that was stalled before the change",
    said(condition("Stalled", "True", "BadSpec", "", 1), condition("Ready", "True", "", "", 2)),
    "ready",
    "",
  ],
  [
    "that runs once, and failed",
    said(condition("Succeeded", "False", "TaskFailed", "exit code 1")),
    "failed",
    "Stalled; it goes no further: TaskFailed: exit code 1",
  ],
  ["that reports nothing", widget(), "ready", "it exists and reports no readiness"],
  ["that reports nothing yet", widget(undefined, 1), "progressing", "it reports nothing yet"],
  [
    "with conditions that nobody knows",
    said(condition("Synced", "True")),
    "ready",
    "no readiness that is known here (Synced)",
  ],
  [
    "with a warning",
    said(condition("Ready", "False")),
    "progressing",
    "a warning says OutOfPaint: no red left",
    { events: [event("u1", "OutOfPaint", "no red left")] },
  ],
  ["a ConfigMap", object("v1", "ConfigMap"), "ready", "it exists and reports no readiness"],
  ["a CronJob", object("batch/v1", "CronJob"), "ready", "nothing runs until its schedule comes"],
  [
    "a CronJob that is suspended",
    object("batch/v1", "CronJob", { spec: { suspend: true } }),
    "ready",
    "it is suspended",
  ],
]);
