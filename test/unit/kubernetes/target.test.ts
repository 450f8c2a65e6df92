import { describe, expect, it } from "@jest/globals";
import { parseTarget } from "../../../shared/kubernetes/index.ts";

describe("what to wait for", () => {
  it.each([
    ["shop/deployment/web", "shop"],
    ["deployment/web", "other"],
    ["crd/widgets.example.com", undefined],
    ["apiservice/v1.metrics.k8s.io", undefined],
  ])("%s is in the namespace that it names, in the given one, or in none", (text, namespace) => {
    expect(parseTarget(text, "other").namespace).toBe(namespace);
  });

  it.each([
    ["deployment/web", "apps/v1", "Deployment"],
    ["Deployment/web", "apps/v1", "Deployment"],
    ["deploy/web", "apps/v1", "Deployment"],
    ["deployments.apps/web", "apps/v1", "Deployment"],
    ["sts/web", "apps/v1", "StatefulSet"],
    ["ds/web", "apps/v1", "DaemonSet"],
    ["job/web", "batch/v1", "Job"],
    ["svc/web", "v1", "Service"],
    ["pvc/web", "v1", "PersistentVolumeClaim"],
    ["ing/web", "networking.k8s.io/v1", "Ingress"],
    ["hpa/web", "autoscaling/v2", "HorizontalPodAutoscaler"],
    ["pdb/web", "policy/v1", "PodDisruptionBudget"],
    ["poddisruptionbudgets.policy/web", "policy/v1", "PodDisruptionBudget"],
    ["rc/web", "v1", "ReplicationController"],
    ["shop/deployment/web", "apps/v1", "Deployment"],
    ["Widget.v1beta1.shop.example.com/web", "shop.example.com/v1beta1", "Widget"],
  ])("%s", (text, apiVersion, kind) => {
    expect(parseTarget(text, "shop")).toEqual({ apiVersion, kind, namespace: "shop", name: "web" });
  });

  it.each([
    ["web", "kind/name"],
    ["deployment/", "kind/name"],
    ["deployment/a/b/c", "kind/name"],
    ["Shop/deployment/web", "namespace/kind/name"],
    ["shop/a/b", "No such kind"],
    ["deployments.batch/web", "no kind that is known"],
    ["deployment/-web", "kind/name"],
    ["deployment/we b", "kind/name"],
    ["deploymint/web", "did you mean deployment?"],
    ["thing/web", "no kind that is known"],
  ])("not %j", (text, words) => {
    expect(() => parseTarget(text)).toThrow(words);
  });
});
