import type { Cluster } from "../kubernetes/index.ts";
import { ApiError } from "../kubernetes/index.ts";
import {
  type Claim,
  NamespaceMissing,
  newHolder,
  pageOf,
  type Taken,
  takeLease,
} from "../lease/index.ts";
import type { World } from "../world/index.ts";
import type { OwnOptions } from "./own-options.ts";
import type { ReleaseTools } from "./tools.ts";

/**
 * Takes the lease of a release, which keeps others from it; undefined when leases are forbidden.
 *
 * @throws {UserError} when another run holds it, and it is not waited for or for too long.
 */
export async function hold(
  { cluster, release }: Pick<ReleaseTools, "cluster" | "release">,
  { timeout, createNamespace = false, whenBusy = "wait" }: OwnOptions,
  world: World,
): Promise<Taken | undefined> {
  const claim: Claim = {
    name: `seaworthy-${release.name}`,
    namespace: release.namespace,
    subject: `release ${release.name}`,
    holder: newHolder(world.environment),
    page: pageOf(world.environment),
  };
  const waiting = {
    clock: world.clock,
    signal: world.signal,
    aftermath: world.aftermath,
    timeout,
    refuse: whenBusy === "refuse",
    onWait: (holder: string, page: string | undefined) => {
      const where = page === undefined ? "" : ` (${page})`;
      const then = whenBusy === "refuse" ? "looking whether it is alive" : "waiting for it to end";
      world.log.info(`${holder} is working on ${release.name}${where}: ${then}.`);
    },
  };
  const taken = await takeLease(cluster, claim, waiting).catch(async (error: unknown) => {
    if (!(error instanceof NamespaceMissing) || !createNamespace) throw error;
    await makeNamespace(cluster, release.namespace);
    world.log.info(`Made the namespace ${release.namespace}.`);
    return takeLease(cluster, claim, waiting);
  });
  if (taken === undefined) {
    if (createNamespace) await makeNamespace(cluster, release.namespace);
    world.log.warning(
      `This user may not use leases in namespace ${release.namespace}, so nothing keeps two runs apart but Helm's own record: ` +
        `a pending revision counts as abandoned when nothing of it moves, or when it is older than the timeout.`,
    );
  } else if (taken.from !== undefined) {
    world.log.info(`Took the release over from ${taken.from}, which renewed its lease no more.`);
  }
  return taken;
}

async function makeNamespace(cluster: Cluster, name: string): Promise<void> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  await cluster.create(namespace).catch((error: unknown) => {
    const exists = error instanceof ApiError && error.status === 409;
    if (!exists) throw error;
  });
}
