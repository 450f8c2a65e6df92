import type { KubernetesObject } from "../object.ts";
import { type Condition, conditionOf, controllerOf, type Pod } from "../workload.ts";
import { conditionProblem, conditionWords } from "./conditions.ts";
import { isReady, readySince } from "./pod.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

interface Autoscaler extends KubernetesObject {
  readonly spec?: {
    readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string };
    readonly maxReplicas?: number;
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/**
 * The verdict on a HorizontalPodAutoscaler: it finds what it scales, and its metrics. Those of new
 * pods come late, so that their grace begins when the pods are ready.
 *
 * Source of the reasons: k8s.io/kubernetes, pkg/controller/podautoscaler/horizontal.go.
 *
 * @param pods those of its namespace.
 */
export function assessAutoscaler(
  object: KubernetesObject,
  pods: readonly Pod[],
  incidental: boolean,
  sight: Sight,
): Assessment {
  const autoscaler: Autoscaler = object;
  const able = conditionOf(autoscaler, "AbleToScale");
  const active = conditionOf(autoscaler, "ScalingActive");
  if (able?.status === "False") return unable(autoscaler, able, sight);
  if (active?.reason === "ScalingDisabled") {
    return { ...READY, notes: ["its target has 0 replicas, so that it scales nothing"] };
  }
  if (active?.status === "True") return { ...READY, notes: limitOf(autoscaler) };
  const early = active === undefined || ABOUT_METRICS.test(active.reason ?? "");
  if (incidental && early) return unproved(active);
  if (active === undefined) return underway(["it has not looked at its metrics yet"]);
  return inactive(autoscaler, active, pods, sight);
}

/** What nobody named need not scale for the rollout to be out, and metrics come late. */
function unproved(active: Condition | undefined): Assessment {
  const words = active === undefined ? "it has not looked at its metrics" : conditionWords(active);
  return { ...READY, notes: [`not checked whether it scales: ${words}`] };
}

const ABOUT_METRICS = /Metric/;

function unable(autoscaler: Autoscaler, able: Condition, sight: Sight): Assessment {
  const { kind = "", name = "" } = autoscaler.spec?.scaleTargetRef ?? {};
  const problem = conditionProblem(able, {
    key: `autoscaler:${autoscaler.metadata.uid}`,
    reason: "CannotScale",
    about: `it cannot scale ${kind.toLowerCase()}/${name}`,
    remedy: "Check spec.scaleTargetRef: apiVersion, kind and name of what it scales.",
    grace: sight.graces.reference,
  });
  return underway([conditionWords(able)], { problems: [problem] });
}

function inactive(
  autoscaler: Autoscaler,
  active: Condition,
  pods: readonly Pod[],
  sight: Sight,
): Assessment {
  const own = pods.filter((pod) => isScaled(pod, autoscaler));
  const missing = [conditionWords(active)];
  const due = Math.max(0, ...own.map(readySince)) + sight.graces.metrics;
  const aboutMetrics = ABOUT_METRICS.test(active.reason ?? "");
  if (aboutMetrics && !own.every(isReady)) {
    return underway([...missing, "its pods are not ready, and have no metrics before"]);
  }
  if (aboutMetrics && sight.now < due) return underway(missing, { lookAgainAt: due });
  const problem = conditionProblem(active, {
    key: `autoscaler:${autoscaler.metadata.uid}`,
    reason: "NoMetrics",
    about: "it does not scale",
    remedy: METRICS_API.test(active.message ?? "")
      ? "Install a metrics server, or give the containers resource requests: it needs both."
      : "Check the metrics that it names, and its selector.",
    grace: aboutMetrics ? 0 : sight.graces.reference,
  });
  return underway(missing, { problems: [problem] });
}

const METRICS_API = /metrics\.k8s\.io|resource metrics|missing request/i;

/** By name: `web-5d4f-abcde` belongs to ReplicaSet `web-5d4f` of Deployment `web`. */
function isScaled(pod: Pod, { spec }: Autoscaler): boolean {
  const { kind, name } = spec?.scaleTargetRef ?? {};
  const owner = controllerOf(pod);
  if (owner === undefined || name === undefined) return false;
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  if (owner.kind === kind) return owner.name === name;
  return owner.kind === "ReplicaSet" && owner.name.replace(/-[^-]*$/, "") === name;
}

function limitOf(autoscaler: Autoscaler): string[] {
  const limited = conditionOf(autoscaler, "ScalingLimited");
  return limited?.status === "True" && limited.reason === "TooManyReplicas"
    ? [`it wants more than its ${autoscaler.spec?.maxReplicas} replicas`]
    : [];
}
