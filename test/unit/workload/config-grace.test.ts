import { describe, expect, it } from "@jest/globals";
import { GRACES, type KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { configGrace } from "../../../shared/workload/index.ts";

function object(apiVersion: string, kind: string, name = "web"): KubernetesObject {
  return { apiVersion, kind, metadata: { name, namespace: "shop" } };
}

const PLAIN = [
  object("v1", "Service"),
  object("v1", "ConfigMap"),
  object("v1", "ServiceAccount"),
  object("apps/v1", "Deployment"),
  object("policy/v1", "PodDisruptionBudget"),
];

describe("the grace for a missing ConfigMap or Secret", () => {
  it("is none when nothing in the release could make it", () => {
    expect(configGrace(PLAIN, PLAIN)).toBe(0);
  });

  it("stays for a first install", () => {
    expect(configGrace(PLAIN, undefined)).toBe(GRACES.config);
  });

  it.each([
    ["a custom resource", object("external-secrets.io/v1", "ExternalSecret")],
    ["a Job", object("batch/v1", "Job")],
    ["a Role", object("rbac.authorization.k8s.io/v1", "Role")],
    ["a kind of a well-known name in another group", object("example.com/v1", "Deployment")],
  ])("stays when the release holds %s", (_, one) => {
    const release = [...PLAIN, one];
    expect(configGrace(release, release)).toBe(GRACES.config);
  });

  it.each(["ConfigMap", "Secret"])("stays when this upgrade made a %s", (kind) => {
    expect(configGrace([...PLAIN, object("v1", kind, "limits")], PLAIN)).toBe(GRACES.config);
  });
});
