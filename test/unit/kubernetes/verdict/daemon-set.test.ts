import { event, pod } from "../objects.ts";
import { condition, object, verdictTable } from "./verdict-table.ts";

const set = (status: object, spec: object = {}) =>
  object("apps/v1", "DaemonSet", { spec, status: { observedGeneration: 2, ...status } });
const counts = (wanted: number, updated: number, available: number) => ({
  desiredNumberScheduled: wanted,
  updatedNumberScheduled: updated,
  numberAvailable: available,
});
const node = (name: string, ready: "True" | "False" | "Unknown") => ({
  ...object("v1", "Node", { status: { conditions: [condition("Ready", ready)] } }),
  metadata: { name },
});
const on = (nodeName: string, parts: Parameters<typeof pod>[0] = {}) => {
  const one = pod({ name: `agent-${nodeName}`, owner: "u1", ...parts });
  return { ...one, spec: { ...one.spec, nodeName } };
};
const lost = { status: {}, conditions: [condition("Ready", "False", "NodeNotReady")] };
const nodes = { Node: [node("a", "True"), node("b", "Unknown")] };
const onDelete = { updateStrategy: { type: "OnDelete" } };

verdictTable("a DaemonSet", [
  ["with a pod on every node", set(counts(1, 1, 1)), "ready", "", { pods: [on("a")] }],
  ["with pods to update", set(counts(2, 1, 1)), "progressing", "1 of 2 nodes updated"],
  [
    "with pods to come up",
    set(counts(2, 2, 1)),
    "progressing",
    "1 of 2 nodes have an available pod",
  ],
  ["for no node", set({}), "ready", "no node matches"],
  ["not observed", set({ observedGeneration: 1 }), "progressing", "not seen the change"],
  [
    "with a node that is not ready",
    set(counts(2, 2, 1)),
    "ready",
    "not waited for on 1 node that is not ready: b",
    { pods: [on("a"), on("b", lost)], others: nodes },
  ],
  [
    "with an old pod on a node that is not ready",
    set(counts(2, 1, 1)),
    "ready",
    "not waited for on 1 node that is not ready: b",
    { pods: [on("a"), on("b", { ...lost, deleted: true })], others: nodes },
  ],
  [
    "with a pod missing on a node that is ready, too",
    set(counts(3, 2, 1)),
    "progressing",
    "1 of 2 nodes have an available pod",
    { pods: [on("a"), on("b", lost)], others: nodes },
  ],
  [
    "with a node that is not ready and whose pod still serves",
    set(counts(2, 2, 1)),
    "progressing",
    "1 of 2 nodes have an available pod",
    { pods: [on("a", { status: {} }), on("b")], others: nodes },
  ],
  [
    "with no node that is ready",
    set(counts(1, 1, 0)),
    "progressing",
    "none of its 1 nodes is ready",
    { pods: [on("b", lost)], others: nodes },
  ],
  [
    "where nodes may not be read",
    set(counts(2, 2, 1)),
    "progressing",
    "1 of 2 nodes have an available pod",
    { pods: [on("a"), on("b", lost)], forbidden: ["Node"] },
  ],
  [
    "whose pods are refused",
    set(counts(1, 0, 0)),
    "failing",
    "PodsRefused; the API server refuses the pods: violates PodSecurity",
    { events: [event("u1", "FailedCreate", "violates PodSecurity")] },
  ],
  [
    "updated by hand",
    set(counts(2, 0, 2), onDelete),
    "ready",
    "2 of 2 pods keep the old revision until they are deleted (OnDelete)",
    { pods: [on("a"), on("b")] },
  ],
]);
