import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "@jest/globals";
import { root } from "../../../scripts/action-manifest.ts";
import { readApplied } from "../../../shared/apply-set/index.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import {
  bundleOf,
  failureOf,
  Runner,
  runStep,
  type Step,
  snapshot,
  startStep,
} from "../../runner/index.ts";
import { type Sandbox, sandbox } from "../kubernetes/sandbox.ts";

const run = promisify(execFile);

type Inputs = Readonly<Record<string, string>>;

/** Any object, as far as tests look into it. */
export interface Thing extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: { readonly containers?: readonly { readonly image?: string }[] };
    };
  };
}

interface WebParts {
  readonly image?: string;
  readonly text?: string;
  /** Seconds for which a pod must be up to count. */
  readonly steadyFor?: number;
}

/** A namespace, a workspace, and runs of the action on sets in it. */
export class Quay implements AsyncDisposable {
  readonly box: Sandbox;
  readonly runner: Runner;
  #count = 0;

  private constructor(box: Sandbox, runner: Runner) {
    this.box = box;
    this.runner = runner;
  }

  static async open(prefix: string): Promise<Quay> {
    return new Quay(await sandbox(prefix), await Runner.create());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.box[Symbol.asyncDispose]();
    await this.runner[Symbol.asyncDispose]();
  }

  get namespace(): string {
    return this.box.namespace;
  }

  /** A name that no other test has. */
  name(prefix = "set"): string {
    this.#count += 1;
    return `${prefix}-${this.#count}`;
  }

  /** Runs the action to its end. */
  apply(inputs: Inputs, environment: Inputs = {}): Promise<Step> {
    return runStep(bundleOf("apply-manifests"), this.#setting(inputs, environment));
  }

  start(inputs: Inputs, environment: Inputs = {}) {
    return startStep(bundleOf("apply-manifests"), this.#setting(inputs, environment));
  }

  #setting(inputs: Inputs, environment: Inputs) {
    const { namespace, box } = this;
    const given = { namespace, kubeconfig: box.endpoints.kubeconfig, timeout: "60s", ...inputs };
    const PATH = `${box.endpoints.bin}:${process.env.PATH}`;
    return { inputs: given, environment: { PATH, ...environment }, runner: this.#own() };
  }

  /** Steps that run at once must not share their files for outputs. */
  #own(): Runner {
    this.#count += 1;
    const folder = join(this.runner.folder, `step-${this.#count}`);
    const [workspace, temp] = [this.runner.workspace, join(folder, "temp")];
    mkdirSync(temp, { recursive: true });
    return Object.assign(Object.create(this.runner), { folder, workspace, temp }) as Runner;
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    const { bin, kubeconfig } = this.box.endpoints;
    const flags = ["--kubeconfig", kubeconfig, "--namespace", this.namespace];
    return (await run(join(bin, "kubectl"), [...flags, ...args])).stdout;
  }

  find(apiVersion: string, kind: string, name: string): Promise<Thing | undefined> {
    return this.box.cluster.find<Thing>({ apiVersion, kind, namespace: this.namespace, name });
  }

  configMap(name: string): Promise<Thing | undefined> {
    return this.find("v1", "ConfigMap", name);
  }

  deployment(name: string): Promise<Thing | undefined> {
    return this.find("apps/v1", "Deployment", name);
  }

  /** The revisions of a set, as `number status`. */
  async history(name: string): Promise<readonly string[]> {
    const history = await readApplied(this.box.cluster, { name, namespace: this.namespace });
    return history.map(({ revision, status }) => `${revision} ${status}`);
  }

  async leases(): Promise<readonly string[]> {
    const list = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace: this.namespace };
    const { items } = await this.box.cluster.list(list);
    return items.map(({ metadata }) => metadata.name);
  }

  /** A Deployment of one pod that is ready at once, as text of a manifest. */
  web(name: string, parts: WebParts = {}): string {
    const { image = this.box.endpoints.busyboxImage, text = "one", steadyFor = 0 } = parts;
    return manifest({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: {
        replicas: 1,
        minReadySeconds: steadyFor,
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { app: name } },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [
              {
                name: "main",
                image,
                command: ["sh", "-c", "exec sleep 100000"],
                env: [{ name: "TEXT", value: text }],
              },
            ],
          },
        },
      },
    });
  }

  config(name: string, text: string): string {
    return manifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text } });
  }
}

/** Expects that a failure is what the README quotes, under a name beside those of other failures. */
export function quoted(name: string, step: Step, names: Inputs): void {
  const { said, kept } = snapshot(`apply-manifests${name}`, failureOf(step), names);
  expect(said).toBe(kept);
  const readme = readFileSync(join(root, "actions/apply-manifests/README.md"), "utf8");
  expect(readme).toContain(kept.trim());
}

export function manifest(object: object): string {
  return `---\n${JSON.stringify(object)}\n`;
}
