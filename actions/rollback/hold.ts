import { UserError } from "../../shared/failure/index.ts";
import type { Cluster } from "../../shared/kubernetes/index.ts";
import { type HeldLease, newHolder, pageOf, takeLease } from "../../shared/lease/index.ts";
import type { World } from "../../shared/world/index.ts";

/** A target that no other run works on meanwhile. */
export interface Hold extends AsyncDisposable {
  /** Aborts when the job is cancelled, and when another run took the target away. */
  readonly signal: AbortSignal;
}

/**
 * Keeps other runs away from a target, waiting for one that is at work. Where leases are forbidden
 * it goes on without, and says so.
 *
 * @param subject as people call it: `workloads of namespace shop`.
 */
export async function hold(
  cluster: Cluster,
  { name, namespace, subject }: { name: string; namespace: string; subject: string },
  timeout: number,
  world: World,
): Promise<Hold> {
  const { clock, log, signal, environment } = world;
  const claim = {
    name,
    namespace,
    subject,
    holder: newHolder(environment),
    page: pageOf(environment),
  };
  const taken = await takeLease(cluster, claim, {
    clock,
    signal,
    aftermath: world.aftermath,
    timeout,
    onWait: (holder, page) => {
      const where = page === undefined ? "" : ` (${page})`;
      log.info(`${holder} is working on the ${subject}${where}: waiting for it to end.`);
    },
  });
  if (taken === undefined) {
    log.warning(
      `This user may not use leases in namespace ${namespace}: nothing keeps another run away from the ${subject}.`,
    );
    return { signal, [Symbol.asyncDispose]: async () => {} };
  }
  const { lease } = taken;
  return {
    signal: AbortSignal.any([signal, lease.lost]),
    [Symbol.asyncDispose]: () => giveBack(lease, cluster, world),
  };
}

async function giveBack(
  lease: HeldLease,
  cluster: Cluster,
  { aftermath, log }: World,
): Promise<void> {
  try {
    await lease.release(cluster.boundTo(aftermath));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.warning(`${error.cause} It runs out by itself after 15 s.`, "The lease was not given back");
  }
}
