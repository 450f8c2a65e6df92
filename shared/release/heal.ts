import { UserError } from "../failure/index.ts";
import { objectsOf, type Revision } from "../helm/index.ts";
import { awaitedTargets, unblockStatefulSets } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { putBack } from "./put-back.ts";
import type { ReleaseTools } from "./tools.ts";

/**
 * Brings a release out of the state in which a run that died left it, and says so in one line.
 *
 * @throws {UserError} with what was found and why it could not be healed.
 */
export async function heal(
  last: Revision,
  good: Revision | undefined,
  tools: ReleaseTools,
  world: World,
): Promise<void> {
  const { cluster, helm, release } = tools;
  const found = `Revision ${last.revision} of ${release.name} was left ${last.status} by a run that died`;
  try {
    if (good === undefined || last.status === "uninstalling") {
      world.log.info(`${found}, and no revision was ever good: uninstalling it.`);
      await helm.uninstall({ keepHistory: false }, world.aftermath);
    } else {
      world.log.info(`${found}: rolling back to revision ${good.revision}.`);
      await putBack(good, tools, world, undefined);
      const targets = awaitedTargets(objectsOf(good.manifest), release.namespace);
      await unblockStatefulSets(cluster.boundTo(world.aftermath), targets, world);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      {
        title: "A broken release could not be healed",
        cause: `${found}, and healing it failed: ${error.cause}`,
        remedy: error.remedy,
        ...(error.evidence === undefined ? {} : { evidence: error.evidence }),
      },
      { reason: error },
    );
  }
}
