import { UserError } from "../failure/index.ts";
import { objectsOf, type Revision } from "../helm/index.ts";
import type { Journal } from "../journal/index.ts";
import {
  awaitedTargets,
  type Graces,
  type RolloutReport,
  waitForRecovery,
} from "../kubernetes/index.ts";
import { expectedImages, type ImageProof, proveImages, workloadsOf } from "../workload/index.ts";
import type { World } from "../world/index.ts";
import { patiently } from "./patiently.ts";
import { putBack } from "./put-back.ts";
import { historyOf, noteProof, type ReleaseTools } from "./tools.ts";

export interface RollBackOptions {
  /** The longest wait for the pods, and the longest that hooks may take, in milliseconds. */
  readonly timeout: number;
  readonly graces?: Partial<Graces> | undefined;
}

/** What came of putting a release back. */
export interface Restored {
  /** In one sentence, for the log and beside a failure. */
  readonly came: string;
  /** Whether the release was changed back, by a rollback or an uninstall. */
  readonly rolledBack: boolean;
  /** The number of the revision that is deployed now; undefined when none is. */
  readonly running: number | undefined;
  /** How the pods of the revision that was put back fared. */
  readonly recovery?: RolloutReport;
  /** Whether the pods run the images that the manifest pins by digest. */
  readonly images?: readonly ImageProof[];
  /** Why what was put back is not healthy. */
  readonly failure?: UserError;
}

/**
 * Puts an earlier revision of a release back that this run owns: Helm's rollback with its hooks
 * watched, pods of StatefulSets that are stuck made anew, its workloads waited for, the images
 * that it pins proved, and the new revision marked as proven.
 *
 * After a cancellation Helm's rollback is still done to its end; pods are not waited for then.
 *
 * @throws {UserError} when Helm could not roll back.
 */
export async function rollBackTo(
  target: Revision,
  tools: ReleaseTools,
  options: RollBackOptions,
  world: World,
  journal: Journal,
): Promise<Restored> {
  const { cluster, release } = tools;
  world.log.info(`Rolling back to revision ${target.revision}.`);
  await journal.phase("rollback", () => putBack(target, tools, world, options.timeout));
  const after = await historyOf({ ...tools, cluster: cluster.boundTo(world.aftermath) });
  const running = after.at(-1)?.revision;
  const came = `Rolled back to revision ${target.revision} (now revision ${running})`;
  const back = { rolledBack: true, running };
  const recovery = await journal.phase("recovery", () => recover(target, tools, options, world));
  if (recovery.verdict === "cancelled") {
    return { ...back, recovery, came: `${came}; its pods were not waited for.` };
  }
  if (recovery.verdict !== "ready") {
    journal.markFailed();
    return { ...back, recovery, came: `${came}.`, failure: notHealthy(came, recovery) };
  }
  const workloads = workloadsOf(objectsOf(target.manifest), release.namespace);
  const images = await proveImages(cluster, expectedImages(workloads), workloads);
  const wrong = images.find(({ verdict }) => verdict === "wrong");
  if (wrong !== undefined) {
    const failure = otherImage(came, wrong);
    return { ...back, recovery, images, came: `${came}.`, failure };
  }
  if (running !== undefined) await noteProof(tools, running, "proven", world);
  return { ...back, recovery, images, came: `${came}, which is healthy.` };
}

/** Waits for the pods of the revision that was put back. */
function recover(
  target: Revision,
  { cluster, release }: ReleaseTools,
  { timeout, graces }: RollBackOptions,
  world: World,
): Promise<RolloutReport> {
  const targets = awaitedTargets(objectsOf(target.manifest), release.namespace);
  const deadline = world.clock.now() + timeout;
  const wait = () => waitForRecovery(cluster, targets, { deadline, world, graces });
  return patiently(wait, deadline, world);
}

function notHealthy(came: string, { cause }: RolloutReport): UserError {
  return new UserError({
    title: "The rollback failed too",
    cause: `${came}, and that is not healthy either: ${cause?.message ?? "it was not ready in time"}`,
    remedy: "Look at the pods now: neither the new nor the old revision runs well.",
  });
}

function otherImage(came: string, { service, digest, detail }: ImageProof): UserError {
  return new UserError({
    title: "After the rollback, pods run another image",
    cause: `${came}, and ${service} should run ${digest}, but ${detail}.`,
    remedy:
      "Look at what changes pods on their way in: an admission webhook, or another deployment.",
  });
}
