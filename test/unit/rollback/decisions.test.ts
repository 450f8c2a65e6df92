import { describe, expect, it } from "@jest/globals";
import { goneBackFrom } from "../../../actions/rollback/gone-back-from.ts";
import { refuseOldSchema } from "../../../actions/rollback/migration.ts";
import { targetOf } from "../../../actions/rollback/target.ts";

describe("the target", () => {
  it.each([
    [["release/shop"], { kind: "release", name: "shop" }],
    [["helm/shop"], { kind: "release", name: "shop" }],
    [["set/shop"], { kind: "set", name: "shop" }],
    [["deployment/web"], { kind: "workloads", workloads: [{ kind: "Deployment", name: "web" }] }],
    [
      ["deploy/web", "sts/db", "ds/agent", "Deployment/web"],
      {
        kind: "workloads",
        workloads: [
          { kind: "Deployment", name: "web" },
          { kind: "StatefulSet", name: "db" },
          { kind: "DaemonSet", name: "agent" },
        ],
      },
    ],
  ])("%j", (texts, expected) => {
    expect(targetOf(texts)).toEqual(expected);
  });

  it.each([
    [["pod/web"], /pod\/web is nothing that can be rolled back/],
    [["deploymnet/web"], /Did you mean deployment\/web\?/],
    [["release/a", "release/b"], /one release, one set, or workloads/],
    [["release/a", "deployment/web"], /one release, one set, or workloads/],
  ])("%j is refused", (texts, words) => {
    expect(() => targetOf(texts)).toThrow(
      expect.objectContaining({ cause: expect.stringMatching(words) }),
    );
  });
});

describe("a data migration", () => {
  const web = (schema?: string, place: "template" | "workload" = "template") => {
    const annotations = schema === undefined ? {} : { "seaworthy.dev/data-schema": schema };
    return {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", ...(place === "workload" ? { annotations } : {}) },
      spec: { template: { metadata: place === "template" ? { annotations } : {} } },
    };
  };

  it.each([
    ["no schema at all", web(), web(), undefined, false],
    ["the same schema", web("7"), web("7"), undefined, false],
    ["an older one", web("7"), web("6"), undefined, true],
    ["an older one that names none", web("7"), web(), undefined, true],
    ["a marker that came later", web(), web("7"), undefined, false],
    ["an older one that the user accepts", web("7"), web("6"), "6", false],
    ["another than the user accepts", web("7"), web("6"), "5", true],
    ["none, which the user accepts", web("7"), web(), "none", false],
    [
      "a marker on the workload itself",
      web("7", "workload"),
      web("6", "workload"),
      undefined,
      true,
    ],
  ])("%s", (_, before, after, accepted, refused) => {
    const attempt = () => refuseOldSchema([before], [after], accepted);
    if (refused)
      expect(attempt).toThrow(expect.objectContaining({ title: "The data were migrated" }));
    else expect(attempt).not.toThrow();
  });

  it("in an object that goes away is a migration too", () => {
    expect(() => refuseOldSchema([web("7")], [], undefined)).toThrow();
  });
});

describe("a revision that somebody went back from", () => {
  const rollbacks = [
    { revision: 4, to: 2 },
    { revision: 7, to: 4 },
  ];
  it.each([
    [1, false],
    [2, false],
    [3, true],
    [4, false],
    [5, true],
    [6, true],
    [7, false],
    [8, false],
  ])("%d: %j", (revision, left) => {
    expect(goneBackFrom(revision, rollbacks) !== undefined).toBe(left);
  });
});
