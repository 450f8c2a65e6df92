import { UserError } from "../failure/index.ts";
import { objectsOf, type Revision, standingOf } from "../helm/index.ts";
import {
  awaitedTargets,
  type Cluster,
  type KubernetesObject,
  nameOf,
  refOf,
} from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { isHook } from "./hooks.ts";
import type { OwnOptions } from "./own-options.ts";
import { historyOf, type ReleaseTools } from "./tools.ts";

/** How often a release that somebody else works on is looked at. */
const LOOK_MS = 1_000;
/** Helm marks a revision as soon as nothing is left to wait for: after this long nobody will. */
const QUIET_MS = 12_000;

/**
 * Waits until a release that somebody without a lease left pending settles by itself, or nobody
 * can be at it any more. Decided by what is there: while a hook runs or a workload is on its way,
 * its maker may be waiting for that; when nothing has moved for a while, it is gone. Older than
 * the timeout, it counts as gone in any case.
 *
 * @throws {UserError} when busy releases are refused and this one is.
 */
export async function settled(
  tools: ReleaseTools,
  { timeout, whenBusy }: OwnOptions,
  world: World,
): Promise<readonly Revision[]> {
  const { clock, log, signal } = world;
  let quiet = { since: clock.now(), fingerprint: "" };
  let told = false;
  for (;;) {
    const history = await historyOf(tools);
    const standing = standingOf(history);
    if (standing.state !== "pending") return history;
    const { last } = standing;
    const age = clock.now() - last.updated;
    if (age >= timeout) return history;
    const { moving, fingerprint } = await activityOf(last, tools);
    if (fingerprint !== quiet.fingerprint) quiet = { since: clock.now(), fingerprint };
    const still = clock.now() - quiet.since;
    if (moving === undefined && Math.min(still, age) >= QUIET_MS) {
      log.info(
        `Nothing of revision ${last.revision} has moved for ${Math.round(still / 1_000)} s.`,
      );
      return history;
    }
    if (whenBusy === "refuse" && moving !== undefined) throw busy(last, moving, tools);
    if (!told) log.info(waitingText(last, age, moving, timeout));
    told = true;
    await clock.sleep(LOOK_MS, signal);
  }
}

function waitingText(
  { revision, status }: Revision,
  age: number,
  moving: string | undefined,
  timeout: number,
): string {
  const why = moving === undefined ? "nothing of it seems to move" : moving;
  return (
    `Revision ${revision} is ${status} since ${Math.round(age / 1_000)} s, by somebody without a lease (${why}): ` +
    `waiting up to ${Math.round((timeout - age) / 1_000)} s for it to settle.`
  );
}

interface Activity {
  /** What its maker may be waiting for. */
  readonly moving: string | undefined;
  /** Differs whenever something of it was changed, by anybody. */
  readonly fingerprint: string;
}

interface Watched extends KubernetesObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly active?: number;
    readonly phase?: string;
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
  };
}

async function activityOf(last: Revision, { cluster, release }: ReleaseTools): Promise<Activity> {
  const objects = [last.manifest, ...last.hooks].flatMap(objectsOf);
  const awaited = awaitedTargets(objects, release.namespace).filter(({ kind }) => RUNS.has(kind));
  const hooks = objects.filter((object) => isHook(object) && RUNS.has(object.kind)).map(refOf);
  const refs = [...awaited, ...hooks.map((ref) => ({ namespace: release.namespace, ...ref }))];
  const found = await Promise.all(refs.map((ref) => readQuietly(cluster, ref)));
  const moving = found.flatMap((object) =>
    object === undefined ? [] : (movingText(object) ?? []),
  );
  const versions = found.map((object) => object?.metadata.resourceVersion ?? "");
  return { moving: moving[0], fingerprint: `${last.updated} ${versions.join(" ")}` };
}

const RUNS = new Set(["Deployment", "StatefulSet", "DaemonSet", "Job", "Pod"]);

async function readQuietly(
  cluster: Cluster,
  ref: Parameters<Cluster["find"]>[0],
): Promise<Watched | undefined> {
  try {
    return await cluster.find<Watched>(ref);
  } catch (error) {
    // What may not be read tells nothing: the age decides then.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What is still on its way with an object; undefined when it has come to an end. */
export function movingText({ kind, metadata, spec, status }: Watched): string | undefined {
  const name = nameOf({ kind, name: metadata.name });
  if (kind === "Job") return (status?.active ?? 0) > 0 ? `${name} is running` : undefined;
  if (kind === "Pod") {
    return ["Pending", "Running"].includes(status?.phase ?? "") ? `${name} is running` : undefined;
  }
  if (kind === "DaemonSet") return undefined;
  const wanted = spec?.replicas ?? 1;
  const seen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const ready = Math.min(status?.readyReplicas ?? 0, status?.updatedReplicas ?? 0);
  return seen && ready >= wanted ? undefined : `${name} has ${ready} of ${wanted} ready`;
}

function busy(
  { revision, status }: Revision,
  moving: string,
  { release }: ReleaseTools,
): UserError {
  return new UserError({
    title: `Somebody else works on the release ${release.name}`,
    cause: `Revision ${revision} of ${release.name} in namespace ${release.namespace} is ${status}, and it moves: ${moving}.`,
    remedy:
      "Let it end, then run again; or set `when-busy: wait` to wait for it. Nothing was changed.",
  });
}
