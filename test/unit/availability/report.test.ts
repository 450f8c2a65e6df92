import { describe, expect, it } from "@jest/globals";
import { readyIn } from "../../../shared/availability/endpoints.ts";
import { minimumOf, sentence } from "../../../shared/availability/index.ts";
import { reportOf, type Watched } from "../../../shared/availability/report.ts";
import {
  budgets,
  type DisruptionBudget,
  requirementOf,
} from "../../../shared/availability/requirement.ts";

const budget = (
  desiredHealthy: number,
  selector: object = { matchLabels: { app: "web" } },
): DisruptionBudget => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: `wants-${desiredHealthy}` },
  spec: { selector },
  status: { desiredHealthy },
});

describe("what is needed", () => {
  it.each([
    ["the given number, before any budget", { count: 3 }, [budget(2)], 5, 3],
    ["a share of those at the beginning, rounded up", { percent: 80 }, [], 4, 4],
    ["half of five is three", { percent: 50 }, [], 5, 3],
    ["the strictest budget", undefined, [budget(1), budget(2)], 5, 2],
    ["a budget that wants none", undefined, [budget(0)], 5, 1],
    ["somebody who answers", undefined, [], 5, 1],
  ])("%s", (_, minimum, found, before, required) => {
    expect(requirementOf(minimum, found, before).required).toBe(required);
  });

  it.each([
    ["labels that match", { matchLabels: { app: "web" } }, true],
    ["another label", { matchLabels: { app: "db" } }, false],
    ["In", { matchExpressions: [{ key: "app", operator: "In", values: ["web", "api"] }] }, true],
    ["NotIn", { matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }] }, false],
    ["Exists", { matchExpressions: [{ key: "tier", operator: "Exists" }] }, false],
    ["DoesNotExist", { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] }, true],
    ["all pods", {}, true],
  ])("a budget of %s", (_, selector, expected) => {
    expect(budgets(budget(1, selector), { app: "web" })).toBe(expected);
  });

  it("a budget without a selector counts no pods", () => {
    expect(budgets({ ...budget(1), spec: {} }, { app: "web" })).toBe(false);
  });
});

describe("a minimum", () => {
  it.each([
    ["2", { count: 2 }],
    ["80%", { percent: 80 }],
    ["100%", { percent: 100 }],
    ["101%", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["", undefined],
  ])("%s", (text, expected) => {
    expect(minimumOf(text)).toEqual(expected);
  });
});

describe("ready endpoints", () => {
  const slice = (...endpoints: object[]) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web-1" },
    endpoints,
  });
  const pod = (uid: string, ready?: boolean | null) => ({
    addresses: ["10.0.0.1"],
    conditions: { ready },
    targetRef: { uid },
  });

  it.each([
    ["those that are ready", [slice(pod("a", true), pod("b", false))], 1],
    ["one of both families once", [slice(pod("a", true)), slice(pod("a", true))], 1],
    ["one of unknown readiness", [slice(pod("a", null))], 1],
    ["one that is no pod", [slice({ addresses: ["10.0.0.9"] })], 1],
    ["none at all", [{ ...slice(), endpoints: null }], 0],
  ])("%s", (_, slices, count) => {
    expect(readyIn(slices)).toBe(count);
  });
});

describe("the report", () => {
  const web = (...counts: number[]): Watched => ({
    service: "web",
    namespace: "shop",
    required: 2,
    why: "PodDisruptionBudget web",
    readings: counts.map((ready, index) => ({ at: index * 1_000, ready })),
  });

  it("tells a lapse, and how long it was", () => {
    const report = reportOf([web(3, 1, 3)], [], [], 9_000);
    expect(report).toMatchObject({ hurt: "yes", affectedSeconds: 1 });
    expect(report.services[0]).toMatchObject({ before: 3, lowest: 1, after: 3, hurt: true });
    expect(sentence(report)).toBe(
      "Users were hurt for 1 s: web had 1 of 2 needed ready endpoints (PodDisruptionBudget web).",
    );
  });

  it("says so when all went well", () => {
    const report = reportOf([web(3, 2, 3)], [], [], 9_000);
    expect(report.hurt).toBe("no");
    expect(sentence(report)).toContain("web never had fewer than 2 ready endpoints (2 needed)");
  });

  it.each([
    ["when it could not look", [web(3)], [{ from: 0, to: 500 }], [], "nothing could be seen"],
    ["when it may not look", [], [], ["403: list services"], "403: list services"],
    ["when there is nothing to look at", [], [], [], "no Service selects these pods"],
  ])("does not claim to know %s", (_, watched, blind, notes, words) => {
    const report = reportOf(watched, blind, notes, 9_000);
    expect(report.hurt).toBe("unknown");
    expect(sentence(report)).toContain(words);
  });

  it("a lapse that was seen counts although later nothing could be", () => {
    expect(reportOf([web(3, 0)], [{ from: 2_000, to: undefined }], [], 9_000).hurt).toBe("yes");
  });
});
