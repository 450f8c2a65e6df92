import { isControlledBy, type KubernetesObject } from "../object.ts";
import {
  type Condition,
  type ControllerRevision,
  conditionOf,
  type DaemonSet,
  type Pod,
} from "../workload.ts";
import { notYetObserved } from "./observed.ts";
import { isReady } from "./pod.ts";
import { assessPods, joined } from "./pods.ts";
import { refusedPods } from "./replica-set.ts";
import { latestEvent, type Sight } from "./sight.ts";
import type { Assessment, Problem } from "./verdict.ts";

const REVISION = "controller-revision-hash";

interface Node extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

export interface AroundDaemonSet {
  readonly revisions: readonly ControllerRevision[];
  readonly pods: readonly Pod[];
  /** Undefined where nobody may read them: then every node counts. */
  readonly nodes: readonly KubernetesObject[] | undefined;
}

/**
 * The verdict on a DaemonSet: one available pod of the newest revision on every node that it
 * targets and that is ready itself.
 */
export function assessDaemonSet(set: DaemonSet, around: AroundDaemonSet, sight: Sight): Assessment {
  const unseen = notYetObserved(set);
  if (unseen !== undefined) return unseen;
  const byHand = set.spec.updateStrategy?.type === "OnDelete";
  const hash = newestHash(set, around.revisions);
  const own = around.pods.filter((pod) => isControlledBy(pod, set));
  const isNew = (pod: Pod) => hash === undefined || pod.metadata.labels?.[REVISION] === hash;
  const away = nodesAway(own, around.nodes);
  const here = own.filter(({ spec }) => !away.has(spec.nodeName ?? ""));
  const counted = byHand ? here : here.filter(isNew);
  const counts = countsOf(set, own, isNew, away);
  const missing = missingOf(counts, byHand);
  const problems = refusals(set, counted.length < counts.wanted, sight);
  return joined(
    { missing, notes: notesOf(set, counts, byHand, away), problems },
    assessPods(counted, sight),
  );
}

interface Counts {
  /** Nodes that it targets and that are ready. */
  readonly wanted: number;
  readonly updated: number;
  readonly available: number;
  readonly away: number;
}

/** The nodes of its pods that are not ready, and that run no ready pod of it. */
function nodesAway(
  pods: readonly Pod[],
  nodes: readonly KubernetesObject[] | undefined,
): ReadonlySet<string> {
  const notReady = (nodes ?? []).filter(
    (node: Node) => conditionOf(node, "Ready")?.status !== "True",
  );
  const names = new Set(notReady.map(({ metadata }) => metadata.name));
  const serving = new Set(pods.filter(isReady).map(({ spec }) => spec.nodeName));
  const used = pods.map(({ spec }) => spec.nodeName ?? "");
  return new Set(used.filter((name) => names.has(name) && !serving.has(name)));
}

/** What the controller counts, without the nodes that are away. */
function countsOf(
  { status = {} }: DaemonSet,
  pods: readonly Pod[],
  isNew: (pod: Pod) => boolean,
  away: ReadonlySet<string>,
): Counts {
  const wanted = status.desiredNumberScheduled ?? 0;
  const updatedAway = pods.filter(
    (pod) =>
      away.has(pod.spec.nodeName ?? "") &&
      isNew(pod) &&
      pod.metadata.deletionTimestamp === undefined,
  );
  return {
    wanted: Math.max(0, wanted - away.size),
    updated: Math.max(0, (status.updatedNumberScheduled ?? 0) - updatedAway.length),
    available: status.numberAvailable ?? 0,
    away: away.size,
  };
}

function missingOf({ wanted, updated, available, away }: Counts, byHand: boolean): string[] {
  if (wanted === 0 && away > 0) return [`none of its ${away} nodes is ready`];
  const missing: string[] = [];
  if (updated < wanted && !byHand) missing.push(`${updated} of ${wanted} nodes updated`);
  if (available < wanted) missing.push(`${available} of ${wanted} nodes have an available pod`);
  return missing;
}

function notesOf(
  { status = {} }: DaemonSet,
  { wanted, updated }: Counts,
  byHand: boolean,
  away: ReadonlySet<string>,
): string[] {
  const notes: string[] = [];
  if ((status.desiredNumberScheduled ?? 0) === 0) notes.push("no node matches: nothing runs");
  if (byHand && updated < wanted) {
    notes.push(
      `${wanted - updated} of ${wanted} pods keep the old revision until they are deleted (OnDelete)`,
    );
  }
  if (away.size > 0) {
    const names = [...away].sort().slice(0, 5).join(", ");
    const rest = away.size > 5 ? ", ..." : "";
    const count =
      away.size === 1 ? "1 node that is not ready" : `${away.size} nodes that are not ready`;
    notes.push(`not waited for on ${count}: ${names}${rest}`);
  }
  return notes;
}

function refusals({ metadata }: DaemonSet, short: boolean, sight: Sight): Problem[] {
  const refused = latestEvent(sight, metadata.uid, ["FailedCreate"]);
  if (refused === undefined || !short) return [];
  return [refusedPods(metadata.uid, refused.message ?? "without a reason", sight)];
}

function newestHash(set: DaemonSet, revisions: readonly ControllerRevision[]): string | undefined {
  const own = revisions.filter((revision) => isControlledBy(revision, set));
  const [newest] = own.sort((a, b) => b.revision - a.revision);
  return newest?.metadata.labels?.[REVISION];
}
