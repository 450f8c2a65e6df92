import { describe, expect, it } from "@jest/globals";
import {
  type Answer,
  type Check,
  type Client,
  parseStatusSet,
  prove,
  type Target,
  Unanswered,
  urlTarget,
} from "../../../shared/http/index.ts";
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

const PACE = { timeout: 60_000, interval: 1_000, requestTimeout: 10_000 };
const TARGET = urlTarget(new URL("http://a.test/base/"));

function check(name: string): Check {
  const any = { contains: [], matches: [] };
  const expectation = { status: parseStatusSet("2xx"), headers: {}, body: any, json: [] };
  return {
    name,
    method: "GET",
    path: `/${name}`,
    headers: {},
    followRedirects: false,
    expectation,
  };
}

function answer(status: number): Answer {
  return {
    status,
    headers: {},
    body: "",
    bodyBytes: 0,
    complete: true,
    truncated: false,
    milliseconds: 1,
  };
}

interface Script {
  readonly checks?: readonly Check[];
  readonly target?: Target;
  readonly signal?: AbortSignal;
  /** What the server does at the n-th request of a path; each takes 10 ms. */
  readonly serve: (path: string, n: number) => Answer | Error;
}

async function play({ checks = [check("a")], target = TARGET, signal, serve }: Script) {
  const clock = new TestClock();
  const counts = new Map<string, number>();
  const client: Client = {
    async send({ url }) {
      const n = (counts.get(url.pathname) ?? 0) + 1;
      counts.set(url.pathname, n);
      clock.time += 10;
      const served = serve(url.pathname, n);
      if (served instanceof Error) throw served;
      return served;
    },
    close: async () => {},
  };
  const means = {
    client,
    clock,
    signal: signal ?? new AbortController().signal,
    redact: (text: string) => text,
  };
  return { results: await prove(checks, target, PACE, means), clock, counts };
}

function trouble(kind: "name" | "certificate" | "refused", patience: number): Unanswered {
  return new Unanswered(kind, { trouble: kind, patience });
}

describe("prove", () => {
  it("passes at the first good answer, at the base URL's path", async () => {
    const { results, counts } = await play({ serve: () => answer(200) });
    expect(results[0]).toMatchObject({ passed: true, attempts: 1, milliseconds: 10 });
    expect([...counts]).toEqual([["/base/a", 1]]);
  });

  it("tries again until the answer is good", async () => {
    const { results } = await play({ serve: (_, n) => answer(n < 4 ? 404 : 200) });
    expect(results[0]).toMatchObject({ passed: true, attempts: 4, milliseconds: 3_040 });
  });

  it("ends at the deadline and keeps the last answer", async () => {
    const { results, clock } = await play({ serve: () => answer(503) });
    expect(results[0]).toMatchObject({ passed: false, last: { answer: { status: 503 } } });
    expect(clock.time).toBeGreaterThan(58_000);
    expect(clock.time).toBeLessThanOrEqual(60_000);
  });

  it("ends at once where waiting cannot help, for every check", async () => {
    const { results, clock } = await play({
      checks: ["a", "b", "c", "d", "e", "f"].map(check),
      serve: () => trouble("certificate", 0),
    });
    expect(results.every(({ passed }) => !passed)).toBe(true);
    expect(clock.time).toBeLessThan(1_000);
  });

  it("gives up the others too where one shows that waiting cannot help", async () => {
    const { results, clock } = await play({
      checks: [check("a"), check("b")],
      serve: (path) => (path.endsWith("a") ? trouble("certificate", 0) : answer(503)),
    });
    expect(results.map(({ passed }) => passed)).toEqual([false, false]);
    expect(clock.time).toBeLessThan(5_000);
  });

  it("has patience with a name that is not known yet, and then ends", async () => {
    const { results } = await play({ serve: () => trouble("name", 10_000) });
    expect(results[0]?.milliseconds).toBeGreaterThanOrEqual(10_000);
    expect(results[0]?.milliseconds).toBeLessThan(12_000);
  });

  it("counts the patience anew when the trouble changes", async () => {
    const { results } = await play({
      serve: (_, n) => (n < 15 ? trouble("refused", Infinity) : trouble("name", 10_000)),
    });
    expect(results[0]?.attempts).toBeGreaterThan(20);
    expect(results[0]?.milliseconds).toBeLessThan(30_000);
  });

  it("lets a check that passed stand when another one does not", async () => {
    const { results, counts } = await play({
      checks: [check("a"), check("b")],
      serve: (path) => answer(path.endsWith("a") ? 200 : 500),
    });
    expect(results.map(({ passed }) => passed)).toEqual([true, false]);
    expect(counts.get("/base/a")).toBe(1);
  });

  it("tells the target of trouble and takes its words", async () => {
    const told: string[] = [];
    const target: Target = {
      ...TARGET,
      async failed(reason) {
        told.push(reason.message);
        return new Unanswered("better words", { ...reason, trouble: "refused" });
      },
    };
    const { results } = await play({
      target,
      serve: (_, n) => (n === 1 ? trouble("refused", Infinity) : answer(500)),
    });
    expect(told).toEqual(["refused"]);
    expect(results[0]?.attempts).toBeGreaterThan(1);
  });

  it("stops at a cancellation and tells how far it came", async () => {
    const work = new AbortController();
    const { results } = await play({
      checks: [check("a"), check("b")],
      signal: work.signal,
      serve: (path, n) => {
        if (n === 3) work.abort();
        return answer(path.endsWith("a") ? 200 : 500);
      },
    });
    expect(results).toMatchObject([{ passed: true }, { passed: false, attempts: 3 }]);
  });

  it("lets errors of ours through", async () => {
    await expect(play({ serve: () => new TypeError("a bug") })).rejects.toThrow("a bug");
  });

  it("sends at most four requests at a time", async () => {
    let running = 0;
    let most = 0;
    const client: Client = {
      async send() {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return answer(200);
      },
      close: async () => {},
    };
    const checks = Array.from({ length: 20 }, (_, index) => check(`c${index}`));
    const signal = new AbortController().signal;
    const means = { client, clock: new TestClock(), signal, redact: (text: string) => text };
    const results = await prove(checks, TARGET, PACE, means);
    expect(results.every(({ passed }) => passed)).toBe(true);
    expect(most).toBe(4);
  });
});
