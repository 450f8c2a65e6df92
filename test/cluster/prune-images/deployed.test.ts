import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import { bundleOf, Runner, runStep, type Step } from "../../runner/index.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { account, READER, rule } from "../kubernetes/account.ts";
import { type Sandbox, sandbox } from "../kubernetes/sandbox.ts";
import { Stock } from "./stock.ts";

jest.setTimeout(90_000);

const run = promisify(execFile);
let box: Sandbox;
let runner: Runner;

beforeAll(async () => {
  await resolveEndpoints(["helm"]);
  box = await sandbox("prune");
  runner = await Runner.create({
    "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
    "chart/templates/note.yaml":
      "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: note }\ndata: { image: '{{ .Values.image }}' }\n",
  });
});
afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
  await runner?.[Symbol.asyncDispose]();
});

/** Nothing but use keeps an image. */
const bare = { "keep-last": "0", "keep-younger-than": "0d", "keep-tags": "none", mode: "delete" };

function prune(
  stock: Stock,
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Step> {
  return runStep(bundleOf("prune-images"), {
    environment,
    inputs: { repositories: stock.name, ...bare, kubeconfig: box.endpoints.kubeconfig, ...inputs },
    runner,
  });
}

function workload(kind: string, name: string, image: string, replicas = 0): KubernetesObject {
  const labels = { app: name };
  const containers = [{ name: "main", image }];
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace: box.namespace },
    spec: {
      ...{ replicas, selector: { matchLabels: labels } },
      ...(kind === "StatefulSet" ? { serviceName: name } : {}),
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } },
    },
  } as KubernetesObject;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const ends = Date.now() + 30_000; Date.now() < ends; ) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`not within 30 s: ${what}`);
}

const count = async (kind: string, app: string) => {
  const apiVersion = kind === "Pod" ? "v1" : "apps/v1";
  const { namespace } = box;
  const found = await box.cluster.list({
    apiVersion,
    kind,
    namespace,
    labelSelector: `app=${app}`,
  });
  return found.items.length;
};

async function isRunning(app: string): Promise<boolean> {
  const { namespace } = box;
  const pods = await box.cluster.list<KubernetesObject & { status?: { phase?: string } }>({
    ...{ apiVersion: "v1", kind: "Pod", namespace, labelSelector: `app=${app}` },
  });
  return pods.items.some(({ status }) => status?.phase === "Running");
}

async function helm(...args: readonly string[]): Promise<void> {
  const env = { ...process.env, KUBECONFIG: box.endpoints.kubeconfig };
  await run(`${box.endpoints.bin}/helm`, [...args, "--namespace", box.namespace], {
    env,
    cwd: runner.workspace,
  });
}

describe("prune-images and what clusters run", () => {
  it("keeps what runs, what ran before, and what releases may go back to", async () => {
    const stock = new Stock(box.endpoints.registry);
    const pause = box.endpoints.busyboxImage.replace(/busybox:1$/, "pause:1");
    const puts: Record<string, string> = {};
    const names = ["web-1", "web-2", "set-1", "set-2", "cron", "rel-1", "rel-2", "by-tag", "old"];
    for (const name of names) puts[name] = (await stock.image({ tags: [name] })).digest;
    const at = (name: string) => `${stock.name}@${puts[name]}`;

    // Runs under a tag that has since been given to another image.
    const live = await stock.runnable(pause, ["live", "sha-live"]);
    await box.cluster.create(workload("Deployment", "live", `${stock.name}:live`, 1));
    for (const name of ["web", "set"]) {
      const kind = name === "web" ? "Deployment" : "StatefulSet";
      const history = name === "web" ? "ReplicaSet" : "ControllerRevision";
      await box.cluster.create(workload(kind, name, at(`${name}-1`)));
      await until(`${name} has its first revision`, async () => (await count(history, name)) === 1);
      await box.cluster.apply(workload(kind, name, at(`${name}-2`)), { force: true });
      await until(
        `${name} has its second revision`,
        async () => (await count(history, name)) === 2,
      );
    }
    await box.cluster.create({
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "nightly", namespace: box.namespace },
      spec: {
        ...{ schedule: "0 0 1 1 *", suspend: true },
        jobTemplate: {
          spec: {
            template: {
              spec: {
                restartPolicy: "Never",
                containers: [{ name: "main", image: at("cron") }],
                initContainers: [{ name: "first", image: `${stock.name}:by-tag` }],
              },
            },
          },
        },
      },
    } as KubernetesObject);
    await helm("install", "shop", "chart", "--set", `image=${at("rel-1")}`);
    await helm("upgrade", "shop", "chart", "--set", `image=${at("rel-2")}`);
    await until("the pod runs", () => isRunning("live"));
    await stock.tag(await stock.image({ tags: ["next"] }), "live");

    const step = await prune(stock, { namespaces: box.namespace });
    expect(step.outputs).toMatchObject({ verdict: "passed", cause: "" });
    expect((await stock.tags()).filter((tag) => !names.includes(tag))).toEqual([
      ...["live", "next", "sha-live"],
    ]);
    expect(await stock.tags()).toEqual(
      [...names.filter((name) => name !== "old"), "live", "next", "sha-live"].toSorted(),
    );
    const [{ kept }] = JSON.parse(readFileSync(step.outputs.report ?? "", "utf8"));
    const reasons = Object.fromEntries(
      (kept as { digest: string; reasons: string[] }[]).map((one) => [one.digest, one.reasons[0]]),
    );
    expect(reasons[live.digest]).toMatch(/^in use by Pod .*\/live-/);
    expect(reasons[puts["web-1"] ?? ""]).toMatch(/^in use by ReplicaSet .*\/web-/);
    expect(reasons[puts["set-1"] ?? ""]).toMatch(/^in use by ControllerRevision .*\/set-/);
    expect(reasons[puts.cron ?? ""]).toMatch(/^in use by CronJob .*\/nightly/);
    expect(reasons[puts["rel-1"] ?? ""]).toMatch(/^in use by release .*\/shop revision 1 /);

    // What only releases name, a chart's ConfigMap here, is of no use to anybody without them.
    const without = await prune(stock, { namespaces: box.namespace, histories: "false" });
    expect(JSON.parse(without.outputs.deleted ?? "")).toHaveLength(2);
    expect((await stock.tags()).filter((tag) => tag.startsWith("rel"))).toEqual([]);
  });

  it("deletes nothing where a cluster does not answer, or does not let it see", async () => {
    const stock = new Stock(box.endpoints.registry);
    await stock.image({ tags: ["old"] });
    const config = JSON.parse(readFileSync(box.endpoints.kubeconfig, "utf8")) as {
      clusters: { name: string; cluster: Record<string, unknown> }[];
      contexts: { name: string; context: Record<string, unknown> }[];
    };
    const [cluster] = config.clusters;
    const [context] = config.contexts;
    const gone = { ...cluster?.cluster, server: "https://127.0.0.1:9" };
    const both = JSON.stringify({
      ...config,
      clusters: [...config.clusters, { name: "gone", cluster: gone }],
      contexts: [
        ...config.contexts,
        { name: "gone", context: { ...context?.context, cluster: "gone" } },
      ],
    });
    const contexts = `${context?.name},gone`;
    const away = await prune(stock, { kubeconfig: both, contexts, "nothing-deployed": "true" });
    expect(away.outputs.cause).toMatch(/No answer from https:\/\/127\.0\.0\.1:9/);

    const { kubeconfig } = await account(box, "pruner", [...READER, rule("batch", ["jobs"])]);
    const blind = await prune(stock, { kubeconfig, namespaces: box.namespace });
    expect(blind.outputs.cause).toMatch(/may not list \S+/);
    expect(blind.summary).toContain("Bind");
    expect(await stock.tags()).toEqual(["old"]);
  });

  it("suspects the place where none of the images is in use", async () => {
    const stock = new Stock(box.endpoints.registry);
    await stock.image({ tags: ["old"] });
    const step = await prune(stock, { namespaces: "kube-public" });
    expect(step.outputs.cause).toContain("mostly means that it is the wrong place");
    expect(await stock.tags()).toEqual(["old"]);
    // The kubeconfig of an earlier step counts too.
    const KUBECONFIG = box.endpoints.kubeconfig;
    const left = { kubeconfig: "", namespaces: "kube-public" };
    const byEnvironment = await prune(stock, left, { KUBECONFIG });
    expect(byEnvironment.outputs.cause).toContain("mostly means that it is the wrong place");
    const sure = await prune(stock, { namespaces: "kube-public", "nothing-deployed": "true" });
    expect(sure.outputs.verdict).toBe("passed");
    expect(await stock.tags()).toEqual([]);
  });
});
