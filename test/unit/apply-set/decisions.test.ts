import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { leaveReplicas } from "../../../shared/apply-set/autoscaled.ts";
import { managedFieldsOf, takenOver } from "../../../shared/apply-set/field-owners.ts";
import { withoutField } from "../../../shared/apply-set/field-path.ts";
import { keyOf } from "../../../shared/apply-set/key.ts";
import { inStages, stageOf } from "../../../shared/apply-set/order.ts";
import { pruneList, refuseTooMany } from "../../../shared/apply-set/prune.ts";
import { putBackSteps } from "../../../shared/apply-set/put-back.ts";
import { placed } from "../../../shared/apply-set/scope.ts";
import { SET_NAME, setId } from "../../../shared/apply-set/set.ts";
import type { KubernetesObject, ServedResource } from "../../../shared/kubernetes/index.ts";

const object = (kind: string, name: string, rest: object = {}): KubernetesObject =>
  ({ apiVersion: "v1", kind, metadata: { name, namespace: "shop" }, ...rest }) as KubernetesObject;

describe("the identity of a set", () => {
  it("is the hash that the specification of ApplySets gives", () => {
    // sha256 of "applyset-shop.prod.Secret.", in base64 for URLs.
    expect(setId({ name: "shop", namespace: "prod" })).toBe(
      "applyset-YSIT3DSp4kHxHUzf4EfDgzTusAdL3FaQzjnrWWfCcY4-v1",
    );
  });

  it.each(["a", "shop", "a-b", "a".repeat(40)])("may be called %s", (name) => {
    expect(name).toMatch(SET_NAME);
  });
  it.each(["", "-a", "a-", "A", "a.b", "a".repeat(41)])("may not be called %j", (name) => {
    expect(name).not.toMatch(SET_NAME);
  });
});

describe("the order of kinds", () => {
  it.each([
    ["v1 Namespace", "apiextensions.k8s.io/v1 CustomResourceDefinition"],
    ["apiextensions.k8s.io/v1 CustomResourceDefinition", "example.com/v1 Buoy"],
    ["v1 ServiceAccount", "rbac.authorization.k8s.io/v1 RoleBinding"],
    ["rbac.authorization.k8s.io/v1 Role", "rbac.authorization.k8s.io/v1 RoleBinding"],
    ["v1 ConfigMap", "apps/v1 Deployment"],
    ["v1 Secret", "batch/v1 Job"],
    ["v1 PersistentVolumeClaim", "apps/v1 StatefulSet"],
    ["v1 Service", "apps/v1 StatefulSet"],
    ["apps/v1 Deployment", "networking.k8s.io/v1 Ingress"],
    ["apps/v1 Deployment", "autoscaling/v2 HorizontalPodAutoscaler"],
    ["apps/v1 Deployment", "example.com/v1 Certificate"],
    ["example.com/v1 Service", "networking.k8s.io/v1 Ingress"],
    [
      "networking.k8s.io/v1 Ingress",
      "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration",
    ],
  ])("%s comes before %s", (first, second) => {
    const stage = (text: string) => {
      const [apiVersion = "", kind = ""] = text.split(" ");
      return stageOf({ apiVersion, kind });
    };
    expect(stage(first)).toBeLessThan(stage(second));
  });

  it("keeps every object, and those of a stage in their order", () => {
    const kinds = fc.constantFrom("Namespace", "Secret", "Deployment", "Buoy", "Ingress");
    fc.assert(
      fc.property(fc.array(kinds), (list) => {
        const objects = list.map((kind, index) => object(kind, `${index}`));
        const stages = inStages(objects, (one) => one);
        expect(stages.flat()).toHaveLength(objects.length);
        const numbers = stages.map((stage) => stage.map(stageOf));
        expect(numbers.flat()).toEqual([...numbers.flat()].sort((a, b) => a - b));
        for (const stage of stages) {
          const names = stage.map(({ metadata }) => Number(metadata.name));
          expect(names).toEqual([...names].sort((a, b) => a - b));
        }
      }),
    );
  });
});

describe("a field that a kind does not have", () => {
  const containers = [
    { name: "a", x: 1 },
    { name: "web", x: 1, ports: [{ port: 1, y: 2 }] },
  ];
  it.each([
    [".x", { x: 1, y: 2 }, { y: 2 }],
    [".a.b", { a: { b: 1, c: 2 } }, { a: { c: 2 } }],
    [
      '.c[name="web"].x',
      { c: containers },
      { c: [containers[0], { name: "web", ports: [{ port: 1, y: 2 }] }] },
    ],
    [
      '.c[name="web"].ports[port=1].y',
      { c: containers },
      { c: [containers[0], { name: "web", x: 1, ports: [{ port: 1 }] }] },
    ],
    [".c[0].x", { c: containers }, { c: [{ name: "a" }, containers[1]] }],
    [".nowhere.at.all", { a: 1 }, { a: 1 }],
  ])("is left out at %s", (path, value, expected) => {
    expect(withoutField(value, path)).toEqual(expected);
  });
});

describe("fields of earlier managers", () => {
  const entry = (manager: string, operation: string, fieldsV1: object, more: object = {}) => ({
    manager,
    operation,
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1,
    ...more,
  });
  const withFields = (managedFields: readonly object[], kind = "Service") =>
    object(kind, "a", { metadata: { name: "a", managedFields } });

  it("of kubectl apply become our own", () => {
    const before = withFields([
      entry("kubectl-client-side-apply", "Update", { "f:spec": { "f:a": {} } }),
      entry("ours", "Apply", { "f:spec": { "f:b": {} } }, { time: "t" }),
      entry("else", "Update", { "f:spec": { "f:c": {} } }),
    ]);
    expect(takenOver(before, "ours")).toEqual([
      entry("ours", "Apply", { "f:spec": { "f:a": {}, "f:b": {} } }, { time: "t" }),
      entry("else", "Update", { "f:spec": { "f:c": {} } }),
    ]);
  });

  it.each([
    ["nobody's", []],
    ["server-side appliers'", [entry("kubectl", "Apply", {})]],
    ["people's", [entry("kubectl-edit", "Update", {})]],
    ["a status'", [entry("before-first-apply", "Update", {}, { subresource: "status" })]],
  ])("of %s are left to them", (_, fields) => {
    expect(takenOver(withFields(fields), "ours")).toBeUndefined();
  });

  it("of kubectl create are taken over where there is no other way to make such an object", () => {
    const fields = [entry("kubectl-create", "Update", { "f:data": {} })];
    expect(takenOver(withFields(fields, "Secret"), "ours")).toHaveLength(1);
    expect(takenOver(withFields(fields, "Deployment"), "ours")).toBeUndefined();
  });

  it("are never lost or doubled", () => {
    const names = fc.constantFrom("f:a", "f:b", "f:c");
    const fields = fc.dictionary(names, fc.dictionary(names, fc.constant({})));
    fc.assert(
      fc.property(fields, fields, (theirs, ours) => {
        const before = withFields([
          entry("kubectl-client-side-apply", "Update", theirs),
          entry("ours", "Apply", ours),
        ]);
        const [merged] = takenOver(before, "ours") ?? [];
        const paths = (tree: object): string[] =>
          Object.entries(tree).flatMap(([key, inner]) => [
            key,
            ...paths(inner).map((rest) => `${key}.${rest}`),
          ]);
        const all = new Set([...paths(theirs), ...paths(ours)]);
        expect(new Set(paths(merged?.fieldsV1 ?? {}))).toEqual(all);
        expect(managedFieldsOf(before)).toHaveLength(2);
      }),
    );
  });
});

describe("replicas under an autoscaler", () => {
  const scaled = (replicas: number, owners: readonly string[]) =>
    object("Deployment", "web", {
      apiVersion: "apps/v1",
      metadata: {
        name: "web",
        namespace: "shop",
        managedFields: owners.map((manager) => ({
          manager,
          fieldsV1: { "f:spec": { "f:replicas": {} } },
        })),
      },
      spec: { replicas },
    });
  const keys = new Set([keyOf(scaled(1, []))]);
  const wanted = scaled(1, []);
  it.each([
    ["are the manifest's on a new object", undefined, keys, 1],
    ["are the manifest's without an autoscaler", scaled(5, ["ours"]), new Set<string>(), 1],
    ["stay what they are where only we own them", scaled(5, ["ours"]), keys, 5],
    ["stay what they are after kubectl apply", scaled(5, ["kubectl-client-side-apply"]), keys, 5],
    [
      "are left out where another owns them",
      scaled(5, ["kube-controller-manager"]),
      keys,
      undefined,
    ],
    [
      "are left out where another owns them too",
      scaled(5, ["ours", "kube-controller-manager"]),
      keys,
      undefined,
    ],
  ])("%s", (_, live, autoscaled, replicas) => {
    const sent = leaveReplicas(wanted, live, autoscaled, "ours") as {
      spec?: { replicas?: number };
    };
    expect(sent.spec?.replicas).toBe(replicas);
  });
});

describe("pruning", () => {
  const members = [
    object("ConfigMap", "a"),
    object("ConfigMap", "b"),
    object("PersistentVolumeClaim", "c"),
  ];
  const names = (list: readonly KubernetesObject[]) => list.map(({ metadata }) => metadata.name);

  it("takes what is desired no more, and leaves what may hold data", () => {
    const { gone, kept } = pruneList(members, new Set([keyOf(object("ConfigMap", "a"))]), []);
    expect([names(gone), names(kept)]).toEqual([["b"], ["c"]]);
    const all = pruneList(members, new Set(), ["persistentvolumeclaim"]);
    expect([names(all.gone), names(all.kept)]).toEqual([["a", "b", "c"], []]);
  });

  it.each([
    [3, 10, { count: 3 }, true],
    [4, 10, { count: 3 }, false],
    [5, 10, { percent: 50 }, true],
    [6, 10, { percent: 50 }, false],
    [6, 100, { count: 10, percent: 50 }, true],
    [11, 100, { count: 10, percent: 50 }, false],
    [2, 2, { count: 10, percent: 50 }, false],
    [0, 0, { count: 0, percent: 0 }, true],
    [1, 1, {}, true],
  ])("of %d among %d with the limit %j: allowed is %p", (gone, all, most, allowed) => {
    const list = Array.from({ length: gone }, (_, index) => object("ConfigMap", `${index}`));
    const refuse = () => refuseTooMany(list, all, { most });
    if (allowed) expect(refuse).not.toThrow();
    else expect(refuse).toThrow(/objects of the set/);
  });
});

describe("going back", () => {
  const a = object("ConfigMap", "a");
  const steps = (touched: KubernetesObject, known: object) =>
    putBackSteps({ touched: [touched], good: [], before: [], alsoKinds: [], ...known }).map(
      ({ doing }) => doing,
    );
  const job = object("Job", "j", { apiVersion: "batch/v1" });
  it.each([
    ["what a good revision has is applied", a, { good: [a] }, "apply"],
    ["what was there before is restored", a, { before: [a] }, "restore"],
    [
      "a good revision counts more than what was there before it",
      a,
      { good: [a], before: [a] },
      "apply",
    ],
    ["what is new is deleted", a, {}, "delete"],
    ["a new claim is left", object("PersistentVolumeClaim", "c"), {}, "leave"],
    [
      "a new claim is deleted when that is allowed",
      object("PersistentVolumeClaim", "c"),
      { alsoKinds: ["PersistentVolumeClaim"] },
      "delete",
    ],
    ["a Job of a good revision does not run again", job, { good: [job] }, "leave"],
    ["a new Job is deleted", job, {}, "delete"],
  ])("%s", (_, touched, known, doing) => {
    expect(steps(touched, known)).toEqual([doing]);
  });
});

describe("the place of objects", () => {
  const served = (apiVersion: string, kind: string, namespaced: boolean) =>
    ({
      apiVersion,
      kind,
      namespaced,
      group: "",
      plural: `${kind.toLowerCase()}s`,
    }) as ServedResource;
  const resources = {
    resources: [served("v1", "ConfigMap", true), served("v1", "Namespace", false)],
    unavailable: ["metrics.k8s.io/v1beta1"],
  };
  const rules = { namespace: "shop", otherNamespaces: [] };
  const place = (...objects: readonly KubernetesObject[]) =>
    placed(
      objects.map((one, index) => ({ object: one, origin: `place ${index}` })),
      resources,
      rules,
    );
  const bare = (kind: string, namespace?: string) =>
    object(kind, "a", {
      metadata: { name: "a", ...(namespace === undefined ? {} : { namespace }) },
    });

  it("is the set's namespace unless they name one, or none", () => {
    const [config, namespace] = place(bare("ConfigMap"), bare("Namespace", "shop"));
    expect(config?.object.metadata.namespace).toBe("shop");
    expect(namespace?.object.metadata).toEqual({ name: "a" });
  });

  it("may be a namespace that the set makes", () => {
    expect(place(bare("Namespace"), bare("ConfigMap", "a"))).toHaveLength(2);
    expect(() => place(bare("ConfigMap", "a"))).toThrow(
      /is in namespace a, and the set is in shop/,
    );
  });

  it("is known from a definition in the set", () => {
    const definition = object("CustomResourceDefinition", "x", {
      apiVersion: "apiextensions.k8s.io/v1",
      spec: {
        group: "e.com",
        scope: "Cluster",
        names: { kind: "Buoy" },
        versions: [{ name: "v1" }],
      },
    });
    const buoy = object("Buoy", "north", { apiVersion: "e.com/v1" });
    const crds = {
      ...resources,
      resources: [
        ...resources.resources,
        served("apiextensions.k8s.io/v1", "CustomResourceDefinition", false),
      ],
    };
    const both = [definition, buoy].map((one) => ({ object: one, origin: "" }));
    const [, one] = placed(both, crds, rules);
    expect(one).toMatchObject({ served: false, object: { metadata: { name: "north" } } });
    expect(one?.object.metadata.namespace).toBeUndefined();
  });

  it.each([
    [
      { apiVersion: "v1", kind: "ConfigMapp" },
      /no kind ConfigMapp in v1; did you mean ConfigMap of v1\?/,
    ],
    [{ apiVersion: "v2", kind: "ConfigMap" }, /it serves ConfigMap in v1/],
    [{ apiVersion: "metrics.k8s.io/v1beta1", kind: "PodMetrics" }, /does not answer/],
    [{ apiVersion: "e.com/v1", kind: "Qqqqqqqqqqqq" }, /no kind Qqqqqqqqqqqq in e\.com\/v1\.$/m],
  ])("of an unknown kind is told with what is near: %j", (type, cause) => {
    expect(() => place(object("", "a", type))).toThrow(
      expect.objectContaining({ cause: expect.stringMatching(cause) }),
    );
  });

  it("is told twice of an object that is there twice, in whichever version", () => {
    expect(() => place(bare("ConfigMap"), bare("ConfigMap", "shop"))).toThrow(
      /is in place 0 and in place 1/,
    );
  });
});
