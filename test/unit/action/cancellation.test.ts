import { describe, expect, it, jest } from "@jest/globals";
import {
  AFTERMATH_MS,
  Cancelled,
  listenForCancellation,
} from "../../../shared/action/cancellation.ts";
import { UserError } from "../../../shared/failure/index.ts";

describe("cancellation", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s aborts the work, and 5 s later the aftermath",
    (name) => {
      jest.useFakeTimers();
      try {
        using cancellation = listenForCancellation();
        expect(cancellation.signal.aborted).toBe(false);
        process.emit(name, name);
        expect(cancellation.signal.reason).toBeInstanceOf(Cancelled);
        jest.advanceTimersByTime(AFTERMATH_MS - 1);
        expect(cancellation.aftermath.aborted).toBe(false);
        // The runner's second signal does not prolong it.
        process.emit("SIGTERM", "SIGTERM");
        jest.advanceTimersByTime(1);
        expect(cancellation.aftermath.aborted).toBe(true);
      } finally {
        jest.useRealTimers();
      }
    },
  );

  it("keeps the first reason", () => {
    using cancellation = listenForCancellation();
    const reason = new UserError({ title: "a", cause: "b", remedy: "c" });
    cancellation.stop(reason);
    process.emit("SIGINT", "SIGINT");
    expect(cancellation.signal.reason).toBe(reason);
  });

  it("takes its listeners away", () => {
    const before = process.listenerCount("SIGINT");
    listenForCancellation()[Symbol.dispose]();
    expect(process.listenerCount("SIGINT")).toBe(before);
  });
});
