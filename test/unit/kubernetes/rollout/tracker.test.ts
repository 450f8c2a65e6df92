import { describe, expect, it } from "@jest/globals";
import { GRACES } from "../../../../shared/kubernetes/index.ts";
import { type Seen, Tracker } from "../../../../shared/kubernetes/rollout/tracker.ts";
import { NOW, sight } from "../objects.ts";
import { object } from "../verdict/verdict-table.ts";

const target = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  namespace: "shop",
  name: "data",
};
const claim = object("v1", "PersistentVolumeClaim", { status: { phase: "Bound" } });
const here: Seen = {
  object: claim,
  around: { pods: [], replicaSets: [], revisions: [], others: () => [] },
};
const away = (names: readonly string[] = [], noSuchKind?: string): Seen => ({
  object: undefined,
  others: () => names,
  noSuchKind,
  unreadable: undefined,
});
const after = (seconds: number) => sight({ now: NOW + seconds * 1_000 });
const inTime = GRACES.absent / 1_000 - 1;
const late = GRACES.absent / 1_000;

/** What a tracker says that sees this at these seconds. */
function told(...looks: readonly [seconds: number, seen: Seen][]): (string | undefined)[] {
  const tracker = new Tracker(target);
  return looks.map(([seconds, seen]) => tracker.look(seen, after(seconds)));
}

describe("an object that is awaited", () => {
  it("and does not exist is waited for a little, then failed, with both possibilities", () => {
    const nearly = away(["date", "logs"]);
    const [first, second, third] = told([0, nearly], [inTime, nearly], [late, nearly]);
    expect(first).toMatch(/^in trouble: it does not exist in namespace shop: it is late, or/);
    expect(first).toContain("did you mean date?");
    expect(second).toBeUndefined();
    expect(third).toMatch(/^failed: it does not exist/);
  });

  it("and does not exist is told with what there is where no name is near", () => {
    expect(told([0, away(["logs", "backup"])])[0]).toContain("there are logs, backup");
    expect(told([0, away()])[0]).toContain("there is none of its kind there");
  });

  it("and comes late is as good as any", () => {
    expect(told([0, away()], [inTime, here])[1]).toBe("ready");
  });

  it("and was seen, and disappears, has failed unless it is made anew", () => {
    const [, gone, back] = told([0, here], [1, away()], [2, here]);
    expect(gone).toContain("it was deleted in namespace shop while it was waited for");
    expect(back).toBe("ready");
    const failed = told([0, here], [1, away()], [1 + late, away()])[2];
    expect(failed).toMatch(/^failed: it was deleted/);
  });

  it("and is of a kind that nobody serves, says that", () => {
    const unknown = away([], "example.com/v1 holds no kind Widget");
    expect(told([0, unknown], [late, unknown])[1]).toBe(
      "failed: the cluster does not know its kind: example.com/v1 holds no kind Widget",
    );
  });

  it("and may not be read, and can be done without, is told as not checked", () => {
    const hidden = { object: undefined, others: () => [], noSuchKind: undefined };
    expect(told([0, { ...hidden, unreadable: "ci may not list widgets" }])[0]).toBe(
      "ready; not checked, for it may not be read: ci may not list widgets",
    );
  });

  it("is called by more where it must be", () => {
    expect(new Tracker(target, "shop/persistentvolumeclaim/data").report().resource).toBe(
      "shop/persistentvolumeclaim/data",
    );
  });
});
