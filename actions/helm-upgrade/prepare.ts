import {
  type ChartRef,
  type ChartSource,
  chartEnvironment,
  checkDependencies,
  fetchChart,
  Helm,
  kubeconfigFile,
  type PlacedImage,
  PrivateFolder,
  type ReleaseFlags,
  storageKind,
} from "../../shared/helm/index.ts";
import { connect, type KubernetesObject } from "../../shared/kubernetes/index.ts";
import type { ReleaseTools } from "../../shared/release/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import { PostRendering } from "./post-rendering.ts";
import { definitionsOf, type Rendering, render } from "./rendering.ts";
import { writeValues } from "./values.ts";

/** What the work is done with. */
export interface Tools extends ReleaseTools, AsyncDisposable {
  readonly chart: ChartRef;
  /** Paths of the values files for Helm, those that count most last. */
  readonly values: readonly string[];
  readonly placed: readonly PlacedImage[];
  readonly flags: ReleaseFlags;
  readonly postRendering: PostRendering;
  /** The chart as it is rendered; the first time was begun early, for it takes long. */
  rendering(): Promise<Rendering>;
  /** The definitions in the chart's folder crds/. */
  readonly definitions: Promise<readonly KubernetesObject[]>;
}

/**
 * Gets everything ready that needs no cluster: values in private files, images at their places in
 * them, the way to the cluster, and Helm.
 */
export async function prepare(options: Options, world: World): Promise<Tools> {
  const { environment, secrets, signal } = world;
  const storage = storageKind(environment.HELM_DRIVER);
  const folder = await PrivateFolder.make(environment.RUNNER_TEMP);
  try {
    const release = { name: options.release, namespace: options.namespace };
    const source = sourceOf(options);
    const helm = new Helm({
      program: options.helm,
      release,
      kubeconfig: await kubeconfigFile(options.kubeconfig, folder),
      context: options.context,
      secrets,
      environment,
      more: await chartEnvironment(source, folder, secrets),
      reword: (words) => folder.named(words),
    });
    const { chart, digest } = await fetchChart(source, helm, folder, signal);
    if (digest !== undefined) world.log.info(`The chart ${options.chart} is ${digest}.`);
    if (options.dependencies === "build") await helm.buildDependencies(chart, signal);
    await checkDependencies(chart.location);
    const { values, placed } = await writeValues(options, folder, chart, helm, signal);
    const flags = { skipCrds: options.crds !== "install", forceConflicts: options.forceConflicts };
    const postRendering = new PostRendering(options, helm, folder, world);
    const rendered = () =>
      postRendering.during([], (more) =>
        render(helm, chart, values, { ...flags, ...more }, signal),
      );
    let first: Promise<Rendering> | undefined = rendered();
    const definitions = definitionsOf(helm, chart, signal);
    // Whoever needs them looks at them; until then a failure must not count as unhandled.
    for (const early of [first, definitions]) early.catch(() => {});
    const { kubeconfig, context } = options;
    const cluster = await connect({ kubeconfig, context }, world);
    return {
      helm,
      cluster,
      release,
      storage,
      chart,
      values,
      placed,
      flags,
      postRendering,
      definitions,
      rendering() {
        const rendering = first ?? rendered();
        first = undefined;
        return rendering;
      },
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

function sourceOf(options: Options): ChartSource {
  return {
    location: options.chart,
    version: options.chartVersion,
    repository: options.repository,
    username: options.chartUsername,
    password: options.chartPassword,
    ca: options.chartCa,
  };
}
