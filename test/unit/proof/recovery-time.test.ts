import { describe, expect, it } from "@jest/globals";
import { recoveryTime } from "../../../shared/proof/index.ts";

const DAY = 86_400_000;
const grown = [1, 2, 3].map((n) => ({ taken: n * DAY, bytes: n * 1e9, restoreSeconds: n * 100 }));

describe("the time to recover", () => {
  it("is a doubt where it is longer than its objective", () => {
    const { findings } = recoveryTime(300, 200, grown);
    expect(findings).toMatchObject([
      { weight: "doubt", expected: "at most 3 min 20 s", found: "5 min" },
    ]);
  });

  it("is a doubt where an objective is given and nothing was restored", () => {
    expect(recoveryTime(undefined, 200, grown).findings).toMatchObject([{ weight: "doubt" }]);
    expect(recoveryTime(undefined, undefined, grown).findings).toEqual([]);
  });

  it("is a note where the objective will soon be too short", () => {
    const { findings, outlook } = recoveryTime(300, 1_000, grown);
    expect(findings).toMatchObject([{ weight: "note" }]);
    expect(outlook).toBe(
      "At twice the size a restore takes some 10 min. At this growth it reaches its objective in 7 days.",
    );
  });

  it("is nothing to speak of within its objective", () => {
    expect(recoveryTime(300, 86_400, grown).findings).toEqual([]);
    expect(recoveryTime(300, undefined, []).outlook).toBeUndefined();
  });
});
