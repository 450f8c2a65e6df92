import { pod } from "../objects.ts";
import { condition, object, verdictTable } from "./verdict-table.ts";

const set = (replicas: number, status: object, apiVersion = "apps/v1", kind = "ReplicaSet") =>
  object(apiVersion, kind, { spec: { replicas }, status: { observedGeneration: 2, ...status } });
const own = pod({ owner: "u1" });
const message = 'pods "web-x" is forbidden: exceeded quota: small';

verdictTable("a ReplicaSet that stands alone", [
  ["with all pods", set(1, { replicas: 1, availableReplicas: 1 }), "ready", "", { pods: [own] }],
  [
    "with pods to come",
    set(2, { replicas: 2, availableReplicas: 1 }),
    "progressing",
    "1 of 2 pods available",
  ],
  [
    "with pods to go",
    set(1, { replicas: 2, availableReplicas: 2 }),
    "progressing",
    "1 pod has yet to go",
  ],
  ["that wants none", set(0, { replicas: 0 }), "ready", "nothing runs"],
  ["not observed", set(1, { observedGeneration: 1 }), "progressing", "not seen the change"],
  [
    "whose pods are refused",
    set(1, { conditions: [condition("ReplicaFailure", "True", "FailedCreate", message)] }),
    "failing",
    "PodsRefused; the API server refuses the pods",
  ],
  [
    "of the first version of Kubernetes",
    set(1, { replicas: 1, availableReplicas: 1 }, "v1", "ReplicationController"),
    "ready",
    "",
    { pods: [own] },
  ],
]);
