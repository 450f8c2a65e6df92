import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { manifest, Quay, quoted } from "./quay.ts";

jest.setTimeout(180_000);

let quay: Quay;
beforeAll(async () => {
  quay = await Quay.open("apply-refused");
});
afterAll(async () => quay?.[Symbol.asyncDispose]());

const job = (name: string, text: string) =>
  manifest({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: {
      suspend: true,
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "a", image: "a", args: [text] }],
        },
      },
    },
  });

const deployment = (name: string, spec: object, container: object = {}) =>
  manifest({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "main", image: "none", ...container }] },
      },
      ...spec,
    },
  });

describe("fields of other managers", () => {
  it("are refused by manager and field, and taken over when that is asked for", async () => {
    await quay.apply({ name: "conflict", content: deployment("conflict", { replicas: 0 }) });
    const other = { fieldManager: "somebody-else", force: true };
    const metadata = { name: "conflict", namespace: quay.namespace };
    const labels = { team: "theirs" };
    await quay.box.cluster.apply(
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { ...metadata, labels },
        spec: { template: { spec: { containers: [{ name: "main", image: "theirs" }] } } },
      } as KubernetesObject,
      other,
    );
    const content = deployment("conflict", { replicas: 0 }, { image: "ours" });
    const refused = await quay.apply({ name: "conflict", content });
    expect(refused.outputs.cause).toBe(
      'deployment/conflict (the input content, document 1, line 2): the manager "somebody-else" owns .spec.template.spec.containers[name="main"].image.',
    );
    expect(refused.stdout).toMatch(/force-conflicts: true.*Nothing was changed/);
    quoted("-conflict", refused, { [quay.namespace]: "shop" });
    expect(await quay.history("conflict")).toEqual(["1 good"]);
    const forced = await quay.apply({ name: "conflict", content, "force-conflicts": "true" });
    expect(forced.outputs.verdict).toBe("passed");
    const live = await quay.deployment("conflict");
    expect(live?.spec?.template?.spec?.containers?.[0]?.image).toBe("ours");
    expect(live?.metadata.labels?.team).toBe("theirs");
  });

  it("come over from kubectl apply without a word, and what is declared no more goes", async () => {
    const before = manifest({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "csa", labels: { old: "yes" } },
      data: { text: "kubectl", gone: "soon" },
    });
    await quay.kubectl("apply", "-f", await quay.runner.write("csa.yaml", before));
    const taken = await quay.apply({ name: "csa", content: quay.config("csa", "ours") });
    expect(taken.outputs.verdict).toBe("passed");
    const live = await quay.configMap("csa");
    expect(live?.data).toEqual({ text: "ours" });
    expect(live?.metadata.labels).not.toHaveProperty("old");
    expect(live?.metadata.annotations ?? {}).toEqual({});
    const again = await quay.apply({ name: "csa", content: quay.config("csa", "ours") });
    expect(again.outputs).toMatchObject({ verdict: "passed", changed: "0" });
  });

  it("stay with an autoscaler: replicas are kept, whoever owned them before", async () => {
    const scaler = manifest({
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "scaled", annotations: { "seaworthy.dev/await": "false" } },
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "scaled" },
        minReplicas: 1,
        maxReplicas: 9,
        metrics: [
          {
            type: "Resource",
            resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
          },
        ],
      },
    });
    const content = (replicas: number, text: string) =>
      deployment(
        "scaled",
        { replicas, paused: true },
        { env: [{ name: "A", value: text }] },
      ).replace(
        '"metadata":{"name":"scaled"}',
        '"metadata":{"name":"scaled","annotations":{"seaworthy.dev/await":"false"}}',
      ) + scaler;
    await quay.apply({ name: "scaled", content: content(2, "one") });
    expect((await quay.deployment("scaled"))?.spec?.replicas).toBe(2);
    // We alone own the field; a lower number in the manifest must not win over what is there.
    await quay.apply({ name: "scaled", content: content(1, "two") });
    expect((await quay.deployment("scaled"))?.spec?.replicas).toBe(2);
    const target = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace: quay.namespace,
      name: "scaled",
    };
    await quay.box.cluster.patch(target, { spec: { replicas: 4 } }, "merge", {
      subresource: "scale",
      fieldManager: "kube-controller-manager",
    });
    const third = await quay.apply({ name: "scaled", content: content(1, "three") });
    expect(third.outputs.verdict).toBe("passed");
    expect((await quay.deployment("scaled"))?.spec?.replicas).toBe(4);
  });

  it("of another set are that set's", async () => {
    await quay.apply({ name: "mine", content: quay.config("owned", "mine") });
    const refused = await quay.apply({ name: "yours", content: quay.config("owned", "yours") });
    expect(refused.outputs.cause).toMatch(/configmap\/owned .*: it belongs to another set/);
    expect((await quay.configMap("owned"))?.data).toEqual({ text: "mine" });
  });
});

describe("fields that can be set once only", () => {
  it("are told with what to do, and made anew when that is allowed", async () => {
    const name = "fixed";
    const both = (text: string) => job("fixed", text) + quay.config("beside", text);
    await quay.apply({ name, content: both("one") });
    const refused = await quay.apply({ name, content: both("two") });
    expect(refused.outputs.cause).toMatch(/^job\/fixed .*field is immutable\.$/);
    expect(refused.outputs.cause?.length).toBeLessThan(500);
    expect(refused.stdout).toMatch(
      /A Job's template is fixed: .*recreate: Job.*Nothing was changed/,
    );
    expect((await quay.configMap("beside"))?.data).toEqual({ text: "one" });
    const made = await quay.apply({ name, content: both("two"), recreate: "Job" });
    expect(made.outputs.verdict).toBe("passed");
    const live = await quay.find("batch/v1", "Job", "fixed");
    expect(JSON.stringify(live?.spec)).toContain('"two"');
  });

  it.each([
    [
      "ConfigMap",
      (text: string) => ({ immutable: true, data: { text } }),
      "v1",
      /give it a name that changes with its content/,
    ],
    [
      "RoleBinding",
      (text: string) => ({
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: text },
        subjects: [],
      }),
      "rbac.authorization.k8s.io/v1",
      /A binding keeps its role/,
    ],
    [
      "PersistentVolumeClaim",
      (text: string) => ({
        spec: {
          storageClassName: text,
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: "1Mi" } },
        },
      }),
      "v1",
      /make a claim of another name and move the data/,
    ],
  ] as const)("of a %s have words of their own", async (kind, rest, apiVersion, remedy) => {
    const annotations = { "seaworthy.dev/await": "false" };
    const name = kind.toLowerCase();
    const content = (text: string) =>
      manifest({ apiVersion, kind, metadata: { name, annotations }, ...rest(text) });
    const first = await quay.apply({ name, content: content("one") });
    expect(first.outputs.verdict).toBe("passed");
    const refused = await quay.apply({ name, content: content("two") });
    expect(refused.outputs.verdict).toBe("failed");
    expect(refused.stdout).toMatch(remedy);
  });
});

describe("what cannot work is found before anything is touched", () => {
  const cases: readonly (readonly [string, () => string, Record<string, string>, RegExp])[] = [
    [
      "an unknown field",
      () => deployment("unknown", { replicas: 0 }, { imagePullPolcy: "Always" }),
      {},
      /\.spec\.template\.spec\.containers\[name="main"\]\.imagePullPolcy: the kind has no such field/,
    ],
    [
      "a value of another type",
      () => deployment("typed", { replicas: "two" }),
      {},
      /\.spec\.replicas: expected numeric/,
    ],
    [
      "an unknown kind",
      () => manifest({ apiVersion: "apps/v1", kind: "Deploymnt", metadata: { name: "a" } }),
      {},
      /the cluster has no kind Deploymnt in apps\/v1; did you mean Deployment of apps\/v1\?/,
    ],
    [
      "an old version of a kind",
      () =>
        manifest({ apiVersion: "extensions/v1beta1", kind: "Ingress", metadata: { name: "a" } }),
      {},
      /it serves Ingress in networking\.k8s\.io\/v1/,
    ],
    [
      "an object that is there twice",
      () =>
        `${manifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "twice" } })}# more\n${manifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "twice" } })}`,
      {},
      /ConfigMap twice is in the input content, document 2, line 4 and in the input content, document 3, line 7/,
    ],
    [
      "an object elsewhere",
      () =>
        manifest({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "a", namespace: "default" },
        }),
      {},
      /ConfigMap a is in namespace default, and the set is in/,
    ],
    [
      "a namespace that is not there",
      () =>
        manifest({
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "a", namespace: "no-such-place" },
        }),
      { "other-namespaces": "no-such-place" },
      /the namespace no-such-place does not exist/,
    ],
    [
      "a name that Kubernetes does not take",
      () => manifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "Größe" } }),
      {},
      /configmap\/Größe .*lowercase RFC 1123/,
    ],
  ];

  it("whatever it is, with nothing left behind", async () => {
    const check = async ([what, content, inputs, cause]: (typeof cases)[number], index: number) => {
      const name = `checked-${index}`;
      const before = quay.config(`untouched-${index}`, "one");
      const ended = await quay.apply({ name, content: before + content(), ...inputs });
      expect({ what, ...ended.outputs }).toMatchObject({ verdict: "failed", revision: "" });
      expect({ what, cause: ended.outputs.cause }).toEqual({
        what,
        cause: expect.stringMatching(cause),
      });
      expect(ended.stdout).toMatch(/Nothing was changed/);
      expect(ended.stdout).not.toMatch(/A bug in/);
      expect(await quay.configMap(`untouched-${index}`)).toBeUndefined();
      expect(await quay.history(name)).toEqual([]);
      expect(await quay.leases()).not.toContain(`seaworthy-applyset-${name}`);
    };
    await Promise.all(cases.map(check));
  });

  it("leaves unknown fields out when it is told to", async () => {
    const content = deployment(
      "lenient",
      { replicas: 0, replica: 3 },
      { imagePullPolcy: "Always" },
    );
    const ended = await quay.apply({ name: "lenient", content, "field-validation": "warn" });
    expect(ended.outputs.verdict).toBe("passed");
    expect(ended.stdout).toMatch(/left out, for the kind has no such field: .*imagePullPolcy/);
  });
});

describe("a user with few rights", () => {
  const all = ["get", "list", "watch", "create", "update", "patch", "delete"];

  /** The content of a kubeconfig with the token of a service account that may do this much. */
  async function access(account: string, rules: readonly object[]): Promise<string> {
    const { cluster, namespace, endpoints } = quay.box;
    const metadata = { name: account, namespace };
    const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata };
    const make = (object: object) => cluster.create(object as KubernetesObject);
    await make({ apiVersion: "v1", kind: "ServiceAccount", metadata });
    await make({ ...rbac, kind: "Role", rules });
    await make({
      ...rbac,
      kind: "RoleBinding",
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: account },
      subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    });
    const token = await quay.kubectl("create", "token", account);
    const config = JSON.parse(await readFile(endpoints.kubeconfig, "utf8"));
    for (const entry of config.users) entry.user = { token: token.trim() };
    return JSON.stringify(config);
  }

  it("is told every right that is missing, and nothing is left", async () => {
    const kubeconfig = await access("no-delete", [
      {
        apiGroups: ["", "apps", "coordination.k8s.io"],
        resources: ["*"],
        verbs: ["get", "list", "create", "patch"],
      },
    ]);
    const ended = await quay.apply({ name: "few", content: quay.config("few", "one"), kubeconfig });
    expect(ended.outputs.cause).toContain(`delete ConfigMap (v1) in namespace ${quay.namespace}`);
    expect(ended.outputs.cause).toContain(`delete Secret (v1) in namespace ${quay.namespace}`);
    expect(await quay.configMap("few")).toBeUndefined();
  });

  it("is told that it may not write, with verb, resource and namespace", async () => {
    const kubeconfig = await access("read-only", [
      { apiGroups: ["", "apps"], resources: ["*"], verbs: ["get", "list", "watch"] },
      { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: all },
    ]);
    const ended = await quay.apply({
      name: "none",
      content: quay.config("none", "one"),
      kubeconfig,
    });
    expect(ended.outputs.cause).toMatch(
      new RegExp(`read-only may not (patch|create) configmaps in namespace ${quay.namespace}`),
    );
    expect(await quay.leases()).not.toContain("seaworthy-applyset-none");
  });

  it("does with the least, and without leases, and is told so", async () => {
    const kubeconfig = await access("least", [
      { apiGroups: [""], resources: ["secrets", "configmaps"], verbs: all },
    ]);
    const ended = await quay.apply({
      name: "least",
      content: quay.config("least", "one"),
      kubeconfig,
    });
    expect(ended.outputs.verdict).toBe("passed");
    expect(ended.stdout).toMatch(/may not use leases/);
  });
});
