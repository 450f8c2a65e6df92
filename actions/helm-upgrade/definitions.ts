import { differenceOf } from "../../shared/diff/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import {
  type KubernetesObject,
  nameOf,
  refOf,
  rolloutFailure,
  waitForRollout,
} from "../../shared/kubernetes/index.ts";
import type { Run } from "./run.ts";

/**
 * What a reader should know of the definitions in the chart's folder crds/: Helm makes those that
 * are missing at the first install, and never changes or adds one afterwards.
 */
export async function definitionNotes(
  definitions: readonly KubernetesObject[],
  firstInstall: boolean,
  { tools, options }: Run,
): Promise<readonly string[]> {
  if (definitions.length === 0 || options.crds === "apply") return [];
  const found = await Promise.all(
    definitions.map(async (desired) => {
      const name = nameOf({ kind: "CRD", name: desired.metadata.name });
      try {
        const live = await tools.cluster.find(refOf(desired));
        if (live === undefined) {
          return firstInstall && options.crds === "install"
            ? undefined
            : `${name} of the chart's folder crds/ is not in the cluster.`;
        }
        const { counts } = differenceOf([{ live, desired }], (text) => text);
        return counts.changed === 0
          ? undefined
          : `${name} differs from the one in the chart's folder crds/.`;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return `${name} was not compared with the cluster's: ${error.cause}`;
      }
    }),
  );
  const told = found.filter((note) => note !== undefined);
  if (told.length === 0) return [];
  return [
    ...told,
    "Helm changes no definition of crds/ after the first install: `crds: apply` does.",
  ];
}

/**
 * Applies the definitions, and waits until the API server serves their kinds.
 *
 * @throws {UserError} when one is refused, or not established in time.
 */
export async function applyDefinitions(
  definitions: readonly KubernetesObject[],
  { tools, world }: Run,
  deadline: number,
): Promise<void> {
  const cluster = tools.cluster.boundTo(world.signal);
  for (const definition of definitions) {
    await cluster.apply(definition, { fieldManager: "helm", force: true });
  }
  const report = await waitForRollout(cluster, definitions.map(refOf), { deadline, world });
  if (report.verdict === "cancelled") throw world.signal.reason;
  const failure = rolloutFailure(report);
  if (failure !== undefined) throw failure;
  await cluster.resources({ fresh: true });
}
