import { describe, expect, it } from "@jest/globals";
import { statesAt, type WorkloadChange } from "../../../shared/workload-images/index.ts";

function change(name: string, before: string, after: string): WorkloadChange {
  return {
    ref: { apiVersion: "apps/v1", kind: "Deployment", namespace: "shop", name },
    uid: name,
    before: { images: { main: before }, changeCause: null },
    after: { images: { main: after }, changeCause: after },
  };
}

describe("what workloads were at a revision", () => {
  const history = [
    { revision: 3, changes: [change("a", "a0", "a3")] },
    { revision: 4, changes: [change("a", "a3", "a4"), change("b", "b0", "b4")] },
    { revision: 7, changes: [change("b", "b4", "b7")] },
  ];
  it.each<[number, Record<string, string>]>([
    [2, { a: "a0", b: "b0" }],
    [3, { a: "a3", b: "b0" }],
    [4, { a: "a4", b: "b4" }],
    [7, { a: "a4", b: "b7" }],
  ])("%d", (revision, expected) => {
    const states = statesAt(history, revision);
    expect(
      Object.fromEntries(states.map(({ ref, after }) => [ref.name, after.images.main])),
    ).toEqual(expected);
  });

  it("keeps containers apart", () => {
    const one = change("a", "x0", "x1");
    const other = {
      ...one,
      before: { images: { side: "y0" }, changeCause: null },
      after: { images: { side: "y2" }, changeCause: null },
    };
    const [state] = statesAt(
      [
        { revision: 1, changes: [one] },
        { revision: 2, changes: [other] },
      ],
      1,
    );
    expect(state?.after.images).toEqual({ main: "x1", side: "y0" });
  });
});
