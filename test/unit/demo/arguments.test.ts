import { describe, expect, it } from "@jest/globals";
import { readArguments } from "../../../demo/arguments.ts";
import { wrap } from "../../../demo/story.ts";

describe("the demo's command line", () => {
  it("has a default for everything", () => {
    expect(readArguments([])).toEqual({
      task: "run",
      faults: ["image"],
      json: false,
      environment: {},
    });
  });

  it("knows all faults, and one", () => {
    expect(readArguments(["--fault", "all"]).faults).toEqual(["image", "crash", "config"]);
    expect(readArguments(["--fault=crash", "--json"])).toMatchObject({
      faults: ["crash"],
      json: true,
    });
  });

  it("takes servers of the user's", () => {
    const args = ["--kubeconfig", "k", "--registry=r/p", "--buildkit", "tcp://b:1"];
    expect(readArguments(args).environment).toEqual({
      SEAWORTHY_KUBECONFIG: "k",
      SEAWORTHY_REGISTRY: "r/p",
      SEAWORTHY_BUILDKIT: "tcp://b:1",
    });
  });

  it.each([
    [["--fault", "imge"], "did you mean image?"],
    [["--falt", "image"], "did you mean --fault?"],
    [["--kubeconfig"], "--kubeconfig needs a value"],
    [["down"], "did you mean --down?"],
  ])("refuses %j", (args, words) => {
    expect(() => readArguments(args)).toThrow(words);
  });
});

describe("wrapped words", () => {
  it("fit the width, but for words that do not", () => {
    expect(wrap("a bb ccc dddddddddd e", 6)).toEqual(["a bb", "ccc", "dddddddddd", "e"]);
  });
});
