import { ago } from "../objects.ts";
import { condition, object, verdictTable } from "./verdict-table.ts";

const selector = { matchExpressions: [{ key: "app", operator: "In", values: ["db", "web"] }] };
const budget = (status: object) =>
  object("policy/v1", "PodDisruptionBudget", {
    spec: { selector },
    status: { observedGeneration: 2, ...status },
  });
const made = budget({ expectedPods: 0 });
const fresh = { ...made, metadata: { ...made.metadata, creationTimestamp: ago(1) } };
const making = (replicas: number) =>
  object("apps/v1", "StatefulSet", {
    spec: { replicas, template: { metadata: { labels: { app: "db" } } } },
  });

verdictTable("a PodDisruptionBudget", [
  [
    "met",
    budget({ currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 1 }),
    "ready",
    "",
  ],
  [
    "met without room",
    budget({ currentHealthy: 2, desiredHealthy: 2, expectedPods: 2, disruptionsAllowed: 0 }),
    "ready",
    "it allows no eviction now",
  ],
  [
    "not met",
    budget({ currentHealthy: 1, desiredHealthy: 2, expectedPods: 3 }),
    "progressing",
    "1 of the 2 pods that it demands are healthy",
  ],
  [
    "that can never be met",
    budget({ currentHealthy: 2, desiredHealthy: 3, expectedPods: 2 }),
    "ready",
    "it demands 3 healthy pods where 2 are wanted: nobody may ever evict one",
  ],
  ["of no pods", budget({ expectedPods: 0 }), "ready", "it matches no pods"],
  ["just made, of no pods", fresh, "progressing", "its pods are not counted yet"],
  [
    "of pods that are to come",
    budget({ expectedPods: 0 }),
    "progressing",
    "0 of the 3 pods that it protects are counted",
    { others: { StatefulSet: [making(3)] } },
  ],
  [
    "of which the first pod has come",
    budget({ currentHealthy: 1, desiredHealthy: 2, expectedPods: 1 }),
    "progressing",
    "1 of the 2 pods that it demands are healthy",
    { others: { StatefulSet: [making(3)] } },
  ],
  ["not observed", budget({ observedGeneration: 1 }), "progressing", "has not seen the change"],
  [
    "that cannot be computed",
    budget({
      observedGeneration: 0,
      conditions: [condition("DisruptionAllowed", "False", "SyncFailed", "found no controllers")],
    }),
    "failing",
    "BudgetNotComputed; nobody can tell how many of its pods may be evicted: DisruptionAllowed is False (SyncFailed: found no controllers)",
  ],
]);
