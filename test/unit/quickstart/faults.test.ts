import { describe, expect, it } from "@jest/globals";
import {
  describeFaults,
  failsByChance,
  NOT_READY_REASON,
} from "../../../examples/quickstart/src/faults.ts";
import { readSettings } from "../../../examples/quickstart/src/settings.ts";
import { startService } from "./service.ts";

const NONE = readSettings({}).faults;

describe("the error rate", () => {
  it.each([
    [0, 0, false],
    [0.2, 0.19, true],
    [0.2, 0.2, false],
    [1, 0.9999, true],
  ])("%d with the dice at %d: %s", (errorRate, dice, fails) => {
    expect(failsByChance({ ...NONE, errorRate }, () => dice)).toBe(fails);
  });

  it("spares probes and metrics, so that Kubernetes sees a healthy pod", async () => {
    await using service = await startService({ FAULT_ERROR_RATE: "1" });
    const statuses: Record<string, number> = {};
    for (const path of ["/", "/health", "/ready", "/live", "/metrics"]) {
      statuses[path] = (await service.request(path)).status;
    }
    expect(statuses).toEqual({
      "/": 500,
      "/health": 500,
      "/ready": 200,
      "/live": 200,
      "/metrics": 200,
    });
  });

  it("says in the answer that it was asked for", async () => {
    await using service = await startService({ FAULT_ERROR_RATE: "1" });
    expect((await service.request("/")).body).toContain("FAULT_ERROR_RATE");
  });
});

describe("the latency fault", () => {
  it("delays answers, but no probes", async () => {
    await using service = await startService({ FAULT_LATENCY_MS: "200" });
    const startedAt = performance.now();
    const answered: string[] = [];
    const ask = async (path: string) => {
      expect((await service.request(path)).status).toBe(200);
      answered.push(path);
    };
    await Promise.all([ask("/"), ask("/live")]);
    expect(answered).toEqual(["/live", "/"]);
    expect(performance.now() - startedAt).toBeGreaterThan(195);
  });
});

describe("the readiness fault", () => {
  it("gives its reason, while the service lives and answers", async () => {
    await using service = await startService({ FAULT_READINESS: "true" });
    const reply = await service.request("/ready");
    expect(reply.status).toBe(503);
    expect(JSON.parse(reply.body)).toEqual({ status: "not ready", reason: NOT_READY_REASON });
    expect((await service.request("/live")).status).toBe(200);
    expect((await service.request("/")).status).toBe(200);
  });
});

describe("the log", () => {
  it("names the switches that are on", () => {
    expect(describeFaults(NONE)).toEqual([]);
    expect(describeFaults({ ...NONE, errorRate: 0.3, latencyMs: 20, readiness: true })).toEqual([
      "fault: requests will fail at a rate of 0.3 (FAULT_ERROR_RATE)",
      "fault: answers will take 20 ms longer (FAULT_LATENCY_MS)",
      `fault: not ready: ${NOT_READY_REASON}`,
    ]);
  });
});
