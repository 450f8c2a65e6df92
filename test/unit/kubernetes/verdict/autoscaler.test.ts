import { ago, pod } from "../objects.ts";
import { condition, object, verdictTable } from "./verdict-table.ts";

const autoscaler = (...conditions: readonly object[]) =>
  object("autoscaling/v2", "HorizontalPodAutoscaler", {
    spec: { scaleTargetRef: { kind: "Deployment", name: "web" }, maxReplicas: 5 },
    status: { conditions },
  });
const able = condition("AbleToScale", "True", "SucceededGetScale");
const active = condition("ScalingActive", "True", "ValidMetricFound");
const noMetrics = condition(
  "ScalingActive",
  "False",
  "FailedGetResourceMetric",
  "unable to fetch metrics from resource metrics API",
);
const web = (readyFor: number, ready: "True" | "False" = "True") => {
  const one = pod({
    conditions: [{ type: "Ready", status: ready, lastTransitionTime: ago(readyFor) }],
  });
  const ownerReferences = one.metadata.ownerReferences?.map((owner) => ({
    ...owner,
    name: "web-5d4f",
  }));
  return { ...one, metadata: { ...one.metadata, ...(ownerReferences && { ownerReferences }) } };
};

verdictTable("a HorizontalPodAutoscaler", [
  ["scaling", autoscaler(able, active), "ready", ""],
  ["not looked at", autoscaler(), "progressing", "not looked at its metrics yet"],
  [
    "whose target has no replicas",
    autoscaler(able, condition("ScalingActive", "False", "ScalingDisabled")),
    "ready",
    "0 replicas",
  ],
  [
    "whose target does not exist",
    autoscaler(condition("AbleToScale", "False", "FailedGetScale", 'deployments "web" not found')),
    "failing",
    'CannotScale; it cannot scale deployment/web: AbleToScale is False (FailedGetScale: deployments "web" not found)',
  ],
  [
    "without metrics of pods that just got ready",
    autoscaler(able, noMetrics),
    "progressing",
    "FailedGetResourceMetric",
    { pods: [web(10)] },
  ],
  [
    "without metrics of pods that are not ready",
    autoscaler(able, noMetrics),
    "progressing",
    "its pods are not ready",
    { pods: [web(500), web(500, "False")] },
  ],
  [
    "without metrics for long",
    autoscaler(able, noMetrics),
    "failed",
    "NoMetrics; it does not scale: ScalingActive is False (FailedGetResourceMetric: unable to fetch",
    { pods: [web(121)] },
  ],
  [
    "found, without metrics",
    autoscaler(able, noMetrics),
    "ready",
    "not checked whether it scales: ScalingActive is False (FailedGetResourceMetric",
    { incidental: true, pods: [web(500)] },
  ],
  [
    "found, not looked at",
    autoscaler(),
    "ready",
    "it has not looked at its metrics",
    { incidental: true },
  ],
  [
    "found, whose target does not exist",
    autoscaler(condition("AbleToScale", "False", "FailedGetScale")),
    "failing",
    "CannotScale",
    { incidental: true },
  ],
  [
    "with a selector that others share",
    autoscaler(able, condition("ScalingActive", "False", "AmbiguousSelector", "two of them")),
    "failing",
    "AmbiguousSelector: two of them",
  ],
  [
    "at its limit",
    autoscaler(able, active, condition("ScalingLimited", "True", "TooManyReplicas")),
    "ready",
    "it wants more than its 5 replicas",
  ],
]);
