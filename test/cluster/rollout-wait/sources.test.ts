import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Options } from "../../../actions/rollout-wait/inputs.ts";
import { rolloutWait } from "../../../actions/rollout-wait/rollout-wait.ts";
import type { KubernetesObject, RolloutReport } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";
import { budget, make, service } from "./kind-objects.ts";
import { optionsOf } from "./options.ts";

const run = promisify(execFile);

let box: Sandbox;
let workspace: string;

beforeAll(async () => {
  box = await sandbox("rollout-wait");
  workspace = await mkdtemp(join(tmpdir(), "rollout-wait-"));
  const { cluster, namespace } = box;
  const labelled = (object: KubernetesObject) => ({
    ...object,
    metadata: { ...object.metadata, labels: { app: "web" } },
  });
  const objects = [
    deployment(box, "web"),
    labelled(service(namespace, "web", { selector: { app: "web" } })),
    labelled(budget(namespace, "web", "web", 1)),
    make("v1", "ConfigMap", namespace, "settings", { data: { greeting: "grüße" } }),
    make("batch/v1", "Job", namespace, "done", {
      spec: {
        template: {
          spec: {
            restartPolicy: "Never",
            containers: [{ name: "main", image: box.endpoints.busyboxImage, command: ["true"] }],
          },
        },
      },
    }),
  ];
  for (const object of objects) await cluster.apply(object);
}, 30_000);

afterAll(async () => {
  await rm(workspace, { recursive: true, force: true });
  await box?.[Symbol.asyncDispose]();
});

/** What came of the action, with what it waited for. */
async function wait(more: Partial<Options>) {
  const test = testWorld();
  const world = {
    ...test.world,
    environment: { ...process.env, GITHUB_WORKSPACE: workspace },
  };
  const { outputs, failure, summary } = await rolloutWait(optionsOf(box, more), world);
  const report = outputs.report as RolloutReport;
  const names = report.resources.map(({ resource }) => resource).sort();
  return { report, names, failure, summary, log: test.lines.join("\n") };
}

const path = (name: string) => [{ kind: "path", path: name } as const];

describe("what is waited for", () => {
  it("everything with the labels, of every kind, without what others made", async () => {
    const { names, report } = await wait({ selector: "app=web" });
    expect(names).toEqual(["deployment/web", "poddisruptionbudget/web", "service/web"]);
    expect(report.verdict).toBe("ready");
  }, 60_000);

  it("everything in the namespace whose state says anything", async () => {
    const { names, report } = await wait({ all: true });
    expect(names).toEqual(["deployment/web", "job/done", "poddisruptionbudget/web", "service/web"]);
    expect(report.verdict).toBe("ready");
  }, 60_000);

  it("objects of several namespaces, by name", async () => {
    const { report, log } = await wait({
      resources: [`${box.namespace}/deployment/web`, "svc/web"],
      namespace: box.namespace,
    });
    expect(report.verdict).toBe("ready");
    expect(log).toContain(`Waiting for deployment/web, service/web in namespace ${box.namespace}`);
  }, 60_000);

  it("everything in manifests: several documents, lists, JSON, folders; settings left out", async () => {
    const web = deployment(box, "web");
    const list = {
      apiVersion: "v1",
      kind: "List",
      items: [budget(box.namespace, "web", "web", 1)],
    };
    await mkdir(join(workspace, "k8s/größe"), { recursive: true });
    await writeFile(
      join(workspace, "k8s/web.yaml"),
      `# the web\n---\n${JSON.stringify(web)}\n---\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n`,
    );
    await writeFile(join(workspace, "k8s/größe/budget.json"), JSON.stringify(list));
    const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
    await writeFile(join(workspace, "k8s/settings.yml"), settings);
    const { names, report, log } = await wait({
      manifests: [...path("k8s"), ...path("k8s/größe/*.json")],
    });
    expect(names).toEqual(["deployment/web", "poddisruptionbudget/web", "service/web"]);
    expect(report.verdict).toBe("ready");
    expect(log).toContain("The manifests hold 4 objects, of which 3 are waited for");
  }, 60_000);

  it("everything in a manifest of 5 MB, within seconds", async () => {
    const padding = "x".repeat(50_000);
    const settings = Array.from({ length: 100 }, (_, index) =>
      JSON.stringify(make("v1", "ConfigMap", box.namespace, `s${index}`, { data: { padding } })),
    );
    const web = JSON.stringify(deployment(box, "web"));
    await writeFile(join(workspace, "large.yaml"), [...settings, web].join("\n---\n"));
    const { names, report } = await wait({ manifests: path("large.yaml") });
    expect(names).toEqual(["deployment/web"]);
    expect(report.verdict).toBe("ready");
  }, 60_000);

  it("nothing, where the manifests hold only settings, and says so", async () => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
    const { report, summary, log } = await wait({
      manifests: [{ kind: "inline", name: "the input manifests", text }],
    });
    expect(report.verdict).toBe("ready");
    expect(summary).toContain("Nothing was waited for, and so nothing checked.");
    expect(log).toContain("nothing is checked");
  });

  it("everything of a Helm release, its hooks left out", async () => {
    const chart = join(workspace, "chart");
    await mkdir(join(chart, "templates"), { recursive: true });
    await writeFile(join(chart, "Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 1.2.3\n");
    const { metadata, ...shop } = deployment(box, "shop");
    const { namespace: _, ...named } = metadata;
    const hook = make("v1", "Pod", box.namespace, "hook", {
      spec: {
        restartPolicy: "Never",
        containers: [{ name: "main", image: box.endpoints.busyboxImage, command: ["true"] }],
      },
    });
    const annotations = { "helm.sh/hook": "post-install" };
    const templates = {
      shop: { ...shop, metadata: named },
      hook: { ...hook, metadata: { name: "hook", annotations } },
    };
    for (const [name, object] of Object.entries(templates)) {
      await writeFile(join(chart, "templates", `${name}.yaml`), JSON.stringify(object));
    }
    const { bin, kubeconfig } = box.endpoints;
    const args = ["install", "shop", chart, "-n", box.namespace, "--kubeconfig", kubeconfig];
    await run(join(bin, "helm"), args);
    const { names, report, log } = await wait({ release: "shop" });
    expect(names).toEqual(["deployment/shop"]);
    expect(report.verdict).toBe("ready");
    expect(log).toContain("revision 1 (shop-1.2.3), deployed");
    await expect(wait({ release: "shpo" })).rejects.toMatchObject({
      cause: `Helm has no release shpo in namespace ${box.namespace}; did you mean shop?`,
    });
  }, 60_000);

  it("what a user demands, of one object and of all of a kind", async () => {
    const { names, report, log } = await wait({
      resources: ["svc/web"],
      conditions: [
        "# as kubectl wait --for takes them",
        "deployment/web: jsonpath={.status.readyReplicas}=1",
        "service: jsonpath={.spec.clusterIP}",
      ].join("\n"),
    });
    expect(names).toEqual(["deployment/web", "service/web"]);
    expect(report.verdict).toBe("ready");
    expect(log).toContain("deployment/web (jsonpath={.status.readyReplicas}=1)");
  }, 60_000);

  it("what a user demands and does not come: says how it is instead", async () => {
    const { report } = await wait({
      conditions: "deployment/web: jsonpath={.status.readyReplicas}=2",
      timeout: 2_000,
    });
    expect(report.cause?.message).toContain("{.status.readyReplicas} is 1, and 2 is demanded");
  }, 30_000);
});

describe("what cannot be waited for", () => {
  it.each<[string, Partial<Options>, RegExp]>([
    ["nothing at all", {}, /None of `resources`, `selector`/],
    ["a kind that nobody knows", { resources: ["deploymnt/web"] }, /did you mean deployment\?/],
    ["a selector of nothing", { selector: "app=wbe" }, /labels app=wbe; there are .*app=web/],
    ["a file that is not there", { manifests: path("k9s/web.yaml") }, /does not exist/],
    ["a condition of no form", { conditions: "deployment/web" }, /of the form resource: condition/],
    ["a path of no form", { conditions: "svc/web: jsonpath={.a" }, /neither jsonpath=/],
    ["a condition of nothing", { conditions: "job: condition=Complete" }, /and there is none/],
  ])(
    "%s",
    async (_, more, words) => {
      await expect(wait(more)).rejects.toMatchObject({ cause: expect.stringMatching(words) });
    },
    20_000,
  );

  it("a namespace that does not exist, with one that does", async () => {
    const namespace = `${box.namespace}x`;
    await expect(wait({ all: true, namespace })).rejects.toMatchObject({
      title: "No such namespace",
      cause: expect.stringContaining(`did you mean ${box.namespace}?`),
    });
  }, 20_000);
});

describe("credentials that may read workloads only", () => {
  it("find what they may see, and tell of what they may not", async () => {
    const { cluster, namespace, endpoints } = box;
    const role = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      metadata: { name: "few", namespace },
    };
    const read = { verbs: ["get", "list", "watch"] };
    await cluster.apply(make("v1", "ServiceAccount", namespace, "few"));
    const rules = [
      { ...read, apiGroups: ["apps", "batch"], resources: ["*"] },
      { ...read, apiGroups: [""], resources: ["pods"] },
    ];
    await cluster.apply({ ...role, kind: "Role", rules } as KubernetesObject);
    await cluster.apply({
      ...role,
      kind: "RoleBinding",
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "few" },
      subjects: [{ kind: "ServiceAccount", name: "few", namespace }],
    } as KubernetesObject);
    const args = ["--kubeconfig", endpoints.kubeconfig, "-n", namespace, "create", "token", "few"];
    const token = (await run(join(endpoints.bin, "kubectl"), args)).stdout.trim();
    const config = JSON.parse(await readFile(endpoints.kubeconfig, "utf8"));
    for (const entry of config.users) entry.user = { token };
    const { names, log } = await wait({ all: true, kubeconfig: JSON.stringify(config) });
    expect(names).toEqual(expect.arrayContaining(["deployment/web", "job/done"]));
    expect(names).not.toContain("service/web");
    expect(log).toMatch(/Not looked for.*PodDisruptionBudget.*Service/);

    const text = JSON.stringify(service(namespace, "web", { selector: { app: "web" } }));
    const found = await wait({
      manifests: [{ kind: "inline", name: "the input manifests", text }],
      kubeconfig: JSON.stringify(config),
    });
    expect(found.report.resources[0]?.notes.join()).toMatch(/^not checked.*may not list services/);
    await expect(
      wait({ resources: ["svc/web"], kubeconfig: JSON.stringify(config) }),
    ).rejects.toMatchObject({ cause: expect.stringContaining("may not list services") });
  }, 60_000);
});
