import { describe, expect, it } from "@jest/globals";
import { FAULTS, type ObservedObject } from "../../../demo/faults.ts";

function pod(status: object): ObservedObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-1" },
    status: { containerStatuses: [{ name: "web", restartCount: 0, ...status }] },
  };
}

function event(type: string, message: string): ObservedObject {
  return { apiVersion: "v1", kind: "Event", metadata: { name: "e" }, type, message };
}

const waits = (reason: string, more: object = {}) =>
  pod({ state: { waiting: { reason } }, ...more });

describe("what the API shows of a fault", () => {
  it.each([
    ["image", waits("ErrImagePull")],
    ["image", waits("ImagePullBackOff")],
    ["image", event("Warning", 'Failed to pull image "a/b:c": not found')],
    ["config", waits("CreateContainerConfigError")],
    ["config", event("Warning", 'Error: configmap "limits" not found')],
    ["crash", pod({ restartCount: 1, state: { terminated: { exitCode: 1 } } })],
    ["crash", waits("CrashLoopBackOff", { restartCount: 1 })],
  ] as const)("%s: is seen", (fault, object) => {
    expect(FAULTS[fault].seenIn(object)).toEqual(expect.any(String));
  });

  it.each([
    ["image", waits("ContainerCreating")],
    ["image", event("Normal", 'Pulling image "a/b:c"')],
    ["config", waits("ContainerCreating")],
    ["config", event("Warning", "Readiness probe failed: 503")],
    // One crash is no crash loop.
    ["crash", pod({ state: { terminated: { exitCode: 1 } } })],
    ["crash", pod({ restartCount: 1, state: { running: {} } })],
  ] as const)("%s: is not seen where it is not", (fault, object) => {
    expect(FAULTS[fault].seenIn(object)).toBeUndefined();
  });
});
