import { describe, expect, it } from "@jest/globals";
import type { KubernetesObject } from "../../../shared/kubernetes/object.ts";
import {
  awaitedTargets,
  isDispensable,
  uniqueTargets,
} from "../../../shared/kubernetes/rollout/awaited.ts";

const object = (
  apiVersion: string,
  kind: string,
  metadata: Partial<KubernetesObject["metadata"]> = {},
  rest: object = {},
): KubernetesObject => ({ apiVersion, kind, metadata: { name: "web", ...metadata }, ...rest });

describe("what of a manifest is waited for", () => {
  it.each([
    ["v1", "Pod"],
    ["v1", "Service"],
    ["v1", "PersistentVolumeClaim"],
    ["apps/v1", "Deployment"],
    ["apps/v1", "StatefulSet"],
    ["apps/v1", "DaemonSet"],
    ["apps/v1", "ReplicaSet"],
    ["batch/v1", "Job"],
    ["batch/v1", "CronJob"],
    ["autoscaling/v2", "HorizontalPodAutoscaler"],
    ["policy/v1", "PodDisruptionBudget"],
    ["networking.k8s.io/v1", "Ingress"],
    ["gateway.networking.k8s.io/v1", "Gateway"],
    ["gateway.networking.k8s.io/v1", "HTTPRoute"],
    ["shop.example.com/v1", "Widget"],
  ])("%s %s, in the default namespace or its own", (apiVersion, kind) => {
    const objects = [
      object(apiVersion, kind),
      object(apiVersion, kind, { namespace: "other", name: "b" }),
    ];
    expect(awaitedTargets(objects, "shop")).toEqual([
      { apiVersion, kind, namespace: "shop", name: "web", incidental: true },
      { apiVersion, kind, namespace: "other", name: "b", incidental: true },
    ]);
  });

  it.each([
    ["v1", "ConfigMap"],
    ["v1", "Secret"],
    ["v1", "Namespace"],
    ["v1", "ServiceAccount"],
    ["rbac.authorization.k8s.io/v1", "Role"],
    ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
    ["networking.k8s.io/v1", "NetworkPolicy"],
    ["networking.k8s.io/v1", "IngressClass"],
    ["storage.k8s.io/v1", "StorageClass"],
    ["apps/v1", "ControllerRevision"],
    ["admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"],
  ])("not %s %s", (apiVersion, kind) => {
    expect(awaitedTargets([object(apiVersion, kind)], "shop")).toEqual([]);
  });

  it.each([
    ["a hook of Helm's", { annotations: { "helm.sh/hook": "pre-install" } }],
    ["what says that nobody waits", { annotations: { "seaworthy.dev/await": "false" } }],
    ["what gets its name later", { name: undefined as unknown as string, generateName: "a-" }],
  ])("not %s", (_, metadata) => {
    expect(awaitedTargets([object("batch/v1", "Job", metadata)], "shop")).toEqual([]);
  });

  it.each([
    ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
    ["apiregistration.k8s.io/v1", "APIService"],
    ["cert-manager.io/v1", "ClusterIssuer"],
  ])("%s %s, which has no namespace", (apiVersion, kind) => {
    const [target] = awaitedTargets([object(apiVersion, kind)], "shop");
    expect(target?.namespace).toBeUndefined();
  });

  it("takes the scope of a custom resource from its definition", () => {
    const spec = { group: "example.com", scope: "Cluster", names: { kind: "Fleet" } };
    const objects = [
      object("apiextensions.k8s.io/v1", "CustomResourceDefinition", {}, { spec }),
      object("example.com/v1", "Fleet"),
    ];
    expect(awaitedTargets(objects, "shop").map(({ namespace }) => namespace)).toEqual([
      undefined,
      undefined,
    ]);
  });
});

describe("a target whose kind may not be read", () => {
  it.each([
    ["apps/v1", "Deployment", true, false],
    ["batch/v1", "Job", true, false],
    ["v1", "Pod", true, false],
    ["v1", "Service", true, true],
    ["example.com/v1", "Widget", true, true],
    ["example.com/v1", "Widget", false, false],
  ])("%s %s, found %s: can be done without: %s", (apiVersion, kind, incidental, dispensable) => {
    expect(isDispensable({ apiVersion, kind, name: "web", incidental })).toBe(dispensable);
  });
});

describe("the same object, found twice", () => {
  const web = { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name: "web" };
  const demand = { kind: "condition", text: "Ready", type: "Ready", status: "True" } as const;

  it("is one target, named where it was named once, with its demand", () => {
    const both = [
      { ...web, incidental: true },
      { ...web, demand },
    ];
    expect(uniqueTargets(both)).toEqual([{ ...web, demand, incidental: false }]);
  });

  it("is two where the namespaces differ", () => {
    expect(uniqueTargets([web, { ...web, namespace: "other" }])).toHaveLength(2);
  });
});
