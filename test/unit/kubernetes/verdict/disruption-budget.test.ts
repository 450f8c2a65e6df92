import { condition, object, verdictTable } from "./verdict-table.ts";

const budget = (status: object) =>
  object("policy/v1", "PodDisruptionBudget", { status: { observedGeneration: 2, ...status } });

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
  ["not observed", budget({ observedGeneration: 1 }), "progressing", "has not seen the change"],
  [
    "that cannot be computed",
    budget({
      conditions: [condition("DisruptionAllowed", "False", "SyncFailed", "found no controllers")],
    }),
    "failing",
    "BudgetNotComputed; nobody can tell how many of its pods may be evicted: DisruptionAllowed is False (SyncFailed: found no controllers)",
  ],
]);
