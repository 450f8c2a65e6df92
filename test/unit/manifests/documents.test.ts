import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { readDocuments } from "../../../shared/manifests/documents.ts";
import { objectsIn } from "../../../shared/manifests/objects.ts";
import { integerOf } from "../../../shared/manifests/yaml.ts";

const read = (text: string, name = "k8s/a.yaml") =>
  readDocuments({ name, text, ...(name.includes(" ") ? {} : { file: name }) });
const values = (text: string) => read(text).map(({ value }) => value);

describe("documents", () => {
  it("are counted and found by line, empty ones left out", () => {
    const text =
      "# a comment\n%YAML 1.1\n---\na: 1\n---\n# nothing\n---\n\n\nb:\n  - 2\n...\n---\n";
    expect(read(text).map(({ value, number, line }) => [value, number, line])).toEqual([
      [{ a: 1 }, 1, 4],
      [{ b: [2] }, 3, 10],
    ]);
  });

  it.each([
    ["nothing", ""],
    ["white space", "\n  \n"],
    ["comments", "# one\n# two\n"],
    ["separators", "---\n---\n---"],
    ["a byte order mark", "\uFEFF"],
  ])("of %s are none", (_, text) => {
    expect(values(text)).toEqual([]);
  });

  it.each([
    ["separators of Windows", "a: 1\r\n---\r\nb: 2\r\n", [{ a: 1 }, { b: 2 }]],
    ["a byte order mark", "\uFEFFa: 1", [{ a: 1 }]],
    ["JSON with tabs", '{\n\t"a": 1\n}', [{ a: 1 }]],
    ["flow that only looks like JSON", "{a: 1}\n", [{ a: 1 }]],
    ["hyphens in a block of text", "a: |\n  ---\n  b\n", [{ a: "---\nb\n" }]],
    ["a title after the separator", "--- # the first\na: 1\n", [{ a: 1 }]],
    ["merge keys", "p: &x {a: 1}\nq:\n  <<: *x\n  b: 2\n", [{ p: { a: 1 }, q: { a: 1, b: 2 } }]],
    ["unicode", "größe: ☂\n", [{ größe: "☂" }]],
  ])("with %s", (_, text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it.each([
    ["0644", 420],
    ["yes", true],
    ["No", false],
    ["on", true],
    ["y", true],
    ["0x1F", 31],
    ["0b11", 3],
    ["0o17", 15],
    ["1_000", 1000],
    ["08", 8],
    ["1e3", 1000],
    ["+5", 5],
    ["2024-01-01", "2024-01-01"],
    ["12:30:45", "12:30:45"],
    ["22:22", "22:22"],
    [".inf", ".inf"],
    ['"yes"', "yes"],
    ["~", null],
    ["'0644'", "0644"],
  ])("read %s as kubectl does", (text, value) => {
    expect(values(`a: ${text}\n`)).toEqual([{ a: value }]);
  });

  it("read every whole number as it was written", () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (number) => {
        expect(integerOf(String(number))).toBe(number);
        if (number >= 0) expect(integerOf(`0x${number.toString(16)}`)).toBe(number);
      }),
    );
  });

  it.each([
    ["a: 1\n---\nb: [\n", /^k8s\/a\.yaml, document 2, line 4: /],
    ["a: 1\na: 2\n", /document 1, line 2: duplicated mapping key/],
    ["a:\n\t- b\n", /line 2: tab characters/],
    ["x: *nope\n", /line 1: unidentified alias/],
    ["a: {{ .Values.name }}: b\n", /line 1/],
    ["a: &a\n  b: *a\n", /nested more than 100 deep|stand for more/],
  ])("that cannot be read are told with their place: %j", (text, cause) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ cause: expect.stringMatching(cause) }),
    );
  });

  it("of Helm are told as such", () => {
    expect(() => read("a: {{ .Values.name }}: b\n")).toThrow(/template of Helm/);
  });

  it("that grow without bounds are refused in no time", () => {
    const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
    for (const [before, name] of ["ab", "bc", "cd", "de", "ef", "fg", "gh"].entries()) {
      void before;
      const [from, to] = name;
      bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(",")}]`);
    }
    const began = performance.now();
    expect(() => read(bomb.join("\n"))).toThrow(/aliases stand for more than 200000 values/);
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe("objects", () => {
  const objects = (text: string) => objectsIn(read(text));

  it("of lists are taken apart, with the place of each", () => {
    const text =
      "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: b}}]}\n";
    expect(
      objects(text).map(({ object, origin }) => [object.kind, object.metadata.name, origin]),
    ).toEqual([
      ["Secret", "a", "k8s/a.yaml, document 1, line 1, item 1"],
      ["ConfigMap", "b", "k8s/a.yaml, document 1, line 1, item 2, item 1"],
    ]);
  });

  it("lose what only the API server writes", () => {
    const text =
      "apiVersion: v1\nkind: Secret\nmetadata: {name: a, uid: x, resourceVersion: '1', creationTimestamp: null, managedFields: [], generation: 2, labels: {a: b}, namespace: null}\nstatus: {}\n";
    expect(objects(text)[0]?.object).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "a", labels: { a: "b" } },
    });
  });

  it.each([
    ["- a\n", /it is a list/],
    ["just words\n", /it is a string/],
    ["apiVersion: v1\n", /it has no kind/],
    ["kind: Pod\n", /the Pod has no apiVersion/],
    ["kind: Pod\napiVersion: v1\n", /the Pod has no name/],
    ["kind: Pod\napiVersion: v1\nmetadata: {generateName: a-}\n", /generateName "a-"/],
    [
      "kind: Pod\napiVersion: v1\nmetadata: {name: 12}\n",
      /name of the Pod is a number: put it in quotes/,
    ],
    ["kind: Pod\napiVersion: v1\nmetadata: []\n", /metadata of the Pod is no map/],
    ["kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n", /name its folder/],
    [
      "kind: Pod\napiVersion: v1\nmetadata: {name: a, namespace: 1}\n",
      /namespace of the Pod a is no text/,
    ],
  ])("that are none are told: %j", (text, cause) => {
    expect(() => objects(text)).toThrow(
      expect.objectContaining({
        cause: expect.stringMatching(cause),
        at: { file: "k8s/a.yaml", line: 1 },
      }),
    );
  });

  it("are all told at once", () => {
    expect(() => objects("a: 1\n---\nb: 2\n")).toThrow(/document 1[\s\S]*document 2/);
  });

  it("come as they went in, whatever they hold", () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(json, (data) => {
        const object = { apiVersion: "v1", kind: "Thing", metadata: { name: "a" }, data };
        const plain = JSON.parse(JSON.stringify(object));
        expect(objects(JSON.stringify(object)).map((one) => one.object)).toEqual([plain]);
      }),
    );
  });
});
