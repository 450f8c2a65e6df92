import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  isNotFound,
  isTransient,
  type KubernetesObject,
} from "../../../shared/kubernetes/index.ts";
import { type Sandbox, sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("objects");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

interface Settings extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

function settings(name: string, data: Readonly<Record<string, string>>): Settings {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: box.namespace },
    data,
  };
}

describe("objects of any kind", () => {
  const ref = (name: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    namespace: box.namespace,
    name,
  });

  it("are created, read, patched and deleted", async () => {
    const { cluster } = box;
    await cluster.create(settings("one", { a: "1" }));
    expect((await cluster.get<Settings>(ref("one"))).data).toEqual({ a: "1" });
    await cluster.patch(ref("one"), { data: { b: "2" } });
    await cluster.patch(ref("one"), [{ op: "remove", path: "/data/a" }], "json");
    expect((await cluster.get<Settings>(ref("one"))).data).toEqual({ b: "2" });
    await cluster.delete(ref("one"));
    await cluster.delete(ref("one"));
    expect(await cluster.find(ref("one"))).toBeUndefined();
  });

  it("are applied, and a field that another manager owns is not taken without force", async () => {
    const { cluster } = box;
    await cluster.apply(settings("two", { a: "1" }), { fieldManager: "first" });
    const taking = settings("two", { a: "2" });
    await expect(cluster.apply(taking, { fieldManager: "second" })).rejects.toMatchObject({
      status: 409,
      cause: expect.stringContaining('conflict with "first"'),
    });
    await cluster.apply(taking, { fieldManager: "second", force: true });
    expect((await cluster.get<Settings>(ref("two"))).data).toEqual({ a: "2" });
  });

  it("are only tried out in a dry run", async () => {
    const { cluster } = box;
    await cluster.apply(settings("dry", {}), { dryRun: true });
    await cluster.create(settings("dry", {}), { dryRun: true });
    expect(await cluster.find(ref("dry"))).toBeUndefined();
    await cluster.create(settings("wet", { a: "1" }));
    await cluster.patch(ref("wet"), { data: { a: "2" } }, "merge", { dryRun: true });
    await cluster.replace(settings("wet", { a: "3" }), { dryRun: true });
    await cluster.delete(ref("wet"), { dryRun: true });
    expect((await cluster.get<Settings>(ref("wet"))).data).toEqual({ a: "1" });
  });

  it("are replaced only as they were read", async () => {
    const { cluster } = box;
    const first = await cluster.create(settings("three", { a: "1" }));
    await cluster.replace({ ...first, data: { a: "2" } });
    await expect(cluster.replace({ ...first, data: { a: "3" } })).rejects.toMatchObject({
      status: 409,
    });
    const { resourceVersion, uid } = first.metadata;
    await expect(cluster.delete(ref("three"), { resourceVersion })).rejects.toMatchObject({
      status: 409,
    });
    await cluster.delete(ref("three"), { uid });
    expect(await cluster.find(ref("three"))).toBeUndefined();
  });

  it("are written in the name of a field manager, and checked as strictly as asked", async () => {
    const { cluster } = box;
    await cluster.create(settings("four", { a: "1" }), { fieldManager: "harbour" });
    const { metadata } = await cluster.patch<Settings>(ref("four"), { data: { b: "1" } }, "merge", {
      fieldManager: "pilot",
    });
    const { managedFields } = metadata as { managedFields?: { manager: string }[] };
    expect(managedFields?.map(({ manager }) => manager)).toEqual(["harbour", "pilot"]);
    const odd = { ...settings("odd", {}), dta: {} };
    const warnings: string[] = [];
    const onWarning = (words: string) => void warnings.push(words);
    await cluster.create(odd, { fieldValidation: "Warn", dryRun: true, onWarning });
    expect(warnings).toEqual([expect.stringContaining('unknown field "dta"')]);
    await expect(cluster.create(odd, { fieldValidation: "Strict" })).rejects.toMatchObject({
      cause: expect.stringContaining('unknown field "dta"'),
    });
    const refused = await cluster.apply(odd, {}).catch((error: unknown) => error);
    expect(refused).toMatchObject({ remedy: expect.stringContaining("correct its name") });
    expect(isTransient(refused)).toBe(false);
  });

  it("are found by what the server says of its kinds", async () => {
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: box.namespace };
    await box.cluster.create({ ...lease, metadata: { name: "l", namespace: box.namespace } });
    const { items } = await box.cluster.list(lease);
    expect(items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(["Lease l"]);
    await expect(box.cluster.list({ ...lease, kind: "Leese" })).rejects.toMatchObject({
      cause: expect.stringContaining("did you mean Lease?"),
    });
  });

  it("are listed whole, however many pages there are", async () => {
    const many = Array.from({ length: 520 }, (_, index) => settings(`many-${index}`, {}));
    while (many.length > 0)
      await Promise.all(many.splice(0, 40).map((one) => box.cluster.create(one)));
    const { items } = await box.cluster.list({
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: box.namespace,
    });
    expect(items.filter(({ metadata }) => metadata.name.startsWith("many-"))).toHaveLength(520);
  }, 60_000);

  it("tells what is missing", async () => {
    const error = await box.cluster.get(ref("none")).catch((thrown: unknown) => thrown);
    expect(isNotFound(error)).toBe(true);
    expect(error).toMatchObject({
      cause: expect.stringContaining(`get configmaps none in namespace ${box.namespace}`),
    });
  });

  it("can all be asked for, with names and verbs", async () => {
    const { resources, unavailable } = await box.cluster.resources();
    expect(unavailable).toEqual([]);
    expect(resources.filter(({ kind }) => kind === "Deployment")).toEqual([
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        plural: "deployments",
        namespaced: true,
        group: "apps",
        version: "v1",
        singular: "deployment",
        shortNames: ["deploy"],
        verbs: expect.arrayContaining(["list", "watch", "patch"]),
        categories: ["all"],
        subresources: expect.arrayContaining(["scale", "status"]),
        preferred: true,
      },
    ]);
    const hpas = resources.filter(({ kind }) => kind === "HorizontalPodAutoscaler");
    expect(hpas.find(({ preferred }) => preferred)?.apiVersion).toBe("autoscaling/v2");
    expect(resources.find(({ plural }) => plural === "namespaces")?.namespaced).toBe(false);
  });

  it("tell who may do what", async () => {
    const { cluster, namespace } = box;
    const deed = { verb: "delete", apiVersion: "apps/v1", kind: "Deployment", namespace };
    expect(await cluster.may(deed)).toMatchObject({ allowed: true });
    const scale = { verb: "update", apiVersion: "apps/v1", resource: "deployments" };
    expect(await cluster.may({ ...scale, subresource: "scale" })).toMatchObject({ allowed: true });
  });

  it("are left alone when the signal has aborted", async () => {
    const aborted = box.cluster.boundTo(AbortSignal.abort(new Error("cancelled")));
    await expect(aborted.create(settings("late", {}))).rejects.toThrow("cancelled");
    expect(await box.cluster.find(ref("late"))).toBeUndefined();
  });
});
