import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { startService, type TestService } from "./service.ts";

describe("metrics", () => {
  it("count requests by method, route and status", async () => {
    await using service = await startService({ FAULT_ERROR_RATE: "0.5" }, alternating(0.9, 0.1));
    await service.request("/");
    await service.request("/");
    await service.request("/", { method: "HEAD" });
    expect(await counts(service)).toEqual([
      'http_requests_total{method="GET",route="/",status="200"} 1',
      'http_requests_total{method="GET",route="/",status="500"} 1',
      'http_requests_total{method="HEAD",route="/",status="200"} 1',
    ]);
  });

  it("put whatever strangers try under one label", async () => {
    await using service = await startService();
    for (const path of ["/wp-admin", "/.env", "/?x=1", "/1", "/2"]) {
      await service.request(path);
    }
    await service.request("/", { method: "PROPFIND" });
    expect(await counts(service)).toEqual([
      'http_requests_total{method="GET",route="other",status="404"} 4',
      'http_requests_total{method="GET",route="/",status="200"} 1',
      'http_requests_total{method="other",route="/",status="405"} 1',
    ]);
  });

  it("measure how long an answer takes", async () => {
    await using service = await startService({ FAULT_LATENCY_MS: "60" });
    await service.request("/");
    const lines = (await service.request("/metrics")).body.split("\n");
    const series =
      'http_request_duration_seconds_bucket{le="LE",method="GET",route="/",status="200"}';
    expect(lines).toContain(`${series.replace("LE", "0.05")} 0`);
    expect(lines).toContain(`${series.replace("LE", "10")} 1`);
  });

  it("count a client that left before its answer", async () => {
    await using service = await startService({ FAULT_LATENCY_MS: "1000" });
    await expect(service.request("/", { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    // The service hears of it a moment later.
    await sleep(50);
    expect(await counts(service)).toContain(
      'http_requests_total{method="GET",route="/",status="499"} 1',
    );
  });

  it("tell the version, and the process's own figures", async () => {
    await using service = await startService({ APP_VERSION: "1.2.3" });
    const reply = await service.request("/metrics");
    expect(reply.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(reply.body).toContain('app_info{name="quickstart",version="1.2.3"} 1\n');
    expect(reply.body).toMatch(/^process_resident_memory_bytes \d+$/m);
  });
});

async function counts(service: TestService): Promise<string[]> {
  const { body } = await service.request("/metrics");
  return body.split("\n").filter((line) => line.startsWith("http_requests_total{"));
}

function alternating(...values: number[]): () => number {
  let next = 0;
  return () => values[next++ % values.length] ?? 0;
}
