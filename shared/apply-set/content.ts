import type { KubernetesObject, ObjectRef } from "../kubernetes/index.ts";
import { refOf } from "../kubernetes/index.ts";
import type { WorkloadChange } from "../workload-images/index.ts";
import { keyOf, keyOfRef } from "./key.ts";
import type { PlannedObject } from "./plan.ts";
import { snapshotOf } from "./put-back.ts";
import type { AppliedImage, RevisionContent } from "./record.ts";

/** What was there before a run: the last good revision, and one that was left unfinished. */
export interface Past {
  readonly good: RevisionContent | undefined;
  readonly unfinished: RevisionContent | undefined;
}

/**
 * What the record of a new revision holds. Beside its own objects, all that is needed to go back:
 * how objects were that no good revision describes, and what was made by a revision that came to
 * nothing, for nobody else remembers that.
 */
export function contentOf(
  planned: readonly PlannedObject[],
  changes: readonly WorkloadChange[],
  images: readonly AppliedImage[],
  past: Past,
): RevisionContent {
  const known = new Set(past.good?.objects.map(({ object }) => keyOf(object)));
  const carried = past.unfinished?.before ?? [];
  const remembered = new Set([...carried.map(keyOf), ...straysOf(past).map(keyOfRef)]);
  const fresh = planned.flatMap(({ object, live }) => {
    const key = keyOf(object);
    const isNews = live !== undefined && !known.has(key) && !remembered.has(key);
    return isNews ? [snapshotOf(live)] : [];
  });
  return {
    objects: planned.map(({ object, origin }) => ({ object, origin })),
    changes,
    earlier: earlierOf(past),
    images,
    before: [...carried, ...fresh],
    strays: straysOf(past),
  };
}

/** Changes of live workloads that an unfinished revision, or one before it, may have made. */
export function earlierOf({ unfinished }: Past): readonly WorkloadChange[] {
  return unfinished === undefined ? [] : [...unfinished.earlier, ...unfinished.changes];
}

/** What an unfinished revision, or one before it, made, and no good one knows. */
export function straysOf({ good, unfinished }: Past): readonly ObjectRef[] {
  if (unfinished === undefined) return [];
  const known = new Set([
    ...(good?.objects ?? []).map(({ object }) => keyOf(object)),
    ...unfinished.before.map(keyOf),
  ]);
  const made = [...unfinished.objects.map(({ object }) => refOf(object)), ...unfinished.strays];
  const strays = made.filter((ref) => !known.has(keyOfRef(ref)));
  return [...new Map(strays.map((ref) => [keyOfRef(ref), ref])).values()];
}

/** All objects that an unfinished revision may have changed. */
export function traceOf(unfinished: RevisionContent | undefined): readonly KubernetesObject[] {
  if (unfinished === undefined) return [];
  const strays = unfinished.strays.map(
    ({ apiVersion, kind, namespace, name }): KubernetesObject => ({
      apiVersion,
      kind,
      metadata: namespace === undefined ? { name } : { name, namespace },
    }),
  );
  return [...unfinished.objects.map(({ object }) => object), ...unfinished.before, ...strays];
}
