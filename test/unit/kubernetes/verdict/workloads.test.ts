import { describe, expect, it } from "@jest/globals";
import { isSelected } from "../../../../shared/kubernetes/verdict/workloads.ts";

describe("a label selector", () => {
  const labels = { app: "web", tier: "front" };
  const by = (key: string, operator: string, ...values: readonly string[]) => ({
    matchExpressions: [{ key, operator, values }],
  });
  it.each([
    [{}, true],
    [{ matchLabels: { app: "web" } }, true],
    [{ matchLabels: { app: "web", tier: "back" } }, false],
    [by("app", "In", "web", "api"), true],
    [by("app", "In", "api"), false],
    [by("zone", "In", "a"), false],
    [by("app", "NotIn", "api"), true],
    [by("app", "NotIn", "web"), false],
    [by("zone", "NotIn", "a"), true],
    [by("app", "Exists"), true],
    [by("zone", "Exists"), false],
    [by("zone", "DoesNotExist"), true],
    [by("app", "DoesNotExist"), false],
  ])("%j: %s", (selector, selected) => {
    expect(isSelected(labels, selector)).toBe(selected);
  });
});
