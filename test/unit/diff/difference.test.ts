import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Comparison, differenceOf } from "../../../shared/diff/index.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";

const plain = (text: string) => text;

function object(kind: string, rest: object, metadata: object = {}): KubernetesObject {
  return { apiVersion: "v1", kind, metadata: { name: "web", ...metadata }, ...rest };
}

function fieldsOf(comparison: Comparison, redact = plain) {
  const [change] = differenceOf([comparison], redact).objects;
  return change?.fields ?? [];
}

function pathsOf(comparison: Comparison) {
  return fieldsOf(comparison).map(({ path, change }) => `${change} ${path}`);
}

const deployment = (containers: readonly object[], more: object = {}) =>
  object("Deployment", { spec: { ...more, template: { spec: { containers } } } });

describe("the difference of an object", () => {
  it.each<[string, Comparison, readonly string[]]>([
    [
      "an item of a list is found by its name, wherever it stands",
      {
        live: deployment([
          { name: "web", image: "a:1" },
          { name: "log", image: "b:1" },
        ]),
        desired: deployment([
          { name: "log", image: "b:1" },
          { name: "web", image: "a:2" },
        ]),
      },
      ["changed spec.template.spec.containers[web].image"],
    ],
    [
      "a port by its number",
      {
        live: deployment([{ name: "web", ports: [{ containerPort: 80, protocol: "TCP" }] }]),
        desired: deployment([{ name: "web", ports: [{ containerPort: 80, hostPort: 80 }] }]),
      },
      ["added spec.template.spec.containers[web].ports[80].hostPort"],
    ],
    [
      "defaults of the API server are none of the desired object's",
      {
        live: deployment([{ name: "web", imagePullPolicy: "Always" }], { replicas: 1 }),
        desired: deployment([{ name: "web" }]),
      },
      [],
    ],
    [
      "what is complete says that the rest will be gone",
      {
        live: deployment([{ name: "web", tty: true }]),
        desired: deployment([{ name: "web" }]),
        complete: true,
      },
      ["removed spec.template.spec.containers[web].tty"],
    ],
    [
      "what was asked for the last time, and is no more, will be gone",
      {
        live: deployment([{ name: "web", env: [{ name: "A", value: "1" }], tty: true }]),
        previous: deployment([{ name: "web", env: [{ name: "A", value: "1" }] }]),
        desired: deployment([{ name: "web" }]),
      },
      ["removed spec.template.spec.containers[web].env"],
    ],
    [
      "quantities that mean the same, and numbers written as text, are the same",
      {
        live: deployment([{ name: "web", resources: { limits: { cpu: "1", memory: "1Gi" } } }]),
        desired: deployment([
          { name: "web", resources: { limits: { cpu: "1000m", memory: "1024Mi" } } },
        ]),
      },
      [],
    ],
    [
      "empty is nothing",
      { live: deployment([{ name: "web" }]), desired: deployment([{ name: "web", env: [] }]) },
      [],
    ],
    [
      "bookkeeping is left out",
      {
        live: object(
          "ConfigMap",
          { data: { a: "1" }, status: { x: 1 } },
          {
            uid: "u",
            resourceVersion: "7",
            generation: 3,
            managedFields: [{}],
            annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
          },
        ),
        desired: object("ConfigMap", { data: { a: "1" } }),
        complete: true,
      },
      [],
    ],
    [
      "a key with a point is quoted",
      {
        live: object("ConfigMap", {}),
        desired: object("ConfigMap", { data: { "a.b": "1", c: "2" } }),
        previous: undefined,
      },
      ["added data"],
    ],
    [
      "lists of plain values are told as a whole",
      {
        live: deployment([{ name: "web", args: ["a", "b"] }]),
        desired: deployment([{ name: "web", args: ["a", "c"] }]),
      },
      ["changed spec.template.spec.containers[web].args"],
    ],
  ])("%s", (_, comparison, paths) => {
    expect(pathsOf(comparison)).toEqual(paths);
  });

  it("counts what is added, changed, removed and unchanged", () => {
    const map = (value: string) => object("ConfigMap", { data: { a: value } });
    const { counts, objects } = differenceOf(
      [
        { live: undefined, desired: map("1") },
        { live: map("1"), desired: map("2") },
        { live: map("1"), desired: undefined },
        { live: map("1"), desired: map("1") },
        { live: undefined, desired: undefined },
      ],
      plain,
    );
    expect(counts).toEqual({ added: 1, changed: 1, removed: 1, unchanged: 1 });
    expect(objects[0]?.whole).toEqual({ metadata: { name: "web" }, data: { a: "1" } });
  });
});

describe("secrets", () => {
  const told = (comparison: Comparison, redact = plain) =>
    JSON.stringify(differenceOf([comparison], redact));
  const base64 = (text: string) => Buffer.from(text).toString("base64");

  it("of a Secret, the keys that change are told, and no value", () => {
    const comparison = {
      live: object("Secret", { data: { a: base64("old"), b: base64("same") } }),
      desired: object("Secret", { stringData: { a: "new", b: "same", c: "more" } }),
    };
    expect(fieldsOf(comparison)).toEqual([
      { path: "data.a", change: "changed", hidden: true },
      { path: "data.c", change: "added", hidden: true },
    ]);
  });

  it.each<[string, KubernetesObject, KubernetesObject | undefined]>([
    ["a new Secret", object("Secret", { stringData: { a: "hush-hush" } }), undefined],
    ["a Secret's data", object("Secret", { data: { a: base64("hush-hush") } }), undefined],
    [
      "an environment variable whose name speaks of one",
      deployment([{ name: "web", env: [{ name: "DB_PASSWORD", value: "hush-hush" }] }]),
      deployment([{ name: "web", env: [{ name: "DB_PASSWORD", value: "hush" }] }]),
    ],
    [
      "the same in a container that is new",
      deployment([{ name: "web", env: [{ name: "SECRET_KEY_BASE", value: "hush-hush" }] }]),
      deployment([]),
    ],
    [
      "a password in an address",
      deployment([{ name: "web", env: [{ name: "URL", value: "pg://u:hush-hush@db/x" }] }]),
      deployment([{ name: "web" }]),
    ],
    [
      "a custom resource's own",
      object("Database", { spec: { password: "hush-hush" } }),
      object("Database", { spec: { password: "hush" } }),
    ],
    [
      "a checksum, from which a short one could be guessed",
      object("Pod", {}, { annotations: { "checksum/secret": "hush-hush" } }),
      object("Pod", {}, { annotations: { "checksum/secret": "0" } }),
    ],
    [
      "a ConfigMap's key that speaks of one",
      object("ConfigMap", { data: { "admin-password": "hush-hush" } }),
      object("ConfigMap", { data: { "admin-password": "hush" } }),
    ],
  ])("%s is hidden", (_, desired, live) => {
    const text = told({ live, desired });
    expect(text).not.toContain("hush-hush");
    expect(text).not.toContain(base64("hush-hush"));
  });

  it("that are known are replaced, and where they alone differ, nothing is shown", () => {
    const redact = (text: string) => text.replace(/hush-\w+/g, "***");
    const map = (value: string) => object("ConfigMap", { data: { url: value } });
    const comparison = { live: map("http://hush-1"), desired: map("http://hush-2") };
    expect(fieldsOf(comparison, redact)).toEqual([
      { path: "data.url", change: "changed", hidden: true },
    ]);
  });
});

describe("any object", () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const tree = fc.dictionary(fc.string({ minLength: 1 }), json, { maxKeys: 5 });

  it("is the same as itself, complete or not", () => {
    fc.assert(
      fc.property(tree, fc.boolean(), (spec, complete) => {
        const one = object("Thing", { spec });
        expect(fieldsOf({ live: one, desired: structuredClone(one), complete })).toEqual([]);
      }),
    );
  });

  it("differs from another when it is complete, unless both are empty there", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const with_ = (note: string) => object("Thing", { spec: { note } });
        const fields = fieldsOf({ live: with_(one), desired: with_(other), complete: true });
        expect(fields.length).toBe(one === other ? 0 : 1);
      }),
    );
  });
});
