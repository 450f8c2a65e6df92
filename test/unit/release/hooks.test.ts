import { describe, expect, it } from "@jest/globals";
import { hooksOf, runs } from "../../../shared/release/hooks.ts";

const hook = (kind: string, when: string, policy?: string) => ({
  apiVersion: "batch/v1",
  kind,
  metadata: {
    name: "migrate",
    annotations: {
      "helm.sh/hook": when,
      ...(policy === undefined ? {} : { "helm.sh/hook-delete-policy": policy }),
    },
  },
});

describe("hooks", () => {
  it("are those of what is done, by the time at which they run", () => {
    const objects = [
      hook("Job", "pre-install, pre-upgrade"),
      hook("Pod", "post-upgrade,post-rollback"),
      hook("Job", "test"),
      hook("ConfigMap", "pre-upgrade"),
      { apiVersion: "batch/v1", kind: "Job", metadata: { name: "own" } },
    ];
    const times = (doing: "install" | "upgrade") => hooksOf(objects, doing).map(({ when }) => when);
    expect(times("install")).toEqual(["pre-install"]);
    expect(hooksOf(objects, "upgrade").map(runs)).toEqual([true, true, false]);
    expect(times("upgrade")).toEqual(["pre-upgrade", "post-upgrade", "pre-upgrade"]);
  });

  it("tell whether Helm deletes them when they fail", () => {
    const deleted = (policy?: string) =>
      hooksOf([hook("Job", "pre-upgrade", policy)], "upgrade")[0]?.deletedOnFailure;
    expect(deleted("before-hook-creation, hook-failed")).toBe(true);
    expect(deleted("hook-succeeded")).toBe(false);
    expect(deleted()).toBe(false);
  });
});
