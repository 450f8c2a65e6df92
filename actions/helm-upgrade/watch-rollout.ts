import { UserError } from "../../shared/failure/index.ts";
import { objectsOf, type Revision } from "../../shared/helm/index.ts";
import {
  type Graces,
  type KubernetesObject,
  type ObjectRef,
  type RolloutReport,
  waitForRollout,
} from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Tools } from "./prepare.ts";

/** Kinds whose readiness says whether the release runs. A CronJob runs nothing by itself. */
const AWAITED = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "Pod"]);

/** What of a manifest is waited for. Of the Services, those that get an address from outside. */
export function targetsOf(
  objects: readonly KubernetesObject[],
  namespace: string,
): readonly ObjectRef[] {
  const awaited = objects.filter(
    (object) =>
      AWAITED.has(object.kind) || (object.kind === "Service" && typeOf(object) === "LoadBalancer"),
  );
  return awaited.map(({ apiVersion, kind, metadata }) => ({
    apiVersion,
    kind,
    namespace: metadata.namespace ?? namespace,
    name: metadata.name,
  }));
}

/**
 * Waits until every workload of a revision is ready or one has failed.
 *
 * @throws the signal's reason when the job is cancelled meanwhile.
 */
export async function watchRollout(
  revision: Revision,
  { cluster, release }: Tools,
  timeout: number,
  world: World,
  graces: Partial<Graces> = {},
): Promise<RolloutReport> {
  const targets = targetsOf(objectsOf(revision.manifest), release.namespace);
  const deadline = world.clock.now() + timeout;
  const report = await waitForRollout(cluster, targets, { deadline, world, graces });
  if (report.verdict === "cancelled") throw abortReason(world.signal);
  return report;
}

function abortReason(signal: AbortSignal): unknown {
  return (
    signal.reason ??
    new UserError({ title: "Cancelled", cause: "The wait was cancelled.", remedy: "Run again." })
  );
}

function typeOf(object: KubernetesObject): unknown {
  return (object as { spec?: { type?: unknown } }).spec?.type;
}
