import { describe, expect, it } from "@jest/globals";
import { SharedWork } from "../../../shared/kubernetes/shared-work.ts";

function counted() {
  let runs = 0;
  const endings: PromiseWithResolvers<string>[] = [];
  const signals: AbortSignal[] = [];
  const work = new SharedWork((signal) => {
    runs += 1;
    signals.push(signal);
    const ending = Promise.withResolvers<string>();
    endings.push(ending);
    return ending.promise;
  });
  return { work, endings, signals, runs: () => runs };
}

const never = () => new AbortController().signal;

describe("work that several wait for", () => {
  it("is done once for all, and anew for those who come later", async () => {
    const { work, endings, runs } = counted();
    const both = [work.join(never()), work.join(never())];
    endings[0]?.resolve("done");
    expect(await Promise.all(both)).toEqual(["done", "done"]);
    const later = work.join(never());
    endings[1]?.resolve("again");
    expect(await later).toBe("again");
    expect(runs()).toBe(2);
  });

  it("goes on while one waits, and is broken off when none does", async () => {
    const { work, endings, signals } = counted();
    const stop = new AbortController();
    const impatient = work.join(stop.signal);
    const patient = work.join(never());
    stop.abort(new Error("no time"));
    await expect(impatient).rejects.toThrow("no time");
    expect(signals[0]?.aborted).toBe(false);
    endings[0]?.resolve("done");
    expect(await patient).toBe("done");
    const alone = new AbortController();
    const left = work.join(alone.signal);
    alone.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    expect(signals[1]?.aborted).toBe(true);
  });

  it("fails for all who wait, and is tried anew by the next", async () => {
    const { work, endings, runs } = counted();
    const both = [work.join(never()), work.join(never())];
    endings[0]?.reject(new Error("broken"));
    for (const one of both) await expect(one).rejects.toThrow("broken");
    void work.join(never()).catch(() => undefined);
    expect(runs()).toBe(2);
  });
});
