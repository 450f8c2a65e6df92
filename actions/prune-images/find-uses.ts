import { UserError } from "../../shared/failure/index.ts";
import type { Repository } from "../../shared/images/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { OpenGitHub } from "./open-catalogues.ts";
import { addDeploymentUses, addFileUses } from "./record-uses.ts";
import { Uses } from "./uses.ts";

/** What is in use, and where that was looked for. */
export interface FoundUses {
  readonly uses: Uses;
  /** A sentence on each place. */
  readonly told: readonly string[];
}

/** Whether the step was told of any place that says what is deployed. */
export function hasSources(options: Options, environment: World["environment"]): boolean {
  const { environments, records } = options;
  return hasClusters(options, environment) || environments !== undefined || records !== undefined;
}

/** Clusters are named by the inputs, or by an earlier step that left KUBECONFIG behind. */
function hasClusters(
  { kubeconfig, contexts, nothingDeployed }: Options,
  { KUBECONFIG }: World["environment"],
): boolean {
  if (kubeconfig !== undefined || contexts !== undefined) return true;
  return Boolean(KUBECONFIG) && !nothingDeployed;
}

/**
 * Finds out what is in use, wherever the step was told to look. A place that cannot be read ends the
 * step: what it protects is not known then.
 *
 * @throws {UserError}
 */
export async function findUses(
  repositories: readonly Repository[],
  options: Options,
  github: OpenGitHub,
  world: World,
): Promise<FoundUses> {
  const uses = new Uses(repositories);
  const told: string[] = [];
  if (hasClusters(options, world.environment)) {
    // The client of clusters is loaded only where there are any.
    const { addClusterUses } = await import("./cluster-uses.ts");
    told.push(...(await addClusterUses(options, uses, world)));
  }
  if (options.environments !== undefined) {
    told.push(...(await addDeploymentUses(options, await github.open(), uses, world)));
  }
  told.push(...(await addFileUses(options.records ?? [], uses, world)));
  for (const sentence of told) world.log.info(sentence);
  return { uses, told };
}

/** The refusal to delete what nobody was asked about. */
export function noSources(): UserError {
  return new UserError({
    title: "Nothing says what is deployed",
    cause:
      "None of kubeconfig, contexts, environments and records is given, and KUBECONFIG is not set, so nothing is deleted by mode: delete.",
    remedy:
      "Say where these images run; where they run nowhere, give nothing-deployed: true. Nothing was deleted.",
  });
}

/** The refusal to delete where every place was asked, and knows none of the images. */
export function nothingInUse(told: readonly string[]): UserError {
  return new UserError({
    title: "None of the images is in use",
    cause: `Nothing that was looked at names an image of these repositories, which mostly means that it is the wrong place: ${told.join("; ")}.`,
    remedy:
      "Check contexts, namespaces and environments; where the images really run nowhere, give nothing-deployed: true. Nothing was deleted.",
  });
}
