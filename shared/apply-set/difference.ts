import { type Comparison, type Difference, differenceOf } from "../diff/index.ts";
import type { KubernetesObject } from "../kubernetes/index.ts";
import type { WorkloadChange, WorkloadState } from "../workload-images/index.ts";
import type { Plan, PlannedObject } from "./plan.ts";

/** What a plan changes, for people; secrets are hidden in it. */
export function planDifference(
  plan: Pick<Plan, "objects" | "gone">,
  changes: readonly WorkloadChange[],
  redact: (text: string) => string,
): Difference {
  const comparisons = [
    ...plan.objects.map(comparisonOf),
    ...plan.gone.map((live) => ({ live, desired: undefined, note: "in the set no more" })),
    ...changes.map(workloadComparison),
  ];
  return differenceOf(comparisons, redact);
}

function comparisonOf({ object, live, expected, deed, note }: PlannedObject): Comparison {
  const notes = [note, deed === "unchecked" ? "not checked against the cluster" : undefined];
  const told = notes.filter((one) => one !== undefined).join("; ");
  return {
    live,
    desired: expected ?? object,
    complete: expected !== undefined,
    ...(told === "" ? {} : { note: told }),
  };
}

function workloadComparison({ ref, before, after }: WorkloadChange): Comparison {
  const { apiVersion, kind, namespace, name } = ref;
  const object = (state: WorkloadState): KubernetesObject & { readonly template: unknown } => ({
    apiVersion,
    kind,
    metadata: { namespace, name },
    template: { images: state.images, ...(state.config == null ? {} : { config: state.config }) },
  });
  return { live: object(before), desired: object(after), complete: true };
}
