import { describe, expect, it } from "@jest/globals";
import { actionManifest, actionNames } from "../../scripts/action-manifest.ts";
import { COMMON_OUTPUTS } from "../../shared/action/index.ts";
import { declaredBy, filesOf, textOf } from "./action-folder.ts";

const actions = actionNames();

it("there are actions to hold to their contract", () => {
  expect(actions.length).toBeGreaterThan(0);
});

describe.each(actions)("%s", (action) => {
  const manifest = actionManifest(action);

  it("is a folder of the shape that every action has", () => {
    expect(action).toMatch(/^[a-z]+(-[a-z]+)*$/);
    const files = ["action.yml", "README.md", "inputs.ts", "main.ts", `${action}.ts`];
    expect(filesOf(action)).toEqual(expect.arrayContaining(files));
  });

  it("says what it is", () => {
    expect(manifest.name).toMatch(/\S/);
    expect(manifest.description).toMatch(/\S/);
  });

  it("runs its bundle under Node.js 24", () => {
    expect(manifest.runs).toEqual({ using: "node24", main: `../../dist/${action}/index.js` });
  });

  it("has a main.ts that only opens the door", () => {
    const camelCase = action.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    expect(
      textOf("actions", action, "main.ts"),
    ).toBe(`import { run } from "../../shared/action/index.ts";
import { inputs, outputs } from "./inputs.ts";

await run({
  name: "${action}",
  inputs,
  outputs,
  useCase: async () => (await import("./${action}.ts")).${camelCase},
});
`);
  });

  it("declares the inputs that it reads, with the same defaults", async () => {
    const { inputs } = await declaredBy(action);
    const read = Object.entries(inputs).map(([name, field]) => [
      name,
      { required: field.required, default: field.default || undefined },
    ]);
    const declared = Object.entries(manifest.inputs ?? {}).map(([name, input]) => [
      name,
      { required: input.required ?? false, default: input.default || undefined },
    ]);
    expect(Object.fromEntries(declared)).toEqual(Object.fromEntries(read));
  });

  it("declares defaults as the text that the runner passes on", () => {
    for (const [name, input] of Object.entries(manifest.inputs ?? {})) {
      expect([name, typeof (input.default ?? "")]).toEqual([name, "string"]);
    }
  });

  it("describes each input and each output, in a sentence", () => {
    for (const [name, { description }] of Object.entries({
      ...manifest.inputs,
      ...manifest.outputs,
    })) {
      expect(`${name}: ${description}`).toMatch(/: \S[\s\S]{8,}\.\)?\s*$/);
    }
  });

  it("accepts its own defaults, and requires nothing that has one", async () => {
    const { inputs } = await declaredBy(action);
    for (const [name, field] of Object.entries(inputs)) {
      if (field.default === undefined) continue;
      expect([name, field.required]).toEqual([name, false]);
      expect(() => field.parse(field.default ?? "")).not.toThrow();
    }
  });

  it("says in words what each input accepts", async () => {
    const { inputs } = await declaredBy(action);
    for (const [name, { accepts }] of Object.entries(inputs)) {
      expect(`${name}: ${accepts}`).not.toMatch(/: (text of the form .*)?$/);
    }
  });

  it("declares the outputs that it sets", async () => {
    const { outputs } = await declaredBy(action);
    const set = [...COMMON_OUTPUTS, ...outputs].sort();
    expect(new Set(set).size).toBe(set.length);
    expect(Object.keys(manifest.outputs).sort()).toEqual(set);
  });

  it("has names that read alike: lower case and hyphens", () => {
    const names = [...Object.keys(manifest.inputs ?? {}), ...Object.keys(manifest.outputs)];
    expect(names.filter((name) => !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  });
});
