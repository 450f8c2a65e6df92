import { describe, expect, it } from "@jest/globals";
import {
  choosePort,
  type EndpointSlice,
  noReadyPod,
  readyPods,
  type Service,
  type ServicePort,
} from "../../../shared/kubernetes/service-endpoint.ts";

function service(...ports: ServicePort[]): Service {
  return { apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec: { ports } };
}

describe("the port of a Service", () => {
  const two = service({ name: "http", port: 80 }, { name: "admin", port: 81 });

  it.each([
    [service({ port: 80 }), undefined, 80],
    [two, "admin", 81],
    [two, 80, 80],
    [two, "81", 81],
  ])("%#", (subject, wanted, port) => {
    expect(choosePort(subject, wanted).port).toBe(port);
  });

  it.each([
    [two, undefined, "has 2 ports, and none was chosen"],
    [two, 90, "has no TCP port 90"],
    [service({ port: 53, protocol: "UDP" }), undefined, "has no TCP port"],
    [service(), undefined, "Its TCP ports are: none"],
  ])("is missing: %#", (subject, wanted, words) => {
    expect(() => choosePort(subject, wanted)).toThrow(words);
  });
});

it("an alias has no pods: its host is named", () => {
  const spec = { type: "ExternalName", externalName: "db.example.com" };
  const subject = { ...service(), spec };
  expect(() => choosePort(subject, undefined)).toThrow(/a DNS alias of db\.example\.com/);
});

it("pods that are ready without the port are told apart from pods that are not ready", () => {
  const subject = { ...service({ port: 80 }), spec: { selector: { app: "web" } } };
  const slice = (ready: boolean): EndpointSlice => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "s" },
    endpoints: [{ conditions: { ready } }],
  });
  expect(noReadyPod(subject, [slice(true)]).cause).toMatch(/^1 of the 1 pods .* none has the port/);
  expect(noReadyPod(subject, [slice(false)]).cause).toMatch(/^None of the 1 pods .* is ready/);
});

describe("the ready pods of slices", () => {
  const slice = (
    ports: EndpointSlice["ports"],
    endpoints: EndpointSlice["endpoints"],
  ): EndpointSlice => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "s" },
    ...(ports === undefined ? {} : { ports }),
    ...(endpoints === undefined ? {} : { endpoints }),
  });
  const target = (name: string) => ({ targetRef: { kind: "Pod", name } });

  it("takes those that are ready and not going, with the pod's own port", () => {
    const found = readyPods(
      [
        slice(
          [{ name: "http", port: 8080 }],
          [
            { ...target("a"), conditions: { ready: true } },
            { ...target("b"), conditions: { ready: false } },
            { ...target("c"), conditions: { ready: true, terminating: true } },
            target("d"),
            { conditions: { ready: true } },
          ],
        ),
        slice([{ name: "other", port: 1 }], [target("e")]),
        slice(null, null),
      ],
      { name: "http", port: 80 },
    );
    expect(found).toEqual([
      { pod: "a", port: 8080 },
      { pod: "d", port: 8080 },
    ]);
  });

  it("matches an unnamed port with the empty name", () => {
    expect(
      readyPods([slice([{ name: "", port: 8080 }], [target("a")])], { port: 80 }),
    ).toHaveLength(1);
  });
});
