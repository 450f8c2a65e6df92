import { expect, it } from "@jest/globals";
import { targetNames } from "../../../shared/kubernetes/rollout/target-names.ts";

const target = (apiVersion: string, kind: string, namespace: string | undefined, name: string) => ({
  apiVersion,
  kind,
  namespace,
  name,
});

it("targets are called by kind and name, and by more only where others are called the same", () => {
  const targets = [
    target("apps/v1", "Deployment", "shop", "api"),
    target("apps/v1", "Deployment", "shop", "web"),
    target("apps/v1", "Deployment", "billing", "web"),
    target("example.com/v1", "Service", "shop", "web"),
    target("v1", "Service", "shop", "web"),
    target("example.com/v1", "Fleet", undefined, "all"),
  ];
  const names = targetNames(targets);
  expect(targets.map((one) => names.get(one))).toEqual([
    "deployment/api",
    "shop/deployment/web",
    "billing/deployment/web",
    "shop/service.example.com/web",
    "shop/service/web",
    "fleet/all",
  ]);
});
