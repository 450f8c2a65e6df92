import { describe, expect, it } from "@jest/globals";
import { workloadsOf } from "../../../shared/workload/index.ts";
import { proofOf, type RunningPod } from "../../../shared/workload/running-images.ts";

const [NEW, OLD] = ["a", "b"].map((sign) => `sha256:${sign.repeat(64)}`) as [string, string];
const IMAGE = { service: "web", repository: "r/web", digest: NEW };

function workload(spec: object, pod: object) {
  const [found] = workloadsOf(
    [
      {
        apiVersion: "apps/v1",
        kind: "StatefulSet",
        metadata: { name: "web" },
        spec: { ...spec, template: { spec: pod } },
      } as never,
    ],
    "shop",
  );
  if (found === undefined) throw new Error("no workload");
  return found;
}

function pod(spec: object): RunningPod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "web-0" }, spec } as RunningPod;
}

const main = (digest: string) => ({ containers: [{ name: "web", image: `r/web@${digest}` }] });
const init = (digest: string) => ({
  containers: [{ name: "app", image: "other" }],
  initContainers: [{ name: "migrate", image: `r/web@${digest}` }],
});

describe("the proof of what pods run", () => {
  it.each<[string, object, object, object, string]>([
    ["by digest", {}, main(NEW), main(NEW), "proved"],
    ["another digest", {}, main(NEW), main(OLD), "wrong"],
    ["an init container alone", {}, init(NEW), init(NEW), "proved"],
    ["an init container of another digest", {}, init(NEW), init(OLD), "wrong"],
    [
      "a pod that OnDelete leaves",
      { updateStrategy: { type: "OnDelete" } },
      main(NEW),
      main(OLD),
      "not-checked",
    ],
    [
      "a pod below the partition",
      { updateStrategy: { rollingUpdate: { partition: 1 } } },
      main(NEW),
      main(OLD),
      "not-checked",
    ],
  ])("of %s", (_, spec, wanted, running, verdict) => {
    const proof = proofOf(IMAGE, [{ workload: workload(spec, wanted), pods: [pod(running)] }]);
    expect(proof.verdict).toBe(verdict);
    if (verdict !== "proved") expect(proof.detail).toContain(OLD);
  });
});
