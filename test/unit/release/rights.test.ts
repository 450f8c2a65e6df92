import { describe, expect, it } from "@jest/globals";
import type { ReleaseTools } from "../../../shared/release/index.ts";
import { neededRights } from "../../../shared/release/needed-rights.ts";
import { grants, linesOf, type Right, roleText } from "../../../shared/release/rights.ts";

const right = (verb: string, apiVersion: string, resource: string, namespace?: string): Right => ({
  verb,
  apiVersion,
  resource,
  namespace,
});

describe("a rule", () => {
  const deed = right("create", "apps/v1", "deployments", "shop");
  const rule = { verbs: ["create"], apiGroups: ["apps"], resources: ["deployments"] };

  it.each([
    [rule, true],
    [{ ...rule, verbs: ["*"] }, true],
    [{ ...rule, apiGroups: ["*"], resources: ["*"] }, true],
    [{ ...rule, verbs: ["get"] }, false],
    [{ ...rule, apiGroups: [""] }, false],
    [{ ...rule, resources: ["deployments/scale"] }, false],
    [{ ...rule, resourceNames: ["web"] }, false],
    [{ verbs: ["create"] }, false],
  ])("%#", (one, granted) => {
    expect(grants(one, deed)).toBe(granted);
  });
});

describe("rights that are missing", () => {
  const missing = [
    right("create", "apps/v1", "deployments", "shop"),
    right("patch", "apps/v1", "deployments", "shop"),
    right("create", "v1", "services", "shop"),
    right("create", "v1", "configmaps", "shop"),
    right("get", "rbac.authorization.k8s.io/v1", "clusterroles"),
  ];

  it("are told by resource", () => {
    expect(linesOf(missing)).toEqual([
      "create, patch deployments.apps in namespace shop",
      "create services in namespace shop",
      "create configmaps in namespace shop",
      "get clusterroles.rbac.authorization.k8s.io",
    ]);
  });

  it("come with a role for each namespace, ready to be applied", () => {
    expect(roleText(missing, "web")).toBe(`apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: web-deployer
  namespace: shop
rules:
  - apiGroups: [apps]
    resources: [deployments]
    verbs: [create, patch]
  - apiGroups: ['']
    resources: [services, configmaps]
    verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: web-deployer
rules:
  - apiGroups: [rbac.authorization.k8s.io]
    resources: [clusterroles]
    verbs: [get]
`);
  });
});

describe("rights that a release needs", () => {
  const object = (kind: string, name: string) => ({
    apiVersion: kind === "ConfigMap" ? "v1" : "apps/v1",
    kind,
    metadata: { name, namespace: "shop" },
  });
  const web = { object: object("Deployment", "web"), plural: "deployments", namespaced: true };
  const map = { object: object("ConfigMap", "old"), plural: "configmaps", namespaced: true };
  const tools = { release: { name: "web", namespace: "shop" }, storage: "Secret" } as ReleaseTools;
  const asked = (isLive: boolean, unreadable: readonly string[] = []) => {
    const rights = neededRights(
      {
        placed: [web],
        leaving: [map],
        hooks: [],
        live: () => (isLive ? web.object : undefined),
        unreadable: new Set(unreadable),
      },
      tools,
      { namespaceIsNew: false, definitions: [], appliesDefinitions: false },
    );
    const forward = rights.filter(({ onlyToUndo }) => onlyToUndo !== true);
    return linesOf(forward).map((line) => line.replace(" in namespace shop", ""));
  };

  it("are those to what will happen, and to what is watched", () => {
    expect(asked(true)).toEqual([
      "get, list, create, update secrets",
      "get, patch, list, watch deployments.apps",
      "get, delete configmaps",
      "list, watch pods",
      "list, watch replicasets.apps",
    ]);
    expect(asked(false)).toContain("get, create, list, watch deployments.apps");
    expect(asked(false, ["apps/v1 Deployment"])).toContain(
      "get, create, patch, list, watch deployments.apps",
    );
  });
});
