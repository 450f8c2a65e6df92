import { describe, expect, it } from "@jest/globals";
import { readLines, withConditions } from "../../../actions/rollout-wait/conditions.ts";
import { inputs } from "../../../actions/rollout-wait/inputs.ts";
import type { Demand } from "../../../shared/kubernetes/index.ts";

describe("the input resources", () => {
  it.each([
    "deployment/web",
    "shop/deployment/web, sts/db",
    "Widget.v1.example.com/blue",
    "crd/widgets.example.com",
    "apiservice/v1.metrics.k8s.io",
  ])("takes %s", (raw) => {
    expect(inputs.resources.parse(raw)).toHaveLength(raw.split(", ").length);
  });

  it.each(["web", "deployment/", "a/b/c/d", "deployment/we;b", "-n/deployment/web", "1/web"])(
    "refuses %s",
    (raw) => {
      expect(() => inputs.resources.parse(raw)).toThrow("the form is another");
    },
  );
});

describe("the input manifests", () => {
  it.each<[string, readonly object[]]>([
    ["k8s/web.yaml", [{ kind: "path", path: "k8s/web.yaml" }]],
    [
      "k8s\n\n# more\n  charts/{a,b}.yaml\r\n",
      [
        { kind: "path", path: "k8s" },
        { kind: "path", path: "charts/{a,b}.yaml" },
      ],
    ],
    [
      "kind: Pod\napiVersion: v1\n",
      [{ kind: "inline", name: "the input manifests", text: "kind: Pod\napiVersion: v1\n" }],
    ],
    [
      '[{"kind": "Pod"}]',
      [{ kind: "inline", name: "the input manifests", text: '[{"kind": "Pod"}]' }],
    ],
  ])("%j", (raw, sources) => {
    expect(inputs.manifests.parse(raw)).toEqual(sources);
  });

  it.each([
    ["https://example.com/web.yaml", "an address is not fetched here"],
    ["--help", "is no path"],
  ])("refuses %s", (raw, words) => {
    expect(() => inputs.manifests.parse(raw)).toThrow(words);
  });
});

describe("the input conditions", () => {
  it("is read line by line, in the words of kubectl wait", () => {
    const lines = readLines(
      "# mine\nwidget.example.com/blue: jsonpath={.status.phase}=Running\n\n certificate : condition=Ready ",
    );
    expect(lines.map(({ resource, demand }) => [resource, demand.text])).toEqual([
      ["widget.example.com/blue", "jsonpath={.status.phase}=Running"],
      ["certificate", "condition=Ready"],
    ]);
  });

  it.each([
    ["deployment/web", "not of the form resource: condition"],
    ["deployment/web:", "not of the form"],
    [": condition=Ready", "not of the form"],
    ["two words: condition=Ready", "not of the form"],
    ["pod/a: condition", "neither jsonpath={.path}=value nor condition=Type"],
    ["pod/a: delete", "neither"],
  ])("refuses %j", (text, words) => {
    expect(() => readLines(text)).toThrow(words);
  });
});

describe("a condition of a kind", () => {
  const demand: Demand = { kind: "condition", text: "Ready", type: "Ready", status: "True" };
  const own: Demand = { ...demand, text: "own" };
  const kind = { apiVersion: "example.com/v1", kind: "Widget" };
  const condition = { line: "widget: condition=Ready", demand, kind };

  it("is for all objects of that kind, unless they have one of their own", () => {
    const targets = [
      { ...kind, name: "a" },
      { ...kind, apiVersion: "example.com/v2", name: "b", demand: own },
      { apiVersion: "other.com/v1", kind: "Widget", name: "c" },
    ];
    const found = withConditions(targets, [condition]);
    expect(found.map((target) => target.demand?.text)).toEqual(["Ready", "own", undefined]);
  });

  it("is refused where nothing of the kind is waited for", () => {
    expect(() => withConditions([], [condition])).toThrow("A condition of nothing");
  });
});
