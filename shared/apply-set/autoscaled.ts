import {
  type Cluster,
  isForbidden,
  isNotFound,
  type KubernetesObject,
} from "../kubernetes/index.ts";
import { isPredecessor, ownersOf } from "./field-owners.ts";
import { keyOf, keyOfRef } from "./key.ts";

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

/** What scales by itself, and what could not be found out about that. */
export interface Autoscaled {
  readonly keys: ReadonlySet<string>;
  readonly notes: readonly string[];
}

/** The objects whose replicas an autoscaler sets, one that is there or one that comes. */
export async function findAutoscaled(
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<Autoscaled> {
  const scalable = objects.filter((object) => (object as Scaled).spec?.replicas !== undefined);
  const namespaces = [...new Set(scalable.flatMap(({ metadata }) => metadata.namespace ?? []))];
  const notes: string[] = [];
  const live = await Promise.all(
    namespaces.map(async (namespace): Promise<readonly Autoscaler[]> => {
      try {
        return (await cluster.list<Autoscaler>({ ...AUTOSCALERS, namespace })).items;
      } catch (error) {
        // Nothing scales in a namespace that is not there yet.
        if (isNotFound(error)) return [];
        if (!isForbidden(error)) throw error;
        notes.push(
          `Whether autoscalers set replicas in namespace ${namespace} is not known: ${error.cause}`,
        );
        return [];
      }
    }),
  );
  const coming = objects.filter(({ kind }) => kind === "HorizontalPodAutoscaler");
  const keys = [...live.flat(), ...coming].flatMap(({ metadata, ...rest }) => {
    const { apiVersion, kind, name } = (rest as Autoscaler).spec?.scaleTargetRef ?? {};
    if (apiVersion === undefined || kind === undefined || name === undefined) return [];
    return [keyOfRef({ apiVersion, kind, namespace: metadata.namespace, name })];
  });
  return { keys: new Set(keys), notes };
}

/**
 * Leaves the replicas of an object to its autoscaler. Where somebody else owns the field, it is left
 * out. Where only we do, leaving it out would have the API server fall back to one replica: then the
 * number that there is now is repeated, until the autoscaler takes the field over by changing it.
 */
export function leaveReplicas(
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  autoscaled: ReadonlySet<string>,
  own: string,
): KubernetesObject {
  const { spec } = object as Scaled;
  const now = (live as Scaled | undefined)?.spec?.replicas;
  if (live === undefined || spec?.replicas === undefined || now === undefined) return object;
  if (!autoscaled.has(keyOf(object))) return object;
  const others = ownersOf(live, ["f:spec", "f:replicas"]).filter(
    (manager) => !isPredecessor(manager, own, object.kind),
  );
  const { replicas: _, ...rest } = spec;
  return { ...object, spec: others.length > 0 ? rest : { ...rest, replicas: now } } as Scaled;
}
