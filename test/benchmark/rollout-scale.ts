import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Cluster, connect, type KubernetesObject } from "../../shared/kubernetes/index.ts";
import { Secrets } from "../../shared/secrets/index.ts";
import { bundleOf } from "../runner/index.ts";
import { down, type Endpoints, up, variables } from "../testbed/index.ts";
import type { Bench, Result } from "./results.ts";
import { measured } from "./scale/measured.ts";
import { countRequests, makeReader, type Reader, requestsOf } from "./scale/readers.ts";
import { makeNodes, PODS_EACH, rollOut, setUp } from "./scale/rollout.ts";
import { ScaleWitness } from "./scale/witness.ts";

const SIZES = [10, 100, 1_000];
const LARGEST = 1_000;
const TARGETS: Readonly<Record<string, number>> = { "memory-mb": 300, "verdict-delay-seconds": 1 };
/** Enough of a cluster for simulated nodes: no kubelet, no container runtime. */
const WANTED = ["kube-controller-manager", "kube-scheduler", "kwok", "kubectl"];
/** A bed of its own, for thousands of pods are nothing to share a cluster with. */
const BED = "seaworthy-scale";

/**
 * What it costs to wait for many Deployments that are rolled at once, each with five pods on
 * simulated nodes: rollout-wait, as a runner runs it, with a selector; beside it, on the same
 * rollouts, `kubectl rollout status deployment --selector`, which takes them one after the other in
 * one process and is the cheapest way that kubectl has.
 */
export const rolloutScale: Bench = async (log) => {
  const environment = { ...process.env, SEAWORTHY_TESTBED_NAME: BED };
  const folder = await mkdtemp(join(tmpdir(), "seaworthy-scale-"));
  try {
    const endpoints = await up(WANTED, { log, environment });
    const cluster = await administrator(endpoints.kubeconfig);
    using _nodes = await makeNodes(cluster);
    const results: Result[] = [];
    for (const size of SIZES) {
      const found = await measure({ size, endpoints, cluster, folder, log });
      results.push(...figuresOf(size, found));
    }
    return results;
  } finally {
    await down({ log, environment });
    await rm(folder, { recursive: true, force: true });
  }
};

interface Scene {
  readonly size: number;
  readonly endpoints: Endpoints;
  readonly cluster: Cluster;
  readonly folder: string;
  readonly log: (line: string) => void;
}

type Figures = Readonly<Record<string, readonly [value: number, unit: string]>>;

/** Names without a prefix are those of the largest set. */
function figuresOf(size: number, figures: Figures): Result[] {
  const prefix = size === LARGEST ? "" : `${size}.`;
  return Object.entries(figures).map(([name, [value, unit]]) => ({
    name: `${prefix}${name}`,
    value,
    unit,
    target: size === LARGEST ? TARGETS[name] : undefined,
  }));
}

async function measure({ size, endpoints, cluster, folder, log }: Scene): Promise<Figures> {
  const namespace = `scale-${size}`;
  const began = performance.now();
  await setUp(cluster, namespace, size);
  log(`${size} Deployments with ${size * PODS_EACH} pods are up after ${since(began)} s`);
  const kubectl = join(endpoints.bin, "kubectl");
  const readers = {
    action: await makeReader(cluster, { kubectl, namespace, folder, endpoints }, "action"),
    kubectl: await makeReader(cluster, { kubectl, namespace, folder, endpoints }, "kubectl"),
  };
  const before = await countRequests(cluster);
  using witness = new ScaleWitness(cluster, namespace, size);
  await witness.watching;
  const patched = performance.now();
  await rollOut(cluster, namespace, size);
  log(`All are told to roll within ${since(patched)} s`);
  const startedAt = Date.now();
  const [action, theirs] = await Promise.all([
    runAction(readers.action, namespace, folder, size),
    runKubectl(readers.kubectl, namespace, folder, endpoints),
  ]);
  await witness.complete;
  const after = await countRequests(cluster);
  const counted = (reader: Reader) => requestsOf(after, reader) - requestsOf(before, reader);
  const ready = Math.max(startedAt, witness.lastPodReadyAt);
  const settled = Math.max(startedAt, witness.lastStatusAt);
  log(
    `The last pod was ready ${seconds(ready - startedAt)} s after the start, the last status said ` +
      `so after ${seconds(settled - startedAt)} s; rollout-wait ended after ` +
      `${seconds(action.endedAt - startedAt)} s, kubectl after ${seconds(theirs.endedAt - startedAt)} s`,
  );
  await removed(cluster, namespace);
  return {
    "memory-mb": [action.memoryMb, "MB"],
    "verdict-delay-seconds": [(action.endedAt - ready) / 1_000, "s"],
    "verdict-delay-after-status-seconds": [(action.endedAt - settled) / 1_000, "s"],
    requests: [counted(readers.action), "requests"],
    "cpu-seconds": [action.cpuSeconds, "s"],
    "log-lines": [action.lines, "lines"],
    "kubectl.requests": [counted(readers.kubectl), "requests"],
    "kubectl.cpu-seconds": [theirs.cpuSeconds, "s"],
    "kubectl.memory-mb": [theirs.memoryMb, "MB"],
    "kubectl.verdict-delay-seconds": [(theirs.endedAt - ready) / 1_000, "s"],
  };
}

async function runAction(reader: Reader, namespace: string, folder: string, size: number) {
  const files = Object.fromEntries(
    ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"].map((name) => [name, join(folder, `${size}.${name}`)]),
  );
  for (const file of Object.values(files)) await writeFile(file, "");
  return measured(process.execPath, [bundleOf("rollout-wait")], {
    ...files,
    RUNNER_TEMP: folder,
    GITHUB_WORKSPACE: folder,
    HOME: folder,
    PATH: process.env.PATH,
    INPUT_KUBECONFIG: reader.kubeconfig,
    INPUT_NAMESPACE: namespace,
    INPUT_SELECTOR: "bench=scale",
    INPUT_TIMEOUT: "15m",
  });
}

async function runKubectl(reader: Reader, namespace: string, folder: string, endpoints: Endpoints) {
  const { PATH } = variables(endpoints);
  return measured(
    join(endpoints.bin, "kubectl"),
    ["rollout", "status", "deployment", "--namespace", namespace, "--selector", "bench=scale"],
    { KUBECONFIG: reader.kubeconfig, HOME: folder, PATH: [PATH, process.env.PATH].join(delimiter) },
  );
}

async function administrator(kubeconfig: string): Promise<Cluster> {
  const quiet = () => undefined;
  return connect(
    { kubeconfig },
    {
      signal: new AbortController().signal,
      secrets: new Secrets(),
      environment: process.env,
      log: { info: quiet, debug: quiet, warning: quiet, group: quiet },
    },
  );
}

/** The next set must not be measured while this one is still being taken away. */
async function removed(cluster: Cluster, name: string): Promise<void> {
  const namespace: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  const ref = { apiVersion: "v1", kind: "Namespace", name: namespace.metadata.name };
  await cluster.delete(ref);
  while ((await cluster.find(ref)) !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

function since(began: number): string {
  return seconds(performance.now() - began);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(2);
}
