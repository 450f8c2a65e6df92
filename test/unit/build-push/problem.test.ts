import { describe, expect, it } from "@jest/globals";
import { wrongInputs } from "../../../actions/build-push/problem.ts";

const at = (line: number, file = "x.hcl") => ({ file, line });

describe("all that is wrong with what was asked", () => {
  it("is told once, a line each", () => {
    const failure = wrongInputs([
      { where: "name", problem: "it is wrong" },
      { where: "a: tags", problem: "did you mean b?" },
      { where: "name", problem: "it is wrong" },
    ]);
    expect(failure).toMatchObject({
      title: "2 inputs are wrong",
      cause: "name: it is wrong.\na: tags: did you mean b?",
      remedy: "Correct the step's `with:` and run again; nothing was built or pushed.",
      at: undefined,
      each: [],
    });
  });

  it("is annotated at the one place that is meant", () => {
    const failure = wrongInputs([
      { where: "a", problem: "x", at: at(1) },
      { where: "b", problem: "y", at: at(1) },
    ]);
    expect(failure).toMatchObject({ at: at(1), each: [] });
    expect(failure.remedy).toMatch(/^Correct x\.hcl or the step's/);
  });

  it("is annotated at every place, each with its own part", () => {
    const failure = wrongInputs([
      { where: "a", problem: "x", at: at(1) },
      { where: "name", problem: "z" },
      { where: "b", problem: "y", at: at(2) },
      { where: "c", problem: "y", at: at(2) },
    ]);
    expect(failure.at).toBeUndefined();
    expect(failure.each.map((each) => [each.at?.line, each.title, each.cause])).toEqual([
      [1, "One input is wrong", "a: x."],
      [2, "2 inputs are wrong", "b: y.\nc: y."],
    ]);
  });
});
