import type { Outcome } from "../../shared/action/index.ts";
import { type DeployFacts, deploySet, noFacts, previewSet } from "../../shared/apply-set/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { withImagesOfFile } from "../../shared/image-map/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { type Cluster, connect } from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import { outcomeOf } from "./outcome.ts";
import { setName } from "./set-name.ts";
import { settingsOf } from "./settings.ts";
import { readSources, wantedOf } from "./wanted.ts";

/**
 * Applies manifests, images and config as one set, waits until what they describe runs, proves which
 * images run, deletes what is in the set no more, and puts the last good revision back when any of
 * it fails.
 */
export async function applyManifests(options: Options, world: World): Promise<Outcome<OutputName>> {
  const journal = new Journal(world.clock);
  const facts = noFacts();
  try {
    await deploy(options, world, journal, facts);
    return outcomeOf(options, journal, facts, undefined);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return outcomeOf(options, journal, facts, error);
  }
}

async function deploy(
  given: Options,
  world: World,
  journal: Journal,
  facts: DeployFacts,
): Promise<void> {
  const options = await withImagesOfFile(given, world.environment.GITHUB_WORKSPACE ?? "");
  const name = setName(options);
  const sources = await journal.phase("read", () => readSources(options, world));
  const { kubeconfig, context } = options;
  const cluster = await connect({ kubeconfig, context }, world);
  const order = {
    set: { name, namespace: options.namespace },
    settings: settingsOf(options),
    bringsNamespace: sources.objects.some(
      ({ object }) => object.kind === "Namespace" && object.metadata.name === options.namespace,
    ),
    wanted: (bound: Cluster) => wantedOf(sources, options, bound, runOf(world)),
  };
  if (options.mode === "plan") await previewSet(cluster, order, world, journal, facts);
  else await deploySet(cluster, order, world, journal, facts);
}

/** What the workloads' change-cause says of this run. */
function runOf({ environment }: World): string {
  const { GITHUB_REPOSITORY, GITHUB_RUN_ID } = environment;
  return GITHUB_RUN_ID ? `${GITHUB_REPOSITORY || "run"} ${GITHUB_RUN_ID}` : "apply-manifests";
}
