import { describe, expect, it } from "@jest/globals";
import { objectsOf } from "../../../shared/helm/index.ts";
import { workloadsOf } from "../../../shared/workload/index.ts";

const MANIFEST = `---
# Source: shop/templates/a.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, port: 8080}}
    spec:
      initContainers: [{name: init, image: "busybox:1"}]
      containers: [{name: web, image: "r/web@sha256:1"}]
---
# Source: shop/templates/empty.yaml
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Service, metadata: {name: web}}
  - apiVersion: batch/v1
    kind: CronJob
    metadata: {name: clean, namespace: other}
    spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, image: x}]}}}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: twice}
data: {a: "1", a: "2"}
`;

describe("a manifest", () => {
  const objects = objectsOf(MANIFEST);

  it("is taken apart into its objects, lists too", () => {
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).toEqual([
      "Deployment/web",
      "Service/web",
      "CronJob/clean",
      "ConfigMap/twice",
    ]);
  });

  it("tells its workloads and their images", () => {
    expect(workloadsOf(objects, "shop")).toEqual([
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        name: "web",
        namespace: "shop",
        selector: { app: "web" },
        labels: { app: "web", port: "8080" },
        containers: [
          { name: "init", image: "busybox:1", init: true },
          { name: "web", image: "r/web@sha256:1", init: false },
        ],
        keepsOldPods: false,
      },
      {
        apiVersion: "batch/v1",
        kind: "CronJob",
        name: "clean",
        namespace: "other",
        selector: undefined,
        labels: {},
        containers: [{ name: "c", image: "x", init: false }],
        keepsOldPods: false,
      },
    ]);
  });

  it("may be empty", () => {
    expect(objectsOf("")).toEqual([]);
    expect(objectsOf("# nothing\n---\n")).toEqual([]);
  });
});
