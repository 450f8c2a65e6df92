import { describe, expect, it } from "@jest/globals";
import { resolveEndpoints, variables } from "../../testbed/endpoints.ts";
import { wantedHere } from "../../testbed/up.ts";

const nowhere = { SEAWORTHY_TESTBED_NAME: "never-brought-up" };
const theirs = {
  ...nowhere,
  SEAWORTHY_KUBECONFIG: "/home/me/.kube/config",
  SEAWORTHY_REGISTRY: "registry.example:5000",
};

describe("the endpoints", () => {
  it("are those that the environment names, with the world's images", async () => {
    const found = await resolveEndpoints(["kubernetes", "registry"], theirs);
    expect(found.kubeconfig).toBe("/home/me/.kube/config");
    expect(found.registry).toBe("registry.example:5000");
    expect(found.nodeImage).toBe("node:24-alpine");
  });

  it("say how to get what is missing", async () => {
    await expect(resolveEndpoints(["kubernetes", "buildkit"], nowhere)).rejects.toThrow(
      "npm run testbed -- up kubernetes buildkit, or set SEAWORTHY_KUBECONFIG and " +
        "SEAWORTHY_BUILDKIT",
    );
  });

  it("take a cluster and its registry together", async () => {
    const alone = { ...nowhere, SEAWORTHY_KUBECONFIG: "/k" };
    await expect(resolveEndpoints([], alone)).rejects.toThrow("go together");
  });

  it("keep a proxy away from the bed, and keep what the user excepted", async () => {
    const found = { ...(await resolveEndpoints([], theirs)), nodeAddress: "10.213.7.2" };
    const { NO_PROXY } = variables(found, { NO_PROXY: "intranet" });
    expect(NO_PROXY).toBe("intranet,127.0.0.1,10.213.7.2");
  });
});

describe("what is brought up here", () => {
  it("is everything wanted, where the user names nothing", () => {
    expect(wantedHere(["registry", "helm"], [])).toEqual(["registry", "helm"]);
  });

  it("is only the tools of a cluster that runs elsewhere", () => {
    const wanted = ["kubernetes", "registry", "images", "helm"];
    expect(wantedHere(wanted, ["kubernetes", "registry"])).toEqual(["kubectl", "helm"]);
  });

  it("is the builder's program for a BuildKit that runs elsewhere", () => {
    expect(wantedHere(["buildkit"], ["buildkit"])).toEqual(["buildx"]);
  });
});
