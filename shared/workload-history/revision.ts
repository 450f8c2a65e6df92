import type { KubernetesObject } from "../kubernetes/index.ts";

/** The template that pods are made from, as the API server writes it. */
export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly containers?: readonly { readonly name: string; readonly image?: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly image?: string }[];
  };
}

/** A revision of a Deployment, StatefulSet or DaemonSet that its cluster still holds. */
export interface WorkloadRevision {
  readonly revision: number;
  /** Numbers that it had before it was rolled out again. */
  readonly formerly: readonly number[];
  /** The ReplicaSet or ControllerRevision that keeps it. */
  readonly keeper: KubernetesObject;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Why it was made, as `kubectl rollout history` tells it. */
  readonly changeCause?: string | undefined;
  readonly template: PodTemplate;
  /** Whether the workload asks for it now. */
  readonly current: boolean;
  /** Pods of it that are ready. */
  readonly ready: number;
  /** Why somebody went back from it; undefined when nobody did. */
  readonly abandoned?: string | undefined;
}

/** The images of a template, those of init containers first. */
export function imagesOf({ spec }: PodTemplate): readonly string[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.flatMap(({ image }) => image ?? []);
}

const VERSION = ["app.kubernetes.io/version", "version"];

/** The version that a template's labels or annotations name. */
export function versionOf({ metadata }: PodTemplate): string | undefined {
  const named = { ...metadata?.annotations, ...metadata?.labels };
  return VERSION.map((key) => named[key]).find((version) => version !== undefined);
}
