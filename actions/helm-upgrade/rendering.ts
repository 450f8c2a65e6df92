import {
  type ChartRef,
  type Helm,
  HelmFailure,
  mayHaveDefinitions,
  needsCluster,
  objectsOf,
  type ReleaseFlags,
} from "../../shared/helm/index.ts";
import type { KubernetesObject } from "../../shared/kubernetes/index.ts";
import { isHook } from "../../shared/release/index.ts";

/** What a chart makes of its values. */
export interface Rendering {
  readonly objects: readonly KubernetesObject[];
  readonly hooks: readonly KubernetesObject[];
}

/**
 * Renders a chart as Helm's upgrade will. One that asks the cluster nothing is rendered by itself,
 * in a fraction of the time.
 *
 * @throws {HelmFailure} with the template's file and line when it does not render.
 */
export async function render(
  helm: Helm,
  chart: ChartRef,
  values: readonly string[],
  flags: ReleaseFlags,
  signal: AbortSignal,
): Promise<Rendering> {
  if (!(await needsCluster(chart.location))) {
    try {
      return apart(objectsOf(await helm.template(chart, values, signal, flags)));
    } catch (error) {
      // What could not be rendered alone may depend on what is there, after all.
      if (!(error instanceof HelmFailure) || error.kind !== "other") throw error;
    }
  }
  const preview = await helm.preview(chart, values, signal, flags);
  return apart([preview.manifest, ...preview.hooks].flatMap(objectsOf));
}

function apart(objects: readonly KubernetesObject[]): Rendering {
  return {
    objects: objects.filter((object) => !isHook(object)),
    hooks: objects.filter(isHook),
  };
}

/** The definitions in the chart's folder crds/, which Helm installs before all else. */
export async function definitionsOf(
  helm: Helm,
  chart: ChartRef,
  signal: AbortSignal,
): Promise<readonly KubernetesObject[]> {
  if (!(await mayHaveDefinitions(chart.location))) return [];
  return objectsOf(await helm.showCrds(chart, signal));
}
