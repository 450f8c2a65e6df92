import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, UserError } from "../../shared/failure/index.ts";
import {
  type ChartRef,
  Helm,
  imageValues,
  kubeconfigFile,
  type PlacedImage,
  PrivateFolder,
  type ReleaseFlags,
  readValuesFiles,
  storageKind,
  type ValuesTree,
} from "../../shared/helm/index.ts";
import { connect, type KubernetesObject } from "../../shared/kubernetes/index.ts";
import type { ReleaseTools } from "../../shared/release/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import { PostRendering } from "./post-rendering.ts";
import { definitionsOf, type Rendering, render } from "./rendering.ts";

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
    const helm = new Helm({
      program: options.helm,
      release,
      kubeconfig: await kubeconfigFile(options.kubeconfig, folder),
      context: options.context,
      secrets,
      environment,
      reword: (words) => folder.named(words),
    });
    const chart = { location: options.chart, version: options.chartVersion };
    const { values, placed } = await writeValues(options, folder, () =>
      chartValues(chart, helm, signal),
    );
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

async function writeValues(
  options: Options,
  folder: PrivateFolder,
  defaults: () => Promise<ValuesTree>,
): Promise<{ readonly values: readonly string[]; readonly placed: readonly PlacedImage[] }> {
  const images = options.images ?? {};
  const placing =
    Object.keys(images).length === 0 && options.imageValues === undefined
      ? { values: {}, placed: [] }
      : imageValues(images, await defaults(), options.imageValues);
  const sources = [
    ...(await readValuesFiles(options.valuesFiles)),
    ...(options.values === undefined ? [] : [{ title: "the input values", text: options.values }]),
    ...(placing.placed.length === 0
      ? []
      : [{ title: "the images' values", text: JSON.stringify(placing.values) }]),
  ];
  const values = await Promise.all(
    sources.map((source, index) => folder.write(`values-${index}.yaml`, source)),
  );
  return { values, placed: placing.placed };
}

/** The values that a chart comes with; those of a folder are read without Helm's help. */
async function chartValues(chart: ChartRef, helm: Helm, signal: AbortSignal): Promise<ValuesTree> {
  const isFolder = await stat(chart.location).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const text = isFolder
    ? await readFile(join(chart.location, "values.yaml"), "utf8").catch(() => "")
    : await helm.showValues(chart, signal);
  try {
    const values = load(text, { json: true });
    return typeof values === "object" && values !== null ? (values as ValuesTree) : {};
  } catch (error) {
    throw new UserError({
      title: "The chart's values.yaml cannot be read",
      cause: `${chart.location}: ${describe(error).split("\n")[0]}.`,
      remedy: "Correct the file; nothing was changed.",
    });
  }
}
