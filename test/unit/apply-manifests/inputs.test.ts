import { describe, expect, it } from "@jest/globals";
import { inputs } from "../../../actions/apply-manifests/inputs.ts";
import { setName } from "../../../actions/apply-manifests/set-name.ts";
import { settingsOf } from "../../../actions/apply-manifests/settings.ts";
import { parseInputs } from "../../../shared/action/index.ts";

/** The options of a step with these inputs. */
function options(given: Readonly<Record<string, string>>) {
  const environment = Object.entries(given).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  return parseInputs(inputs, Object.fromEntries(environment), (text) => text);
}

describe("inputs", () => {
  it("need little", () => {
    expect(settingsOf(options({ name: "shop", manifests: "k8s" }))).toMatchObject({
      fieldManager: "seaworthy",
      forceConflicts: false,
      unknownFields: "refuse",
      prune: { by: "set", most: { count: 10, percent: 50 }, alsoKinds: [] },
      onFailure: "rollback",
      keepRevisions: 10,
    });
  });

  it("name sources one a line, comments left out", () => {
    const { manifests } = options({ name: "a", manifests: "# all\nk8s/{a,b}.yaml\n\n  base/ \n" });
    expect(manifests).toEqual([
      { kind: "path", path: "k8s/{a,b}.yaml" },
      { kind: "path", path: "base/" },
    ]);
  });

  it.each([
    ["10", { count: 10 }],
    ["50%", { percent: 50 }],
    ["0", { count: 0 }],
    ["100%, 3", { count: 3, percent: 100 }],
  ])("limit pruning to %s", (limit, most) => {
    expect(
      settingsOf(options({ name: "a", content: "a", "prune-limit": limit })).prune.most,
    ).toEqual(most);
  });

  it.each([
    ["prune-limit", "many"],
    ["prune-limit", "5, 6"],
    ["prune-limit", "101%"],
    ["prune-limit", "-1"],
    ["recreate", "Job; rm"],
    ["other-namespaces", "A_b"],
    ["field-manager", "a b"],
    ["name", "Shop"],
    ["name", "a".repeat(41)],
    ["manifests", "https://host/a.yaml"],
    ["history", "0"],
  ])("refuse %s: %s", (name, value) => {
    expect(() => options({ name: "a", content: "a", [name]: value })).toThrow(
      new RegExp(`${name}: `),
    );
  });

  it.each([
    [{ name: "a", manifests: "k8s" }, "set"],
    [{ name: "a", manifests: "k8s", prune: "false" }, "nothing"],
    [{ name: "a", manifests: "k8s", "prune-selector": "app=a" }, "selector"],
    [{ images: "{}" }, "nothing"],
  ])("prune by what they describe: %j", (given, by) => {
    expect(settingsOf(options(given as Record<string, string>)).prune.by).toBe(by);
  });

  it("give the set a name where manifests could be mistaken for another's", () => {
    expect(setName(options({ images: "{}" }))).toBe("live");
    expect(setName(options({ name: "shop", content: "a" }))).toBe("shop");
    expect(() => setName(options({ content: "a" }))).toThrow(/The set has no name/);
  });
});
