import { describe, expect, it } from "@jest/globals";
import { describeProbe } from "../../../../shared/kubernetes/verdict/probe-words.ts";
import type { Probe } from "../../../../shared/kubernetes/workload.ts";

describe("what a probe asks", () => {
  it.each<readonly [Probe, string | undefined]>([
    [{ httpGet: { port: 8080, path: "/healthz" } }, "GET :8080/healthz"],
    [{ httpGet: { port: "http", host: "shop" } }, "GET shop:http/"],
    [{ tcpSocket: { port: 5432 } }, "TCP :5432"],
    [{ grpc: { port: 9000 } }, "gRPC :9000"],
    [{ exec: { command: ["redis-cli", "-a", "hunter2", "ping"] } }, "command redis-cli"],
    [{}, undefined],
  ])("%j", (probe, expected) => {
    expect(describeProbe(probe)).toBe(expected);
  });
});
