import type { KubernetesObject } from "../object.ts";

export type Labels = Readonly<Record<string, string>>;

/** A controller of pods, with the labels that it gives them. */
interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Labels };
    readonly template?: { readonly metadata?: { readonly labels?: Labels } };
  };
  readonly status?: { readonly desiredNumberScheduled?: number };
}

/** Source: k8s.io/apimachinery, pkg/apis/meta/v1/types.go, LabelSelector. */
export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[] | null;
  }[];
}

/** Whether labels are as a selector demands; an empty selector demands nothing. */
export function isSelected(
  labels: Labels | undefined,
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
): boolean {
  const equal = Object.entries(matchLabels).every(([key, value]) => labels?.[key] === value);
  return (
    equal &&
    matchExpressions.every(({ key, operator, values }) => {
      const value = labels?.[key];
      const listed = value !== undefined && (values ?? []).includes(value);
      if (operator === "In") return listed;
      if (operator === "NotIn") return !listed;
      return operator === "Exists" ? value !== undefined : value === undefined;
    })
  );
}

/** The workloads whose pods have such labels. */
export function makersOf(
  selector: LabelSelector,
  workloads: readonly KubernetesObject[],
): readonly KubernetesObject[] {
  return workloads.filter(({ spec }: Workload) =>
    isSelected({ ...spec?.selector?.matchLabels, ...spec?.template?.metadata?.labels }, selector),
  );
}

/** How many pods a workload is to have. */
export function wantedPods(workload: KubernetesObject): number {
  const { kind, spec, status }: Workload = workload;
  return kind === "DaemonSet" ? (status?.desiredNumberScheduled ?? 0) : (spec?.replicas ?? 1);
}
