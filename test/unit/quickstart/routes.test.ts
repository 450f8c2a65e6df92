import { describe, expect, it } from "@jest/globals";
import { startService } from "./service.ts";

describe("routes", () => {
  it("/ tells name, version and greeting", async () => {
    await using service = await startService({ APP_VERSION: "1.2.3", GREETING: "Fair winds" });
    const reply = await service.request("/");
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(reply.body)).toEqual({
      name: "quickstart",
      version: "1.2.3",
      greeting: "Fair winds",
    });
  });

  it("/health tells version and uptime", async () => {
    await using service = await startService({ APP_VERSION: "1.2.3" });
    const reply = await service.request("/health");
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toEqual({ status: "ok", version: "1.2.3", uptimeSeconds: 0 });
  });

  it.each([
    ["/ready", "ready"],
    ["/live", "alive"],
  ])("%s says %s", async (path, status) => {
    await using service = await startService();
    const reply = await service.request(path);
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toEqual({ status });
  });

  it("look at the path alone, not at the query", async () => {
    await using service = await startService();
    expect((await service.request("/live?verbose=1")).status).toBe(200);
  });

  it("answer 404 elsewhere", async () => {
    await using service = await startService();
    const reply = await service.request("/no/such/path");
    expect(reply.status).toBe(404);
    expect(JSON.parse(reply.body)).toMatchObject({ reason: "there is nothing at /no/such/path" });
  });

  it("answer 405 to what is no GET or HEAD", async () => {
    await using service = await startService();
    const reply = await service.request("/", { method: "DELETE" });
    expect(reply.status).toBe(405);
    expect(reply.headers.allow).toBe("GET, HEAD");
  });

  it("answer HEAD without a body", async () => {
    await using service = await startService();
    const reply = await service.request("/", { method: "HEAD" });
    expect(reply.status).toBe(200);
    expect(reply.body).toBe("");
  });
});
