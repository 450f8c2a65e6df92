import { annotationOf, CONFIG, templatePathOf } from "../job-config/index.ts";
import { type KubernetesObject, nameOf } from "../kubernetes/index.ts";
import { workloadsOf } from "../workload/index.ts";

/** What `kubectl rollout history` shows of a revision. */
export const CHANGE_CAUSE = "kubernetes.io/change-cause";

/** The parts of a workload that a change is about. Plain JSON, for the record in the cluster. */
export interface WorkloadState {
  /** By the names of containers, of which a pod has each once, init containers included. */
  readonly images: Readonly<Record<string, string>>;
  /** The template's note of the config that its pods read; null for none, absent when not concerned. */
  readonly config?: string | null;
  /** Null for none. */
  readonly changeCause: string | null;
}

/** A change of one live workload, and the way back. Plain JSON. */
export interface WorkloadChange {
  readonly ref: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
  readonly uid: string;
  readonly before: WorkloadState;
  readonly after: WorkloadState;
}

/** `deployment/web` */
export function titleOf({ ref }: Pick<WorkloadChange, "ref">): string {
  return nameOf(ref);
}

/** The state of a live workload, in the parts that another state is about. */
export function stateLike(object: KubernetesObject, like: WorkloadState): WorkloadState {
  const containers = workloadsOf([object], "")[0]?.containers ?? [];
  const images = containers.filter(({ name }) => name in like.images);
  return {
    images: Object.fromEntries(images.map(({ name, image }) => [name, image])),
    ...(like.config === undefined ? {} : { config: annotationOf(object) ?? null }),
    changeCause: object.metadata.annotations?.[CHANGE_CAUSE] ?? null,
  };
}

/** Whether pods would be the same: the words on why are no part of that. */
export function sameState(a: WorkloadState, b: WorkloadState): boolean {
  const names = new Set([...Object.keys(a.images), ...Object.keys(b.images)]);
  const sameImages = [...names].every((name) => a.images[name] === b.images[name]);
  return sameImages && a.config === b.config;
}

/**
 * The strategic merge patch that brings a workload to a state. It names the version of the object
 * that was read: if anything of it has changed since, the API server refuses it.
 */
export function patchTo(object: KubernetesObject, state: WorkloadState): object {
  const all = workloadsOf([object], "")[0]?.containers ?? [];
  const set = (init: boolean) =>
    all
      .filter((one) => one.init === init && state.images[one.name] !== undefined)
      .map(({ name }) => ({ name, image: state.images[name] }));
  const [init, main] = [set(true), set(false)];
  const spec = {
    ...(init.length === 0 ? {} : { initContainers: init }),
    ...(main.length === 0 ? {} : { containers: main }),
  };
  const template = {
    ...(state.config === undefined
      ? {}
      : { metadata: { annotations: { [CONFIG]: state.config } } }),
    ...(Object.keys(spec).length === 0 ? {} : { spec }),
  };
  const { uid, resourceVersion } = object.metadata;
  return {
    metadata: { uid, resourceVersion, annotations: { [CHANGE_CAUSE]: state.changeCause } },
    ...nested(templatePathOf(object) ?? [], template),
  };
}

function nested(path: readonly string[], value: object): object {
  return path.reduceRight<object>((inner, key) => ({ [key]: inner }), value);
}
