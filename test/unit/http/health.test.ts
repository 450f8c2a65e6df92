import { describe, expect, it } from "@jest/globals";
import { healthMismatches, parsePreset } from "../../../shared/http/index.ts";

describe("the answer of a health endpoint", () => {
  it.each([
    "",
    "ok",
    "OK",
    "Healthy",
    "pong",
    '{"status":"ok"}',
    '{"status":"UP","components":{"db":{"status":"UP"}}}',
    '{"status":"healthy"}',
    '{"status":"pass"}',
    '{"status":"warn"}',
    '{"status":"degraded"}',
    '{"status":200}',
    '{"ready":true}',
    "[]",
    "null",
    '"ok"',
    "<p>ok</p>",
  ])("%s speaks of good health", (body) => {
    expect(healthMismatches({ status: 200, body })).toEqual([]);
  });

  it.each([
    "unhealthy",
    "not ready",
    "DOWN\n",
    '{"status":"DOWN"}',
    '{"status":"fail"}',
    '{"status":"unhealthy"}',
    '{"status":"OUT_OF_SERVICE"}',
    '{"state":"starting"}',
    '{"healthy":false}',
    '{"ok":false}',
    "<!DOCTYPE html><html></html>",
    "\n <html lang=en>",
  ])("%s does not", (body) => {
    expect(healthMismatches({ status: 200, body })).toHaveLength(1);
  });

  it("is not read where the status says all", () => {
    expect(healthMismatches({ status: 503, body: "down" })).toEqual([]);
  });
});

it("presets are known by their names, with a slash or without", () => {
  expect(["health", "/ready", "live"].map(parsePreset)).toEqual(["health", "ready", "live"]);
  expect(() => parsePreset("/healthz")).toThrow(/did you mean health\?/);
  expect(() => parsePreset("toString")).toThrow(/known are health, ready, live/);
});
