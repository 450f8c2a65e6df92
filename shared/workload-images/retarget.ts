import { UserError } from "../failure/index.ts";
import type { Cluster } from "../kubernetes/index.ts";
import {
  sameState,
  stateLike,
  titleOf,
  type WorkloadChange,
  type WorkloadState,
} from "./change.ts";
import { liveWorkload } from "./live-workload.ts";
import { planOf, type WorkloadPlan } from "./workload-plan.ts";

/**
 * The changes that bring live workloads to a recorded state: to go back to a revision.
 *
 * @throws {UserError} when a workload, or a container of it, is there no longer.
 */
export async function retarget(
  cluster: Cluster,
  recorded: readonly WorkloadChange[],
  by: string,
): Promise<WorkloadPlan> {
  const found = await Promise.all(
    recorded.map(async (change) => ({ change, object: await cluster.find(change.ref) })),
  );
  const problems: string[] = [];
  const plans = found.flatMap(({ change, object }) => {
    const { after } = change;
    const now = object === undefined ? undefined : stateLike(object, after);
    const missing = Object.keys(after.images).filter((name) => now?.images[name] === undefined);
    if (object === undefined || now === undefined) {
      problems.push(`${titleOf(change)} does not exist any more`);
      return [];
    }
    if (missing.length > 0) {
      problems.push(`${titleOf(change)} has no container ${missing.join(", ")} any more`);
      return [];
    }
    const wanted = { ...after, changeCause: by };
    const uid = object.metadata.uid ?? "";
    const next = sameState(now, after) ? undefined : { ...change, uid, before: now, after: wanted };
    return [{ workload: liveWorkload(object), change: next }];
  });
  if (problems.length > 0) throw cannotGoBack(problems);
  return planOf(plans, []);
}

/**
 * What workloads were to be at a revision: by the last change up to it, or else by what the first
 * change after it found. Give the good revisions of a history, oldest first.
 */
export function statesAt(
  history: readonly {
    readonly revision: number;
    readonly changes: readonly WorkloadChange[];
  }[],
  revision: number,
): readonly WorkloadChange[] {
  const states = new Map<string, WorkloadChange>();
  for (const entry of history) {
    for (const change of entry.changes) {
      const key = titleOf(change);
      const known = states.get(key);
      states.set(key, entry.revision <= revision ? later(known, change) : earlier(known, change));
    }
  }
  return [...states.values()];
}

function later(known: WorkloadChange | undefined, change: WorkloadChange): WorkloadChange {
  return { ...change, after: merged(known?.after, change.after) };
}

/** What the change found, for all that nothing before it tells. */
function earlier(known: WorkloadChange | undefined, change: WorkloadChange): WorkloadChange {
  return { ...change, after: merged(change.before, known?.after) };
}

/** Two states as one; where both say something, the second one counts. */
function merged(
  first: WorkloadState | undefined,
  second: WorkloadState | undefined,
): WorkloadState {
  const config = second?.config === undefined ? first?.config : second.config;
  return {
    images: { ...first?.images, ...second?.images },
    ...(config === undefined ? {} : { config }),
    changeCause: second?.changeCause ?? first?.changeCause ?? null,
  };
}

function cannotGoBack(problems: readonly string[]): UserError {
  return new UserError({
    title: "That state cannot be had again",
    cause: problems.map((problem) => `${problem}.`).join("\n"),
    remedy: "Choose another revision, or deploy anew. Nothing was changed.",
  });
}
