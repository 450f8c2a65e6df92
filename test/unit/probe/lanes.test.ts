import { describe, expect, it } from "@jest/globals";
import { lanes } from "../../../shared/probe/lanes.ts";

/** Works that end when they are told to. */
function works() {
  const running: (() => void)[] = [];
  const work = () => new Promise<void>((end) => running.push(end));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { running, work, settle };
}

describe("lanes", () => {
  it("lets no more run than there are lanes, also of those that come late", async () => {
    const { running, work, settle } = works();
    const lane = lanes(2);
    const all = [1, 2, 3].map(() => lane(work));
    await settle();
    expect(running).toHaveLength(2);
    running.shift()?.();
    await settle();
    all.push(lane(work));
    await settle();
    expect(running).toHaveLength(2);
    while (running.length > 0) {
      running.shift()?.();
      await settle();
    }
    await Promise.all(all);
  });

  it("lets a wide work run alone, and those after it wait", async () => {
    const { running, work, settle } = works();
    const lane = lanes(2);
    const all = [lane(work), lane(work, 2), lane(work)];
    await settle();
    expect(running).toHaveLength(1);
    running.shift()?.();
    await settle();
    expect(running).toHaveLength(1);
    running.shift()?.();
    await settle();
    expect(running).toHaveLength(1);
    running.shift()?.();
    await Promise.all(all);
  });

  it("frees the lane of a work that failed", async () => {
    const lane = lanes(1);
    await expect(lane(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(lane(async () => "next")).resolves.toBe("next");
  });
});
