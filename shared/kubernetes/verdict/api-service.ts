import type { KubernetesObject } from "../object.ts";
import { type AnyObject, type Condition, conditionOf } from "../workload.ts";
import { conditionProblem, conditionWords } from "./conditions.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

/**
 * The verdict on an APIService: whether the server behind it answers.
 * Source: k8s.io/kube-aggregator, pkg/controllers/status/remote/remote_available_controller.go.
 */
export function assessApiService(object: KubernetesObject, sight: Sight): Assessment {
  const available = conditionOf(object as AnyObject, "Available");
  if (available?.status === "True") return READY;
  if (available === undefined) return underway(["nobody has tried it yet"]);
  const problems = unavailable(object, available, sight);
  return underway([conditionWords(available)], { problems });
}

function unavailable(object: KubernetesObject, available: Condition, sight: Sight): Problem[] {
  // Pods behind the Service that are still to come tell their own story.
  if (available.status !== "False" || WAITS_FOR_PODS.includes(available.reason ?? "")) return [];
  const absent = available.reason === "ServiceNotFound";
  return [
    conditionProblem(available, {
      key: `api:${object.metadata.uid}`,
      reason: "APIServiceUnavailable",
      about: "its API server does not answer",
      remedy: absent
        ? "Create the Service that spec.service names, or correct it: name, namespace and port."
        : "Look at the pods behind its Service, its certificate, and the network between them and the API server.",
      grace: absent ? sight.graces.reference : Number.POSITIVE_INFINITY,
    }),
  ];
}

const WAITS_FOR_PODS = ["MissingEndpoints", "EndpointsNotFound", "EndpointSlicesNotFound"];
