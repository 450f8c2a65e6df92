import { describe, expect, it } from "@jest/globals";
import {
  type Check,
  parseLatencyLimit,
  prove,
  type Reply,
  type Target,
  Unanswered,
  type Way,
} from "../../../shared/probe/index.ts";
import type { Clock } from "../../../shared/world/index.ts";

/** Time that only passes while somebody sleeps or an answer is on its way. */
class TestClock implements Clock {
  time = 0;
  now = () => this.time;
  async sleep(milliseconds: number, signal?: AbortSignal) {
    signal?.throwIfAborted();
    this.time += milliseconds;
  }
}

const PACE = { timeout: 60_000, interval: 1_000, requestTimeout: 10_000, attempts: Infinity };
const TARGET: Target = { name: "t", ways: async () => [{}], failed: async (reason) => reason };

function reply(parts: Partial<Reply> = {}): Reply {
  return { brief: "200", milliseconds: 1, reasons: [], text: "", ...parts };
}

const GOOD = reply();
const BAD = reply({ brief: "503", reasons: ["the status is 503"] });

type Serve = (n: number, way: Way) => Reply | Error;

interface Script extends Partial<Omit<Check, "ask">> {
  readonly serve: Serve;
}

async function play(scripts: readonly Script[], signal = new AbortController().signal) {
  const clock = new TestClock();
  const checks = scripts.map(({ serve, ...parts }, at): Check => {
    let n = 0;
    return {
      ...{ name: `c${at}`, kind: "http", target: TARGET, subject: "", pace: PACE },
      ...{ requests: 1, atOnce: 3, latency: [] },
      ...parts,
      async ask(way) {
        n += 1;
        clock.time += 10;
        const served = serve(n, way);
        if (served instanceof Error) throw served;
        return served;
      },
    };
  });
  const means = { clock, timeout: 60_000, signal, redact: (text: string) => text };
  return { results: await prove(checks, means), clock };
}

function trouble(
  kind: "name" | "certificate" | "refused" | "timeout",
  patience: number,
): Unanswered {
  return new Unanswered(kind, { trouble: kind, patience });
}

describe("prove", () => {
  it("passes at the first good answer", async () => {
    const { results } = await play([{ serve: () => GOOD }]);
    expect(results).toMatchObject([{ passed: true, attempts: 1, from: 0, to: 10 }]);
  });

  it("tries again until the answer is good", async () => {
    const { results } = await play([{ serve: (n) => (n < 4 ? BAD : GOOD) }]);
    expect(results).toMatchObject([{ passed: true, attempts: 4, to: 3_040 }]);
  });

  it("ends at the deadline and keeps the last answer", async () => {
    const { results, clock } = await play([{ serve: () => BAD }]);
    expect(results).toMatchObject([{ passed: false, last: { reply: { brief: "503" } } }]);
    expect(clock.time).toBeGreaterThan(58_000);
    expect(clock.time).toBeLessThanOrEqual(60_000);
  });

  it("ends at a check's own time and after its own attempts", async () => {
    const { results, clock } = await play([
      { pace: { ...PACE, timeout: 5_000 }, serve: () => BAD },
    ]);
    expect(results[0]?.passed).toBe(false);
    expect(clock.time).toBeLessThanOrEqual(5_000);
    const few = await play([{ pace: { ...PACE, attempts: 3 }, serve: () => BAD }]);
    expect(few.results).toMatchObject([{ passed: false, attempts: 3, to: 2_030 }]);
  });

  it("ends at once where waiting cannot help; the others end with their attempt", async () => {
    const { results, clock } = await play([
      { serve: () => trouble("certificate", 0) },
      { serve: () => BAD },
      { serve: () => GOOD },
    ]);
    expect(results).toMatchObject([
      { passed: false, undecided: false },
      { passed: false, undecided: true, attempts: 1 },
      { passed: true },
    ]);
    expect(clock.time).toBeLessThan(5_000);
  });

  it("has patience with a name that is not known yet, and then ends", async () => {
    const { results } = await play([{ serve: () => trouble("name", 10_000) }]);
    expect(results[0]?.to).toBeGreaterThanOrEqual(10_000);
    expect(results[0]?.to).toBeLessThan(12_000);
  });

  it("counts the patience anew when the trouble changes", async () => {
    const { results } = await play([
      { serve: (n) => (n < 15 ? trouble("refused", Infinity) : trouble("name", 10_000)) },
    ]);
    expect(results[0]?.attempts).toBeGreaterThan(20);
    expect(results[0]?.to).toBeLessThan(30_000);
  });

  it("tells the target of trouble and takes its words", async () => {
    const told: string[] = [];
    const target: Target = {
      ...TARGET,
      async failed(reason, { pod }) {
        told.push(`${reason.message} of ${pod}`);
        return new Unanswered("better words", { ...reason, trouble: "refused" });
      },
      ways: async () => [{ pod: "web-1" }],
    };
    const pace = { ...PACE, attempts: 1 };
    const serve = () => trouble("refused", Infinity);
    const { results } = await play([{ target, pace, serve }]);
    expect(told).toEqual(["refused of web-1"]);
    expect(results[0]?.last?.reasons).toEqual(["better words"]);
  });

  it("stops at a cancellation and tells how far it came", async () => {
    const work = new AbortController();
    const serve = (n: number) => {
      if (n === 3) work.abort();
      return BAD;
    };
    const { results } = await play([{ serve: () => GOOD }, { serve }], work.signal);
    expect(results).toMatchObject([{ passed: true }, { passed: false, attempts: 2 }]);
  });

  it("lets errors of ours through", async () => {
    await expect(play([{ serve: () => new TypeError("a bug") }])).rejects.toThrow("a bug");
  });
});

describe("several requests", () => {
  it("must all be answered well; the first that is not ends the attempt", async () => {
    let asked = 0;
    const serve = (n: number) => {
      asked = n;
      return n === 4 ? BAD : GOOD;
    };
    const pace = { ...PACE, attempts: 1 };
    const { results } = await play([{ requests: 100, pace, serve }]);
    expect(results[0]?.last?.reasons).toEqual(["request 4 of 100: the status is 503"]);
    expect(asked).toBeLessThan(10);
  });

  it("go on only after the first was answered", async () => {
    let asked = 0;
    const serve = () => {
      asked += 1;
      return trouble("refused", Infinity);
    };
    const pace = { ...PACE, attempts: 1 };
    const { results } = await play([{ requests: 50, pace, serve }]);
    expect(asked).toBe(1);
    expect(results[0]?.last?.reasons).toEqual(["refused"]);
  });

  it("are held to the limits of latency, the first not counted", async () => {
    const latency = [parseLatencyLimit("p95 < 30ms"), parseLatencyLimit("max < 40ms")];
    const serve = (n: number) => reply({ milliseconds: n === 1 ? 5_000 : n - 1 });
    const pace = { ...PACE, attempts: 1 };
    const { results } = await play([{ requests: 50, latency, pace, serve }]);
    expect(results[0]?.last).toMatchObject({
      answered: 51,
      latencies: { requests: 50, min: 1, median: 25, p95: 48, max: 50 },
      reasons: [
        "p95 of 50 requests took 48 ms, expected less than 30 ms",
        "the slowest of 50 requests took 50 ms, expected less than 40 ms",
      ],
    });
  });

  it("go to every way in turn, and tell whose answer was wrong", async () => {
    const ways = ["a", "b", "c"].map((pod) => ({ pod }));
    const target = { ...TARGET, ways: async () => ways };
    const pace = { ...PACE, attempts: 1 };
    const good = await play([{ target, pace, serve: () => GOOD }]);
    expect(good.results).toMatchObject([{ passed: true, pods: ["a", "b", "c"] }]);
    const serve: Serve = (_, { pod }) => (pod === "c" ? BAD : GOOD);
    const bad = await play([{ target, pace, serve }]);
    expect(bad.results[0]?.last?.reasons).toEqual(["request 3 of 3: pod c: the status is 503"]);
  });

  it("count how many answers each version gave", async () => {
    const serve = (n: number) => reply({ version: n % 3 === 0 ? "1" : "2" });
    const { results } = await play([{ requests: 9, serve }]);
    expect(results[0]?.last?.versions).toEqual({ 1: 3, 2: 6 });
  });

  it("never have more on their way than allowed", async () => {
    let running = 0;
    let most = 0;
    const ask = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return GOOD;
    };
    const check: Check = {
      ...{ name: "c", kind: "http", target: TARGET, subject: "", pace: PACE, latency: [] },
      ...{ requests: 40, atOnce: 3, ask },
    };
    const signal = new AbortController().signal;
    const means = { clock: new TestClock(), timeout: 60_000, signal, redact: (t: string) => t };
    expect(await prove([check], means)).toMatchObject([{ passed: true }]);
    expect(most).toBe(3);
  });
});

describe("the pods that answered", () => {
  it("are looked at once every answer is good, until they are right", async () => {
    const looked: string[] = [];
    let times = 0;
    const attest = async (pods: readonly string[]) => {
      looked.push(pods.join("+"));
      times += 1;
      return times < 3 ? ["pod a answered, whose container app runs another digest"] : [];
    };
    const target = { ...TARGET, ways: async () => [{ pod: "a" }, { pod: "b" }] };
    const { results } = await play([{ target, attest, serve: (n) => (n === 1 ? BAD : GOOD) }]);
    expect(results).toMatchObject([{ passed: true, attempts: 4 }]);
    expect(looked).toEqual(["a+b", "a+b", "a+b"]);
  });

  it("may be named by the answers themselves", async () => {
    const attest = async (pods: readonly string[]) => pods.map((pod) => `saw ${pod}`);
    const pace = { ...PACE, attempts: 1 };
    const serve = () => reply({ pod: "named" });
    const { results } = await play([{ attest, pace, serve }]);
    expect(results[0]?.last?.reasons).toEqual(["saw named"]);
  });
});
