import { describe, expect, it } from "@jest/globals";
import { servedOf, servedOfLists } from "../../../shared/kubernetes/discovery.ts";
import { warningsOf } from "../../../shared/kubernetes/transport.ts";

const kind = (name: string, plural: string) => ({
  resource: plural,
  responseKind: { kind: name },
  scope: "Namespaced",
  singularResource: "",
});

describe("the kinds that a server serves", () => {
  it("are read from the aggregated form, the first version of a group preferred", () => {
    const { resources, unavailable } = servedOf([
      {
        kind: "APIGroupDiscoveryList",
        items: [
          { metadata: {}, versions: [{ version: "v1", resources: [kind("Pod", "pods")] }] },
          {
            metadata: { name: "example.com" },
            versions: [
              { version: "v2", resources: [kind("Widget", "widgets")] },
              { version: "v1", resources: [kind("Widget", "widgets"), kind("Old", "olds")] },
            ],
          },
          {
            metadata: { name: "metrics.k8s.io" },
            versions: [{ version: "v1", freshness: "Stale" }],
          },
        ],
      },
    ]);
    expect(
      resources.map(({ apiVersion, plural, preferred }) => [apiVersion, plural, preferred]),
    ).toEqual([
      ["v1", "pods", true],
      ["example.com/v2", "widgets", true],
      ["example.com/v1", "widgets", false],
      ["example.com/v1", "olds", true],
    ]);
    expect(unavailable).toEqual(["metrics.k8s.io/v1"]);
  });

  it("are read from the older form, subresources with what they belong to", () => {
    const lists = new Map([
      [
        "apps/v1",
        [
          { name: "deployments", kind: "Deployment", namespaced: true, singularName: "deployment" },
          { name: "deployments/scale", kind: "Scale", namespaced: true },
        ],
      ],
      ["metrics.k8s.io/v1", undefined],
    ]);
    const { resources, unavailable } = servedOfLists(lists);
    expect(resources).toMatchObject([
      { apiVersion: "apps/v1", group: "apps", version: "v1", subresources: ["scale"] },
    ]);
    expect(unavailable).toEqual(["metrics.k8s.io/v1"]);
  });
});

describe("warnings of the API server", () => {
  it.each([
    [undefined, []],
    ['299 - "unknown field \\"dta\\""', ['unknown field "dta"']],
    ['299 - "one, with a comma", 299 - "two"', ["one, with a comma", "two"]],
    [
      ['299 - "one"', '299 kube "two"'],
      ["one", "two"],
    ],
    ["nonsense", []],
  ])("are read from %j", (header, words) => {
    expect(warningsOf(header)).toEqual(words);
  });
});
