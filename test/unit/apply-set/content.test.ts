import { describe, expect, it } from "@jest/globals";
import { contentOf, straysOf, traceOf } from "../../../shared/apply-set/content.ts";
import type { PlannedObject } from "../../../shared/apply-set/plan.ts";
import type { RevisionContent } from "../../../shared/apply-set/record.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";

const config = (name: string, text = name): KubernetesObject =>
  ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "shop", uid: "u", resourceVersion: "1" },
    data: { text },
  }) as KubernetesObject;
const planned = (name: string, live?: KubernetesObject): PlannedObject => ({
  object: config(name),
  origin: "a.yaml",
  deed: live === undefined ? "create" : "change",
  live,
  expected: undefined,
  adopted: false,
  force: false,
});
const past = (names: readonly string[], more: Partial<RevisionContent> = {}): RevisionContent => ({
  objects: names.map((name) => ({ object: config(name), origin: "a.yaml" })),
  changes: [],
  earlier: [],
  images: [],
  before: [],
  strays: [],
  ...more,
});
const names = (list: readonly { name?: string; metadata?: { name: string } }[]) =>
  list.map((one) => one.name ?? one.metadata?.name);

describe("what a revision remembers for the way back", () => {
  it("is how objects were that it takes in, without what the API server alone may write", () => {
    const content = contentOf(
      [
        planned("new"),
        planned("known", config("known")),
        planned("elder", config("elder", "theirs")),
      ],
      [],
      [],
      {
        good: past(["known"]),
        unfinished: undefined,
      },
    );
    expect(content.before).toMatchObject([
      { metadata: { name: "elder" }, data: { text: "theirs" } },
    ]);
    expect(content.before[0]?.metadata).not.toHaveProperty("resourceVersion");
  });

  it("is what a revision left behind that came to nothing: how things were before it, and what it made", () => {
    const elder = config("elder", "theirs");
    const unfinished = past(["known", "elder", "made", "also"], { before: [elder] });
    const content = contentOf(
      [
        planned("elder", config("elder", "half done")),
        planned("made", config("made", "half done")),
      ],
      [],
      [],
      { good: past(["known"]), unfinished },
    );
    expect(content.before).toEqual([elder]);
    expect(names(content.strays)).toEqual(["made", "also"]);
  });

  it("is carried on through several of them", () => {
    const first = past(["one"]);
    const second = contentOf([planned("two")], [], [], { good: undefined, unfinished: first });
    expect(names(second.strays)).toEqual(["one"]);
    const third = straysOf({ good: undefined, unfinished: second });
    expect(names(third).sort()).toEqual(["one", "two"]);
    expect(names(traceOf(second)).sort()).toEqual(["one", "two"]);
  });

  it("is nothing where all went well", () => {
    expect(straysOf({ good: past(["a"]), unfinished: undefined })).toEqual([]);
    expect(traceOf(undefined)).toEqual([]);
  });
});
