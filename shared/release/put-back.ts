import { HelmFailure, type Revision } from "../helm/index.ts";
import { isTransient } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { HookWatch } from "./hook-watch.ts";
import { recordedHooks } from "./hooks.ts";
import { keepReplicasIn } from "./keep-replicas.ts";
import { historyOf, type ReleaseTools } from "./tools.ts";

/** A rollback applies objects and runs hooks; pods are waited for afterwards. */
const TIMEOUT_MS = 5 * 60_000;

/**
 * Has Helm put a revision back, and run its hooks, which are watched meanwhile. Helm is never cut
 * off by a cancellation, only by the end of the time that is left after one: half a rollback is
 * worse than none. An API server that goes away in the middle is waited for, and Helm begins anew.
 *
 * @param timeout of the hooks, in milliseconds.
 * @throws {UserError} when it could not be put back.
 */
export async function putBack(
  target: Revision,
  tools: ReleaseTools,
  world: World,
  timeout: number | undefined,
): Promise<void> {
  const given = timeout ?? TIMEOUT_MS;
  const deadline = world.clock.now() + given;
  const finishing = { ...world, signal: world.aftermath };
  const hooks = recordedHooks(target.hooks, "rollback");
  const place = { cluster: bound(tools, world).cluster, namespace: tools.release.namespace };
  await keepReplicasIn(target, bound(tools, world), world);
  for (;;) {
    const watch = await HookWatch.begin(hooks, place, deadline, finishing);
    const signal = AbortSignal.any([world.aftermath, watch.failed]);
    try {
      await tools.helm.rollback(target.revision, given, signal);
      return;
    } catch (error) {
      const away = error instanceof HelmFailure && error.kind === "unreachable";
      if (!away || world.clock.now() >= deadline) throw await watch.explain(error);
      world.log.warning(`${error.cause} Trying again when it is back.`, "The API server is away");
      await untilBack(tools, world);
    } finally {
      await watch.stop();
    }
  }
}

function bound(tools: ReleaseTools, { aftermath }: World): ReleaseTools {
  return { ...tools, cluster: tools.cluster.boundTo(aftermath) };
}

/** An API server that was away when something failed may be back in a moment. */
const UNTIL_BACK_MS = 30_000;
const LOOK_MS = 1_000;

/**
 * The history, as soon as the API server answers again.
 *
 * @throws {UserError} when it does not within 30 s.
 */
export async function untilBack(
  tools: ReleaseTools,
  { clock, signal, aftermath }: World,
): Promise<readonly Revision[]> {
  const cluster = tools.cluster.boundTo(aftermath);
  const giveUpAt = clock.now() + UNTIL_BACK_MS;
  for (;;) {
    try {
      return await historyOf({ ...tools, cluster });
    } catch (error) {
      const worthIt = isTransient(error) && !signal.aborted && clock.now() < giveUpAt;
      if (!worthIt) throw error;
      await clock.sleep(LOOK_MS);
    }
  }
}
