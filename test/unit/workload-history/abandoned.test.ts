import { describe, expect, it } from "@jest/globals";
import { abandonedBecause, abandonment } from "../../../shared/workload-history/abandoned.ts";

describe("the mark on a revision that somebody went back from", () => {
  const keeper = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web-1", annotations: abandonment(3, "ann: it: crashed") },
  };

  it("tells why", () => {
    expect(abandonedBecause(keeper, 3)).toBe("ann: it: crashed");
  });

  it("means nothing once it was rolled out again under another number", () => {
    expect(abandonedBecause(keeper, 5)).toBeUndefined();
  });
});
