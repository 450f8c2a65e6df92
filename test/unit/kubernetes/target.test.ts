import { describe, expect, it } from "@jest/globals";
import { parseTarget } from "../../../shared/kubernetes/index.ts";

describe("what to wait for", () => {
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
    ["Widget.v1beta1.shop.example.com/web", "shop.example.com/v1beta1", "Widget"],
  ])("%s", (text, apiVersion, kind) => {
    expect(parseTarget(text, "shop")).toEqual({ apiVersion, kind, namespace: "shop", name: "web" });
  });

  it.each([
    ["web", "kind/name"],
    ["deployment/", "kind/name"],
    ["deployment/a/b", "kind/name"],
    ["deployment/-web", "kind/name"],
    ["deployment/we b", "kind/name"],
    ["deploymint/web", "did you mean deployment?"],
    ["thing/web", "no kind that is known"],
  ])("not %j", (text, words) => {
    expect(() => parseTarget(text)).toThrow(words);
  });
});
