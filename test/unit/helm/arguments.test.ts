import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  rollbackArguments,
  showValuesArguments,
  templateArguments,
  uninstallArguments,
  upgradeArguments,
} from "../../../shared/helm/arguments.ts";
import { environmentFor } from "../../../shared/helm/helm.ts";
import { RELEASE_NAME } from "../../../shared/helm/index.ts";

describe("what Helm is told", () => {
  it("keeps what a user wrote from being taken for a flag", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, location) => {
        const release = { name, namespace: "n" };
        const chart = { location };
        for (const args of [
          templateArguments(release, chart, ["v"]),
          upgradeArguments(release, chart, ["v"], 300),
        ]) {
          expect(args.slice(args.indexOf("--"))).toEqual(["--", name, location]);
        }
        expect(rollbackArguments(release, 2, 300).slice(-3)).toEqual(["--", name, "2"]);
        expect(uninstallArguments(release, true).slice(-2)).toEqual(["--", name]);
        expect(showValuesArguments(chart).slice(-2)).toEqual(["--", location]);
      }),
    );
  });

  it("never waits, and never keeps the values of the last revision", () => {
    const args = upgradeArguments({ name: "a", namespace: "n" }, { location: "c" }, [], 300);
    expect(args).not.toContain("--wait");
    expect(args).toContain("--reset-values");
  });

  it.each([
    "a;b",
    "--post-renderer=x",
    "-x",
    "a\nb",
    "A",
    "",
    "a".repeat(54),
    "a_b",
    "a/b",
    ".a",
    "a.",
  ])("refuses %j as a release name", (name) => expect(RELEASE_NAME.test(name)).toBe(false));

  it.each(["a", "shop", "shop-1.eu", "a".repeat(53)])("accepts %j as a release name", (name) => {
    expect(RELEASE_NAME.test(name)).toBe(true);
  });

  it("takes away the variables that would lead Helm elsewhere", () => {
    const environment = {
      HELM_KUBECONTEXT: "x",
      HELM_NAMESPACE: "y",
      HELM_DEBUG: "1",
      HELM_DRIVER: "secret",
      PATH: "z",
    };
    expect(environmentFor(environment)).toEqual({
      HELM_KUBECONTEXT: undefined,
      HELM_NAMESPACE: undefined,
      HELM_DEBUG: undefined,
    });
  });
});
