import { describe, expect, it, jest } from "@jest/globals";
import { systemClock } from "../../../shared/world/index.ts";

describe("sleep", () => {
  it("rejects with the signal's own reason", async () => {
    const reason = new Error("stopped");
    await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = systemClock.sleep(60_000, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
  });

  it("gives way to others even for no time", async () => {
    const order: string[] = [];
    setImmediate(() => order.push("other"));
    await systemClock.sleep(5);
    await systemClock.sleep(0);
    expect(order).toEqual(["other"]);
  });

  it("is not cut short where it is longer than a timer can be", async () => {
    const warnings = jest.spyOn(process, "emitWarning");
    const controller = new AbortController();
    const sleeping = systemClock.sleep(2 ** 31 + 1_000, controller.signal);
    const first = await Promise.race([sleeping.then(() => "slept"), systemClock.sleep(50)]);
    expect(first).toBeUndefined();
    expect(warnings).not.toHaveBeenCalled();
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
  });
});
