import { describe, expect, it } from "@jest/globals";
import { hclBlocks } from "../../../shared/bake-file/hcl-blocks.ts";
import { unknownKeys } from "../../../shared/bake-file/unknown-keys.ts";

const template = "$".concat("{");

describe("the blocks of an HCL file", () => {
  const keysOf = (text: string) =>
    hclBlocks(text).map(({ type, labels, keys }) => [
      [type, ...labels].join(" "),
      keys.map(({ name }) => name).join(" "),
    ]);

  it.each<[string, string, string[][]]>([
    [
      "attributes",
      'target "a" {\n  context = "."\n  tags = [\n    "x",\n    "y"\n  ]\n}',
      [["target a", "context tags"]],
    ],
    [
      "one line",
      'target "a" { context = "." }\ngroup "default" { targets = ["a"] }',
      [
        ["target a", "context"],
        ["group default", "targets"],
      ],
    ],
    [
      "mappings",
      'target "a" {\n  args = {\n    dockerfil = 1\n    b = { c = 2 }\n  }\n  pull = true\n}',
      [["target a", "args pull"]],
    ],
    [
      "comments",
      '# target "x" {\n// y = 1\n/* target "z" {\n} */\ntarget "a" {\n  # b = 1\n  c = 1 // d\n}',
      [["target a", "c"]],
    ],
    [
      "heredocs",
      'target "a" {\n  dockerfile-inline = <<EOT\nFROM x\ny = 1\n}\nEOT\n  pull = true\n}',
      [["target a", "dockerfile-inline pull"]],
    ],
    [
      "indented heredocs",
      'target "a" {\n  b = <<-EOT\n    c = 1\n  EOT\n  d = 1\n}',
      [["target a", "b d"]],
    ],
    [
      "texts with templates",
      `target "a" {\n  b = "${template} x == "}" ? "{" : "\\"" }"\n  c = 1\n}`,
      [["target a", "b c"]],
    ],
    ["escaped templates", `target "a" {\n  b = "$${template}x"\n  c = 1\n}`, [["target a", "b c"]]],
    [
      "blocks in blocks",
      'variable "A" {\n  default = 1\n  validation {\n    condition = A > 0\n  }\n}',
      [["variable A", "default validation"]],
    ],
    ["plain attributes", 'a = 1\nb = {\n c = 2\n}\ntarget "x" {\n}\n', [["target x", ""]]],
    [
      "functions",
      'function "f" {\n  params = [a]\n  result = "x"\n}',
      [["function f", "params result"]],
    ],
    ["nothing", "", []],
    ["an end that is missing", 'target "a" {\n  b = [', [["target a", "b"]]],
    ["ends that are too many", '}}\n)\ntarget "a" {\n}', [["target a", ""]]],
  ])("are told apart: %s", (_, text, expected) => {
    expect(keysOf(text)).toEqual(expected);
  });

  it("know their lines", () => {
    const text = '/*\n\n*/\ntarget "a" {\n  b = <<E\n\n\nE\n  c = "\\n"\n\n  d = 1\n}';
    expect(hclBlocks(text)).toEqual([
      {
        type: "target",
        labels: ["a"],
        line: 4,
        keys: [
          { name: "b", line: 5 },
          { name: "c", line: 9 },
          { name: "d", line: 11 },
        ],
      },
    ]);
  });
});

describe("names that buildx passes over", () => {
  it("are refused where they resemble one that it knows", () => {
    const text = 'target "api" {\n  dockerfil = "x"\n  context = "."\n}\n';
    const { refusals, notes } = unknownKeys({ shown: "x.hcl", text });
    expect([...refusals]).toEqual([
      [
        "api",
        [
          {
            key: "dockerfil",
            problem:
              "there is no such attribute (x.hcl:2), and buildx passes over it; did you mean dockerfile?",
          },
        ],
      ],
    ]);
    expect(notes).toEqual([]);
  });

  it("are told where they resemble none", () => {
    const text = 'targt "api" {\n}\ntarget "web" {\n  somethingelse = 1\n}\n';
    const { refusals, notes } = unknownKeys({ shown: "x.hcl", text });
    expect([...refusals]).toEqual([]);
    expect(notes).toEqual([
      'x.hcl:1: buildx passes over "targt"; did you mean target?',
      'x.hcl:4: buildx passes over "somethingelse" of web',
    ]);
  });

  it("are found in JSON too", () => {
    const text = '{"target": {"api": {\n  "contxt": "x", "args": {"contxt": "y"}}}}';
    const { refusals } = unknownKeys({ shown: "x.json", text });
    expect(refusals.get("api")).toEqual([
      { key: "contxt", problem: expect.stringMatching(/\(x\.json:2\).*did you mean context\?/) },
    ]);
  });

  it.each(["", "{", "[]", "null", '{"target": 1}'])("are none in %j", (text) => {
    expect(unknownKeys({ shown: "x.json", text })).toEqual({ refusals: new Map(), notes: [] });
  });
});
