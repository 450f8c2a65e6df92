import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { manifest, Quay, quoted } from "./quay.ts";

jest.setTimeout(240_000);

let quay: Quay;
beforeAll(async () => {
  quay = await Quay.open("apply-members");
});
afterAll(async () => quay?.[Symbol.asyncDispose]());

const claim = manifest({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "disk", annotations: { "seaworthy.dev/await": "false" } },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
});

describe("what is in the set no more", () => {
  it("is listed, deleted within limits, and kept where data may go with it", async () => {
    const name = "prune";
    const config = (...names: readonly string[]) =>
      names.map((one) => quay.config(one, one)).join("");
    await quay.apply({ name, content: config("a", "b", "c", "d") + claim });
    const refused = await quay.apply({ name, content: config("a") });
    expect(refused.outputs.cause).toMatch(
      /^3 of 5 objects of the set .* but the limit is 10 and 50%: configmap\/\w, configmap\/\w, configmap\/\w\.$/,
    );
    expect(await quay.configMap("d")).toBeDefined();
    quoted("-limit", refused, { [quay.namespace]: "shop" });

    const pruned = await quay.apply({ name, content: config("a", "b") });
    expect(pruned.outputs).toMatchObject({ verdict: "passed", pruned: "2" });
    expect(pruned.stdout).toMatch(/To be deleted, for the set has them no more: 2/);
    expect(pruned.stdout.indexOf("To be deleted")).toBeLessThan(
      pruned.stdout.indexOf("is applied"),
    );
    expect(await quay.configMap("c")).toBeUndefined();
    expect(await quay.find("v1", "PersistentVolumeClaim", "disk")).toBeDefined();
    expect(pruned.summary).toMatch(/persistentvolumeclaim\/disk is in the set no more and is left/);

    const kept = await quay.apply({ name, content: config("a"), prune: "false" });
    expect(kept.outputs).toMatchObject({ verdict: "passed", pruned: "0" });
    expect(await quay.configMap("b")).toBeDefined();

    const rest = await quay.apply({
      name,
      content: config("a"),
      "prune-limit": "100%",
      "prune-also": "PersistentVolumeClaim",
    });
    expect(rest.outputs).toMatchObject({ verdict: "passed", pruned: "2" });
    expect(await quay.configMap("b")).toBeUndefined();
  });

  it("is found by a label where sets are not used, and strangers are left alone", async () => {
    const labelled = (one: string) =>
      manifest({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: one, labels: { app: "labels" } },
      });
    await quay.kubectl(
      "apply",
      "-f",
      await quay.runner.write("l.yaml", labelled("l-old") + labelled("l-stays")),
    );
    await quay.kubectl("create", "configmap", "l-made");
    await quay.kubectl("label", "configmap", "l-made", "app=labels");
    const pruned = await quay.apply({
      name: "labels",
      content: labelled("l-stays"),
      "prune-selector": "app=labels",
    });
    expect(pruned.outputs).toMatchObject({ verdict: "passed", pruned: "1" });
    expect(await quay.configMap("l-old")).toBeUndefined();
    expect(await quay.configMap("l-made")).toBeDefined();
  });
});

describe("what comes with the set itself", () => {
  it("is waited for: definitions before their resources, namespaces before what is in them", async () => {
    const group = `${quay.namespace}.seaworthy.dev`;
    const other = `${quay.namespace}-more`;
    const definition = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `buoys.${group}` },
      spec: {
        group,
        scope: "Namespaced",
        names: { kind: "Buoy", plural: "buoys" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: "object",
                properties: { spec: { type: "object", properties: { light: { type: "string" } } } },
              },
            },
          },
        ],
      },
    };
    const buoy = (light: object) => ({
      apiVersion: `${group}/v1`,
      kind: "Buoy",
      metadata: { name: "north" },
      spec: light,
    });
    const inside = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "inside", namespace: other },
    };
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: other } };
    const { cluster } = quay.box;
    try {
      const name = "kinds";
      const content = [buoy({ light: "red" }), inside, definition, namespace]
        .map(manifest)
        .join("");
      const first = await quay.apply({ name, content });
      expect(first.outputs).toMatchObject({ verdict: "passed", applied: "4" });
      expect(first.stdout).toMatch(/Not checked beforehand: 2/);
      const wrong = [buoy({ ligth: "red" }), inside, definition, namespace].map(manifest).join("");
      const refused = await quay.apply({ name, content: wrong });
      expect(refused.outputs.cause).toMatch(/\.spec\.ligth: the kind has no such field/);
      const less = await quay.apply({ name, content: manifest(definition) + manifest(namespace) });
      expect(less.outputs).toMatchObject({ verdict: "passed", pruned: "2" });
      const none = await quay.apply({
        name,
        content: quay.config("last", "one"),
        "prune-limit": "9",
      });
      expect(none.outputs).toMatchObject({ verdict: "passed", pruned: "0" });
      expect(
        await cluster.find({ apiVersion: "v1", kind: "Namespace", name: other }),
      ).toBeDefined();
    } finally {
      await cluster.delete({ ...definition, name: definition.metadata.name });
      await cluster.delete({ apiVersion: "v1", kind: "Namespace", name: other });
    }
  });

  it("may be its own namespace", async () => {
    const namespace = `${quay.namespace}-own`;
    const content = quay.config("inside", "one");
    const refused = await quay.apply({ name: "own", namespace, content });
    expect(refused.outputs.cause).toMatch(new RegExp(`The namespace ${namespace} does not exist`));
    const made = await quay.apply({
      name: "own",
      namespace,
      content:
        content + manifest({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }),
    });
    await quay.box.cluster.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
    expect(made.outputs).toMatchObject({ verdict: "passed", applied: "2" });
  });
});

describe("large and strange sets", () => {
  it("of 500 objects and 5 MB come whole, and change nothing the second time", async () => {
    const name = "large";
    const text = "ü".repeat(5_000);
    const many = Array.from({ length: 500 }, (_, index) =>
      quay.config(`many-${index}`, `${index}${text}`),
    );
    await quay.runner.write("große Manifeste/alle ☂.yaml", many.join(""));
    const first = await quay.apply({ name, manifests: "große Manifeste/*.yaml" });
    expect(first.outputs).toMatchObject({ verdict: "passed", applied: "500", changed: "500" });
    expect((await quay.configMap("many-499"))?.data?.text).toBe(`499${text}`);
    const again = await quay.apply({ name, manifests: "große Manifeste/alle ☂.yaml" });
    expect(again.outputs).toMatchObject({ verdict: "passed", changed: "0", revision: "1" });
    const record = await quay.find("v1", "Secret", `applyset-${name}.v1`);
    expect(JSON.stringify(record).length).toBeLessThan(150_000);
  });
});

describe("two runs at once", () => {
  it("take turns, and the later one stands", async () => {
    const name = "turns";
    const first = await quay.start({
      name,
      content: quay.web("turns", { text: "one", steadyFor: 12 }),
    });
    await first.logged(/is applied/);
    const second = await quay.apply({
      name,
      content: quay.web("turns", { text: "two", steadyFor: 0 }),
    });
    expect(second.stdout).toMatch(/is working on the set turns: waiting for it to end/);
    expect((await first.finished).outputs).toMatchObject({ verdict: "passed", revision: "1" });
    expect(second.outputs).toMatchObject({ verdict: "passed", revision: "2" });
    expect(await quay.history(name)).toEqual(["1 good", "2 good"]);
  });
});
