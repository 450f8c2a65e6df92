import { describe, expect, it } from "@jest/globals";
import { duration, plainReporter, remaining } from "../../testbed/progress.ts";

describe("the time left", () => {
  const steps = (...done: number[]) => done.map((d) => ({ name: "s", seconds: 100, done: d }));

  it("is the usual time before anything is known of this machine", () => {
    expect(remaining(steps(0, 0), 0)).toBe(200);
  });

  it("is nothing when all is done", () => {
    expect(remaining(steps(1, 1), 500)).toBe(0);
  });

  it("grows on a machine that is slower than usual, and shrinks on a faster one", () => {
    expect(remaining(steps(0.5, 0), 100)).toBeGreaterThan(150);
    expect(remaining(steps(0.5, 0), 10)).toBeLessThan(150);
    expect(remaining(steps(0.5, 0), 50)).toBe(150);
  });

  it("does not count a step that overruns as more than done", () => {
    expect(remaining(steps(3, 1), 400)).toBe(0);
  });
});

describe("a duration", () => {
  it.each([
    [0.4, "0s"],
    [45, "45s"],
    [59.6, "1m00s"],
    [130, "2m10s"],
    [3600, "60m00s"],
  ])("of %d seconds reads %s", (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });
});

describe("news as plain lines", () => {
  it("repeat what is under way at most every 15 seconds, and drop no result", () => {
    let now = 0;
    const lines: string[] = [];
    const reporter = plainReporter(
      (line) => lines.push(line),
      () => now,
    );
    for (; now <= 31_000; now += 1000) reporter.progress(`at ${now / 1000}`);
    reporter.line("built");
    expect(lines).toEqual(["at 0", "at 15", "at 30", "built"]);
  });
});
