import { describe, expect, it } from "@jest/globals";
import { builderProblems } from "../../../actions/build-push/builder-problems.ts";
import { inputs } from "../../../actions/build-push/inputs.ts";
import { parseInputs } from "../../../shared/action/index.ts";

const problemsFor = (given: Readonly<Record<string, string>>) => {
  const all = Object.entries({ registry: "ghcr.io/me", name: "api", ...given });
  const environment = all.map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  const options = parseInputs(inputs, Object.fromEntries(environment));
  return builderProblems(options).map(({ where, problem }) => `${where}: ${problem}`);
};

const pem = "-----BEGIN CERTIFICATE-----";

describe("inputs that name a builder", () => {
  it.each([
    [{}],
    [{ builder: "ours" }],
    [{ buildkit: "tcp://there:1234" }],
    [{ buildkit: "tcp://there:1234", "buildkit-ca": pem }],
    [{ driver: "remote", buildkit: "tcp://there:1234", "buildkit-ca": pem }],
    [{ driver: "docker-container", "driver-opts": "image=x\nnetwork=host", builder: "ours" }],
    [{ driver: "kubernetes", "builder-nodes": "- platforms: linux/amd64, linux/arm64" }],
    [
      {
        driver: "remote",
        "builder-nodes":
          "[{endpoint: 'tcp://a:1'}, {endpoint: 'tcp://b:1', platforms: [linux/arm64]}]",
      },
    ],
    [{ driver: "buildah", "driver-opts": "isolation=chroot" }],
    [{ driver: "kubernetes", "buildkitd-config-inline": "debug = true", cache: "gha:main" }],
  ])("are right: %j", (given) => {
    expect(problemsFor(given)).toEqual([]);
  });

  it.each([
    [{ "driver-opts": "image=x" }, "driver-opts: it is for a builder that is made; say which"],
    [
      { buildkit: "tcp://a:1", "buildkitd-config": "x.toml" },
      "buildkitd-config: it is for a builder",
    ],
    [{ driver: "remote" }, "driver: remote needs the input buildkit, or builder-nodes"],
    [
      { driver: "remote", "builder-nodes": "[{platforms: linux/amd64}]" },
      "node 1: endpoint is missing",
    ],
    [{ buildkit: "tcp://a:1", builder: "b" }, "buildkit: it names a builder, and so does builder"],
    [{ buildkit: "tcp://a:1", driver: "kubernetes" }, "buildkit: it is for the driver remote"],
    [
      { driver: "kubernetes", "builder-nodes": "[{platforms: linux/arm46}]" },
      "builder-nodes: node 1: platforms: linux/arm46",
    ],
    [
      { driver: "kubernetes", "builder-nodes": "[{endpoint: ctx}]" },
      "node 1: endpoint cannot be given: the driver kubernetes takes its cluster from KUBECONFIG",
    ],
    [{ buildkit: "tcp://a:1", "buildkit-key": pem }, "buildkit-ca: it is missing"],
    [
      { buildkit: "tcp://a:1", "buildkit-ca": pem, "buildkit-key": pem },
      "buildkit-cert: it is missing",
    ],
    [{ buildkit: "tcp://a:1", "buildkit-ca": "ca.pem" }, "buildkit-ca: it is no text in PEM"],
    [{ "buildkit-ca": pem }, "buildkit-ca: it is for a BuildKit named by the input buildkit"],
    [{ driver: "buildah", cache: "registry" }, "cache: with buildah there is none"],
    [{ driver: "buildah", builder: "ours" }, "builder: it names a builder of buildx"],
    [{ driver: "buildah", "buildkitd-config": "x" }, "buildkitd-config: it is of no use with"],
    [{ cache: "regsitry" }, 'cache: "regsitry" is none of'],
  ])("are told where they contradict each other: %j", (given, problem) => {
    expect(problemsFor(given)).toContainEqual(expect.stringContaining(problem));
  });
});
