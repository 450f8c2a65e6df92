import { describe, expect, it } from "@jest/globals";
import { startFailure } from "../../../../shared/buildkit/builder/start-failure.ts";

const subject = {
  name: "seaworthy-1",
  driver: "kubernetes",
  nodes: [{ platforms: [], options: { image: "own/buildkit:1" } }],
};

// The words are those of buildx 0.37 with Kubernetes 1.34 and Docker 20.10 and 28.
describe("a builder that does not start is told in words that help", () => {
  it.each([
    [
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      "There is no Docker daemon",
      "none answers at unix:///var/run/docker.sock",
    ],
    [
      'error for bootstrap "b0": deployments.apps "b0" is forbidden: User "ci" cannot get resource "deployments" in API group "apps" in the namespace "builds"',
      "The cluster does not let us make a builder",
      'User "ci" cannot get resource "deployments" in API group "apps" in the namespace "builds"',
    ],
    [
      'error while calling Create for "b0": namespaces "nonsuch" not found',
      "The builder's namespace does not exist",
      "no namespace nonsuch",
    ],
    [
      'error while calling Create for "b0": exceeded quota: small, requested: limits.cpu=4',
      "The builder is more than the namespace may have",
      "exceeded quota: small",
    ],
    ["invalid driver option imge for driver kubernetes", "The input driver-opts is wrong", "imge"],
    [
      "expected 2 replicas to be ready, got 1",
      "The kubernetes builder does not start",
      "1 of 2 pods became ready in time. A pod is sick.",
    ],
    [
      "Error response from daemon: manifest for own/buildkit:1 not found: manifest unknown",
      "The builder's image cannot be had",
      "runs own/buildkit:1: Error response from daemon",
    ],
    [
      'Get "https://10.0.0.1:6443/apis": dial tcp 10.0.0.1:6443: connect: connection refused',
      "The cluster cannot be reached",
      "connect: connection refused",
    ],
    ["something else", "The kubernetes builder does not start", "something else. A pod is sick."],
  ])("%s", (said, title, cause) => {
    const failure = startFailure(subject, said, "A pod is sick.");
    expect(failure.title).toBe(title);
    expect(failure.cause).toContain(cause);
  });
});
