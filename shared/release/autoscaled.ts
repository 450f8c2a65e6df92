import { UserError } from "../failure/index.ts";
import type { LiveObjects } from "../kubernetes/index.ts";
import { type Cluster, groupOf, type KubernetesObject, refOf } from "../kubernetes/index.ts";

interface Autoscaler extends KubernetesObject {
  readonly spec?: {
    readonly scaleTargetRef?: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly name?: string;
    };
  };
}

type Scaled = KubernetesObject & { readonly spec?: { readonly replicas?: number } };

const AUTOSCALERS = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" } as const;

/** Replicas that an autoscaler has chosen, and that the chart would take back. */
export interface KeptReplicas {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** The number that there is now. */
  readonly live: number;
  /** The chart's. */
  readonly asked: number;
}

/**
 * Which of the objects an autoscaler has scaled to another number than they ask for. What may not
 * be read counts as nothing: then the API server says so when it matters.
 */
export async function keptReplicas(
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  live: LiveObjects,
): Promise<readonly KeptReplicas[]> {
  const differing = objects.flatMap((object): KeptReplicas[] => {
    const asked = (object as Scaled).spec?.replicas;
    const now = (live(refOf(object)) as Scaled | undefined)?.spec?.replicas;
    // An autoscaler leaves alone what is scaled to nothing.
    if (typeof asked !== "number" || typeof now !== "number" || now === asked || now === 0)
      return [];
    return [{ ...refOf(object), namespace: object.metadata.namespace, live: now, asked }];
  });
  if (differing.length === 0) return [];
  const namespaces = [...new Set(differing.flatMap(({ namespace }) => namespace ?? []))];
  const found = await Promise.all(namespaces.map((namespace) => autoscalersIn(cluster, namespace)));
  const coming = objects.filter(({ kind }) => kind === AUTOSCALERS.kind);
  const scaled = new Set([...found.flat(), ...coming].map(targetOf));
  return differing.filter((one) => scaled.has(keyOf(one)));
}

async function autoscalersIn(
  cluster: Cluster,
  namespace: string,
): Promise<readonly KubernetesObject[]> {
  try {
    return (await cluster.list({ ...AUTOSCALERS, namespace })).items;
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}

function targetOf(autoscaler: KubernetesObject): string {
  const {
    apiVersion = "",
    kind = "",
    name = "",
  } = (autoscaler as Autoscaler).spec?.scaleTargetRef ?? {};
  return keyOf({ apiVersion, kind, namespace: autoscaler.metadata.namespace, name });
}

function keyOf({
  apiVersion,
  kind,
  namespace = "",
  name,
}: Pick<KeptReplicas, "apiVersion" | "kind" | "namespace" | "name">): string {
  return [groupOf(apiVersion), kind, namespace, name].join(" ");
}

/** The objects with the replicas that are to be kept. */
export function withReplicas<T extends KubernetesObject>(
  objects: readonly T[],
  kept: readonly KeptReplicas[],
  home: string,
): readonly T[] {
  const numbers = new Map(kept.map((one) => [keyOf(one), one.live]));
  return objects.map((object) => {
    const { apiVersion, kind, metadata } = object;
    const namespace = metadata.namespace ?? home;
    const live = numbers.get(keyOf({ apiVersion, kind, namespace, name: metadata.name }));
    if (live === undefined) return object;
    return { ...object, spec: { ...(object as Scaled).spec, replicas: live } };
  });
}
