import { ApiError, type Cluster } from "../kubernetes/index.ts";
import { NamespaceMissing, type Taken, takeLease } from "../lease/index.ts";
import type { World } from "../world/index.ts";
import { type ApplySetRef, claimOn } from "./set.ts";

/** How the right to work on a set is had. */
export interface HoldOptions {
  /** The longest wait for another run, in milliseconds. */
  readonly timeout: number;
  /** Make the set's namespace where it is missing. */
  readonly createNamespace: boolean;
}

/**
 * Takes the lease of a set, which keeps other runs from it; undefined when leases are forbidden.
 *
 * @throws {UserError} when another run holds it for too long, or the namespace does not exist.
 */
export async function hold(
  cluster: Cluster,
  set: ApplySetRef,
  { timeout, createNamespace }: HoldOptions,
  world: Pick<World, "aftermath" | "clock" | "environment" | "log" | "signal">,
): Promise<Taken | undefined> {
  const { aftermath, clock, environment, log, signal } = world;
  const claim = claimOn(set, environment);
  const waiting = {
    clock,
    signal,
    aftermath,
    timeout,
    onWait: (holder: string, page: string | undefined) => {
      const where = page === undefined ? "" : ` (${page})`;
      log.info(`${holder} is working on the set ${set.name}${where}: waiting for it to end.`);
    },
  };
  const taken = await takeLease(cluster, claim, waiting).catch(async (error: unknown) => {
    if (!(error instanceof NamespaceMissing) || !createNamespace) throw error;
    await makeNamespace(cluster, set.namespace);
    log.info(`Made the namespace ${set.namespace}.`);
    return takeLease(cluster, claim, waiting);
  });
  if (taken === undefined) {
    if (createNamespace) await makeNamespace(cluster, set.namespace);
    log.warning(
      `This user may not use leases in namespace ${set.namespace}: nothing keeps two runs apart that work on this set at once.`,
      "No lease",
    );
  } else if (taken.from !== undefined) {
    log.info(`Took the set over from ${taken.from}, which renewed its lease no more.`);
  }
  return taken;
}

/** Makes a namespace; one that exists is as good. */
export async function makeNamespace(cluster: Cluster, name: string): Promise<void> {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  await cluster.create(namespace).catch((error: unknown) => {
    const exists = error instanceof ApiError && error.apiReason === "AlreadyExists";
    if (!exists) throw error;
  });
}
