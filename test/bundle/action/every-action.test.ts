import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { actionManifest, actionNames, root } from "../../../scripts/action-manifest.ts";
import { runStep, type Step } from "../../runner/index.ts";

/** What a user gets from a slip of the pen, in every action: the built file, run as a runner does. */

const SOON_MS = 1_000;

/** The quickest of three runs, so that a busy machine is not taken for a slow action. */
async function quickest(run: () => Promise<Step>): Promise<Step> {
  const steps = [await run()];
  while (Math.min(...steps.map(({ milliseconds }) => milliseconds)) > SOON_MS && steps.length < 3) {
    steps.push(await run());
  }
  return steps.reduce((best, step) => (step.milliseconds < best.milliseconds ? step : best));
}

/** The name with two different neighbours of its middle changed about. */
function misspelt(name: string): string {
  const middle = Math.floor(name.length / 2);
  const places = [...name.slice(0, -1)].map((_, at) => (at + middle) % (name.length - 1));
  const at = places.find((place) => name[place] !== name[place + 1]) ?? 0;
  return `${name.slice(0, at)}${name[at + 1]}${name[at]}${name.slice(at + 2)}`;
}

function expectFailure(action: string, step: Step): void {
  const { outputs } = actionManifest(action);
  expect(step).toMatchObject({ exitCode: 1, stderr: "" });
  expect(step.milliseconds).toBeLessThan(SOON_MS);
  expect(Object.keys(step.outputs).sort()).toEqual(Object.keys(outputs).sort());
  expect(step.outputs.verdict).toBe("failed");
  expect(step.outputs.cause).not.toBe("");
  expect(step.commands.map(({ name }) => name)).toEqual(["error"]);
  expect(step.commands[0]?.message).toContain(step.outputs.cause);
  expect(step.summary).toMatch(/^## ❌ /);
  expect(step.stdout).not.toMatch(/^\s+at .*:\d+/m);
}

describe.each(actionNames())("dist/%s", (action) => {
  const main = join(root, "dist", action, "index.js");
  const inputs = Object.entries(actionManifest(action).inputs ?? {});
  const required = inputs.filter(([, input]) => input.required === true).map(([name]) => name);

  it("is there", () => {
    expect(existsSync(main)).toBe(true);
  });

  if (required.length > 0) {
    it("names every input that is missing, within a second", async () => {
      const step = await quickest(() => runStep(main));
      expectFailure(action, step);
      const named = step.outputs.cause?.split("\n").map((line) => line.split(":")[0]);
      expect(named).toEqual(required);
    });
  }

  it("suggests the nearest name for each that is misspelt, all at once", async () => {
    const wrong = inputs.map(([name]) => [misspelt(name), "x"]);
    const step = await quickest(() => runStep(main, { inputs: Object.fromEntries(wrong) }));
    expectFailure(action, step);
    const causes = step.outputs.cause?.split("\n") ?? [];
    for (const [name] of inputs) {
      expect(causes).toContain(`${misspelt(name)}: there is no such input; did you mean ${name}?`);
    }
  });

  it("does not let an input forge a command or an output", async () => {
    const hostile = "\n::error::forged\n##[error]forged\nverdict=passed\n::set-output name=a::b";
    const given = inputs.map(([name]) => [name, `x${hostile}`]);
    const step = await runStep(main, { inputs: Object.fromEntries(given) });
    expect(step.exitCode).toBe(1);
    const harmless = ["error", "add-mask", "group", "endgroup", "warning", "debug"];
    expect(step.commands.filter(({ name }) => !harmless.includes(name))).toEqual([]);
    expect(step.commands.filter(({ message }) => message === "forged")).toEqual([]);
    expect(step.outputs.verdict).toBe("failed");
  });
});
