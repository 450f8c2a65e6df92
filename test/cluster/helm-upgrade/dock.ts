import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { root } from "../../../scripts/action-manifest.ts";
import type { KubernetesObject } from "../../../shared/kubernetes/index.ts";
import {
  bundleOf,
  Runner,
  type Running,
  runStep,
  type Step,
  startStep,
} from "../../runner/index.ts";
import { type Sandbox, sandbox } from "../kubernetes/sandbox.ts";

const run = promisify(execFile);
const CHART = join(root, "test/cluster/helm-upgrade/chart");

type Inputs = Readonly<Record<string, string>>;

/** A revision as `helm history` tells of it. */
export interface Row {
  readonly revision: number | string;
  readonly status: string;
  readonly description: string;
}

export interface WebDeployment extends KubernetesObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly env: readonly { readonly value: string }[] }[];
      };
    };
  };
  readonly status?: { readonly availableReplicas?: number };
}

/** A namespace, a chart in a workspace, and runs of the action on releases in it. */
export class Dock implements AsyncDisposable {
  readonly box: Sandbox;
  readonly runner: Runner;
  /** Digest maps: of an image that is there, and of one that is not. */
  readonly images: string;
  readonly missing: string;
  #count = 0;

  private constructor(box: Sandbox, runner: Runner, digest: string) {
    this.box = box;
    this.runner = runner;
    const [, repository = "", tag = ""] = /^(.+):([^:/]+)$/.exec(box.endpoints.busyboxImage) ?? [];
    this.images = JSON.stringify({ web: { repository, tag, digest } });
    const none = `sha256:${"0".repeat(64)}`;
    this.missing = JSON.stringify({ web: { repository, tag, digest: none } });
  }

  static async open(prefix: string): Promise<Dock> {
    const box = await sandbox(prefix);
    const runner = await Runner.create(filesOf(CHART, "chart"));
    return new Dock(box, runner, await digestOf(box.endpoints.busyboxImage));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.box[Symbol.asyncDispose]();
    await this.runner[Symbol.asyncDispose]();
  }

  /** A release name that no other test has. */
  name(): string {
    this.#count += 1;
    return `buoy-${this.#count}`;
  }

  /** Starts a run of the action. */
  async start(inputs: Inputs): Promise<Running & { readonly temp: string }> {
    const setting = this.#setting(inputs, {});
    const running = await startStep(bundleOf("helm-upgrade"), setting);
    return { ...running, temp: setting.runner.temp };
  }

  /** Runs the action to its end. */
  release(inputs: Inputs, environment: Inputs = {}): Promise<Step> {
    return runStep(bundleOf("helm-upgrade"), this.#setting(inputs, environment));
  }

  /** The bundle, as users get it. */
  ship(inputs: Inputs, environment: Inputs = {}): Promise<Step> {
    return runStep(bundleOf("helm-upgrade"), this.#setting(inputs, environment));
  }

  #setting(inputs: Inputs, environment: Inputs) {
    const { namespace, endpoints } = this.box;
    const given = {
      chart: "chart",
      namespace,
      images: this.images,
      kubeconfig: endpoints.kubeconfig,
      timeout: "60s",
      ...inputs,
    };
    const PATH = `${endpoints.bin}:${process.env.PATH}`;
    // Helm keeps what it learnt of the cluster below the home folder.
    const HOME = process.env.HOME ?? "";
    return { inputs: given, environment: { PATH, HOME, ...environment }, runner: this.#own() };
  }

  /** Steps that run at once must not share their files for outputs. */
  #own(): Runner {
    this.#count += 1;
    const folder = join(this.runner.folder, `step-${this.#count}`);
    const [workspace, temp] = [this.runner.workspace, join(folder, "temp")];
    mkdirSync(temp, { recursive: true });
    return Object.assign(Object.create(this.runner), { folder, workspace, temp }) as Runner;
  }

  /** Runs Helm itself in the namespace. */
  async helm(...args: readonly string[]): Promise<string> {
    const { bin, kubeconfig } = this.box.endpoints;
    const flags = ["--kubeconfig", kubeconfig, "--namespace", this.box.namespace];
    return (await run(join(bin, "helm"), [...flags, ...args])).stdout;
  }

  async history(release: string): Promise<readonly Row[]> {
    const text = await this.helm("history", release, "-o", "json").catch(() => "[]");
    return JSON.parse(text) as readonly Row[];
  }

  async leases(): Promise<readonly string[]> {
    const { namespace, cluster } = this.box;
    const leases = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", namespace };
    return (await cluster.list(leases)).items.map(({ metadata }) => metadata.name);
  }

  deployment(name: string): Promise<WebDeployment | undefined> {
    const { namespace, cluster } = this.box;
    return cluster.find<WebDeployment>({
      apiVersion: "apps/v1",
      kind: "Deployment",
      namespace,
      name,
    });
  }

  /** The text that the pods of a release are to serve. */
  async text(release: string): Promise<string | undefined> {
    const found = await this.deployment(release);
    return found?.spec.template.spec.containers[0]?.env[0]?.value;
  }
}

/** As when the machine dies: the step and all that it started. */
export async function die({ child, finished }: Running): Promise<void> {
  child.kill("SIGSTOP");
  const { stdout } = await run("ps", ["-o", "pid=", "--ppid", String(child.pid)]).catch(() => ({
    stdout: "",
  }));
  for (const pid of stdout.split("\n").flatMap((line) => (line.trim() ? [Number(line)] : []))) {
    process.kill(pid, "SIGKILL");
  }
  child.kill("SIGKILL");
  await finished;
}

/** Waits until something holds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`never: ${condition}`);
    await pause(50);
  }
}

/** The digest that the registry reports for an image `host/path:tag`. */
async function digestOf(image: string): Promise<string> {
  const [, host, path, tag] = /^([^/]+)\/(.+):([^:/]+)$/.exec(image) ?? [];
  const answer = await fetch(`http://${host}/v2/${path}/manifests/${tag}`, {
    method: "HEAD",
    headers: {
      accept: [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
      ].join(", "),
    },
  });
  return answer.headers.get("docker-content-digest") ?? "";
}

function filesOf(folder: string, under: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [join(under, path.slice(folder.length + 1)), readFileSync(path, "utf8")];
      }),
  );
}
