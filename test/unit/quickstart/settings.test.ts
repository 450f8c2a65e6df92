import { describe, expect, it } from "@jest/globals";
import { readSettings, SettingsError } from "../../../examples/quickstart/src/settings.ts";

describe("settings", () => {
  it("need nothing to be set", () => {
    expect(readSettings({})).toEqual({
      name: "quickstart",
      version: "0.0.0-dev",
      greeting: "Ahoy!",
      port: 3000,
      drainSeconds: 5,
      faults: { errorRate: 0, latencyMs: 0, crashAtStart: false, readiness: false },
    });
  });

  it("come from the environment", () => {
    const settings = readSettings({
      APP_NAME: "harbour",
      APP_VERSION: "2.1.0",
      GREETING: "Fair winds",
      PORT: "8080",
      DRAIN_SECONDS: "0.5",
      FAULT_ERROR_RATE: "0.25",
      FAULT_LATENCY_MS: "300",
      FAULT_CRASH_AT_START: "true",
      FAULT_READINESS: "true",
    });
    expect(settings).toEqual({
      name: "harbour",
      version: "2.1.0",
      greeting: "Fair winds",
      port: 8080,
      drainSeconds: 0.5,
      faults: { errorRate: 0.25, latencyMs: 300, crashAtStart: true, readiness: true },
    });
  });

  it("take an empty variable for an unset one", () => {
    expect(readSettings({ APP_VERSION: "", PORT: " ", FAULT_READINESS: "" })).toEqual(
      readSettings({}),
    );
  });

  it("take a small rate as Helm writes it", () => {
    expect(readSettings({ FAULT_ERROR_RATE: "1e-05" }).faults.errorRate).toBe(0.00001);
  });

  it.each([
    ["FAULT_ERROR_RATE", "1.1", 'FAULT_ERROR_RATE must be a number from 0 to 1, but is "1.1"'],
    ["FAULT_ERROR_RATE", "-0.1", 'FAULT_ERROR_RATE must be a number from 0 to 1, but is "-0.1"'],
    ["FAULT_ERROR_RATE", "5%", 'FAULT_ERROR_RATE must be a number from 0 to 1, but is "5%"'],
    ["FAULT_ERROR_RATE", "NaN", 'FAULT_ERROR_RATE must be a number from 0 to 1, but is "NaN"'],
    [
      "FAULT_LATENCY_MS",
      "1.5",
      'FAULT_LATENCY_MS must be a whole number from 0 to 60000, but is "1.5"',
    ],
    ["FAULT_READINESS", "yes", 'FAULT_READINESS must be true or false, but is "yes"'],
    ["FAULT_CRASH_AT_START", "1", 'FAULT_CRASH_AT_START must be true or false, but is "1"'],
    ["PORT", "0x1f", 'PORT must be a whole number from 0 to 65535, but is "0x1f"'],
    ["PORT", "70000", 'PORT must be a whole number from 0 to 65535, but is "70000"'],
    ["DRAIN_SECONDS", "5s", 'DRAIN_SECONDS must be a number from 0 to 300, but is "5s"'],
  ])("refuse %s=%s", (name, value, message) => {
    expect(() => readSettings({ [name]: value })).toThrow(new SettingsError([message]));
  });

  it("report every bad value at once", () => {
    expect(() =>
      readSettings({ PORT: "http", FAULT_ERROR_RATE: "2", FAULT_READINESS: "on" }),
    ).toThrow(
      expect.objectContaining({
        problems: [
          expect.stringMatching(/^PORT /),
          expect.stringMatching(/^FAULT_ERROR_RATE /),
          expect.stringMatching(/^FAULT_READINESS /),
        ],
      }),
    );
  });
});
