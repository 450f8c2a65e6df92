import { type Completed, execute } from "../process/index.ts";
import type { Secrets } from "../secrets/index.ts";
import {
  type ChartRef,
  previewArguments,
  pullArguments,
  type ReleaseFlags,
  type ReleaseRef,
  rollbackArguments,
  showCrdsArguments,
  showValuesArguments,
  templateArguments,
  uninstallArguments,
  upgradeArguments,
} from "./arguments.ts";
import { type HelmTask, helmFailure } from "./failure.ts";
import { type Revision, revisionOfOutput } from "./release.ts";

/** How Helm is run: which program, and which cluster it talks to. */
export interface HelmSetting {
  /** A path, or a name to look up on the PATH. */
  readonly program: string;
  readonly release: ReleaseRef;
  /** Path of a kubeconfig; the environment's when left out. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly secrets: Secrets;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables for Helm beside those. */
  readonly more?: Readonly<Record<string, string>>;
  /** Helm's words as users should see them: names of temporary files put right. */
  readonly reword?: (words: string) => string;
}

interface RunOptions {
  readonly chart?: ChartRef;
  /** In milliseconds. */
  readonly deadline?: number;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}

const SPARE_MS = 2_000;

/** Helm 3 or 4, bound to one release. Every method throws HelmFailure, or the signal's reason. */
export class Helm {
  readonly #setting: HelmSetting;

  constructor(setting: HelmSetting) {
    this.#setting = setting;
  }

  /** The version it reports: `v4.3.1`. */
  async version(signal: AbortSignal): Promise<string> {
    const args = ["version", "--template={{.Version}}"];
    return (await this.#run(args, "tell its version", signal)).stdout.trim();
  }

  /** The values that a chart comes with, as YAML. */
  async showValues(chart: ChartRef, signal: AbortSignal): Promise<string> {
    const args = showValuesArguments(chart);
    return (await this.#run(args, "read the chart's values", signal, { chart })).stdout;
  }

  /** Asks a repository that Helm knows for its charts. */
  async updateRepository(name: string, signal: AbortSignal): Promise<void> {
    await this.#run(["repo", "update", "--", name], "read the chart repository", signal);
  }

  /** Gets a chart as an archive into a folder, and gives back what Helm says of it. */
  async pull(
    chart: ChartRef & { readonly shown: string },
    folder: string,
    how: { readonly caFile?: string | undefined; readonly plain: boolean },
    signal: AbortSignal,
  ): Promise<string> {
    const args = pullArguments(chart, folder, how);
    const named = { ...chart, location: chart.shown };
    // Helm 3 says it on the one stream, Helm 4 on the other.
    const { stdout, stderr } = await this.#run(args, "get the chart", signal, { chart: named });
    return `${stdout}\n${stderr}`;
  }

  /** Puts a chart's dependencies into its folder charts/, as Chart.lock names them. */
  async buildDependencies(chart: ChartRef, signal: AbortSignal): Promise<void> {
    const args = ["dependency", "build", "--", chart.location];
    await this.#run(args, "build the chart's dependencies", signal, { chart });
  }

  /** The chart's own CustomResourceDefinitions, as YAML. */
  async showCrds(chart: ChartRef, signal: AbortSignal): Promise<string> {
    const args = showCrdsArguments(chart);
    return (await this.#run(args, "read the chart's definitions", signal, { chart })).stdout;
  }

  /** The manifest as it is rendered without the cluster, hooks among the rest. */
  async template(
    chart: ChartRef,
    values: readonly string[],
    signal: AbortSignal,
    flags: ReleaseFlags = {},
  ): Promise<string> {
    const args = templateArguments(this.#setting.release, chart, values, flags);
    const { environment } = flags;
    return (await this.#run(args, "render the chart", signal, { chart, environment })).stdout;
  }

  /** What the upgrade would make, rendered with what the cluster has; changes nothing. */
  async preview(
    chart: ChartRef,
    values: readonly string[],
    signal: AbortSignal,
    flags: ReleaseFlags = {},
  ): Promise<Revision> {
    const args = previewArguments(this.#setting.release, chart, values, flags);
    const { environment } = flags;
    const { stdout } = await this.#run(args, "render the chart", signal, { chart, environment });
    return revisionOfOutput(stdout);
  }

  /** Installs or upgrades, runs hooks, and does not wait for pods. */
  async upgrade(
    chart: ChartRef,
    values: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
    flags: ReleaseFlags = {},
  ): Promise<Revision> {
    const { release } = this.#setting;
    const args = upgradeArguments(release, chart, values, secondsOf(timeoutMs), flags);
    const doing = `upgrade ${release.name}`;
    // Helm's own timeout comes first: its words say more than an end by force.
    const deadline = timeoutMs + SPARE_MS;
    const { stdout } = await this.#run(args, doing, signal, {
      chart,
      deadline,
      environment: flags.environment,
    });
    return revisionOfOutput(stdout);
  }

  /** Goes back to a revision and runs its hooks, without waiting for pods. */
  async rollback(revision: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { release } = this.#setting;
    const doing = `roll ${release.name} back to revision ${revision}`;
    const args = rollbackArguments(release, revision, secondsOf(timeoutMs));
    await this.#run(args, doing, signal, { deadline: timeoutMs + SPARE_MS });
  }

  async uninstall(
    { keepHistory }: { readonly keepHistory: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { release } = this.#setting;
    await this.#run(uninstallArguments(release, keepHistory), `uninstall ${release.name}`, signal);
  }

  async #run(
    args: readonly string[],
    doing: string,
    signal: AbortSignal,
    { chart, deadline, environment }: RunOptions = {},
  ): Promise<Completed> {
    const { program, release, secrets, reword } = this.#setting;
    const task: HelmTask = {
      doing,
      namespace: release.namespace,
      ...(chart === undefined ? {} : { chart: chart.location }),
      ...(reword === undefined ? {} : { reword }),
    };
    try {
      const command = { program, args: [...this.#clusterFlags(), ...args] };
      return await execute(
        {
          ...command,
          leashed: true,
          environment: {
            ...environmentFor(this.#setting.environment),
            ...this.#setting.more,
            ...environment,
          },
        },
        { signal, secrets, deadline },
      );
    } catch (error) {
      signal.throwIfAborted();
      throw helmFailure(error, task);
    }
  }

  #clusterFlags(): readonly string[] {
    const { kubeconfig, context } = this.#setting;
    return [
      ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
      ...(context === undefined ? [] : [`--kube-context=${context}`]),
    ];
  }
}

function secondsOf(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1_000));
}

/**
 * Helm can be led to another cluster, namespace or user by variables of its own. They are taken
 * away: it must act on the cluster that is watched. HELM_DEBUG would print values into the log.
 */
export function environmentFor(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, undefined>> {
  const leading = /^HELM_(KUBE.*|NAMESPACE|DEBUG)$/;
  const names = Object.keys(environment).filter((name) => leading.test(name));
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
