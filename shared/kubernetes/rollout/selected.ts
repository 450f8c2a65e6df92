import type { KubernetesObject } from "../object.ts";
import type { Pod } from "../workload.ts";
import type { Target } from "./target.ts";

interface Service extends KubernetesObject {
  readonly spec?: { readonly selector?: Readonly<Record<string, string>> | null };
}

type Pods = Map<string, Pod>;

/** Pods by namespace and label, and the awaited Services that select by a label. */
export class Selected {
  readonly #kept: boolean;
  readonly #byNamespace = new Map<string, Pods>();
  readonly #byLabel = new Map<string, Pods>();
  readonly #servicesByLabel = new Map<string, Set<Target>>();

  /** @param kept whether anybody will ask: nothing is kept otherwise. */
  constructor(kept: boolean) {
    this.#kept = kept;
  }

  /** Takes note of a pod that is new, has changed or is gone; gives the Services it may concern. */
  changePod(before: Pod | undefined, after: Pod | undefined): readonly Target[] {
    if (!this.#kept) return [];
    if (before !== undefined) this.#remove(before);
    if (after !== undefined) this.#add(after);
    const labels = new Set([...labelsOf(before), ...labelsOf(after)]);
    return [...labels].flatMap((label) => [...(this.#servicesByLabel.get(label) ?? [])]);
  }

  /** Takes note of what an awaited Service selects. */
  changeService(target: Target, before?: KubernetesObject, after?: KubernetesObject): void {
    const old = before && anchorOf(before);
    if (old !== undefined) this.#servicesByLabel.get(old)?.delete(target);
    const anchor = after && anchorOf(after);
    if (anchor === undefined) return;
    const targets = this.#servicesByLabel.get(anchor) ?? new Set();
    this.#servicesByLabel.set(anchor, targets.add(target));
  }

  /** Of a Service, the pods that have one of the labels it selects by; else all of the namespace. */
  podsFor(object: KubernetesObject): readonly Pod[] {
    const anchor = object.kind === "Service" ? anchorOf(object) : undefined;
    const pods =
      anchor === undefined
        ? this.#byNamespace.get(object.metadata.namespace ?? "")
        : this.#byLabel.get(anchor);
    return [...(pods?.values() ?? [])];
  }

  #add(pod: Pod): void {
    const { name, namespace = "" } = pod.metadata;
    addTo(this.#byNamespace, namespace).set(name, pod);
    for (const label of labelsOf(pod)) addTo(this.#byLabel, label).set(name, pod);
  }

  #remove(pod: Pod): void {
    const { name, namespace = "" } = pod.metadata;
    this.#byNamespace.get(namespace)?.delete(name);
    for (const label of labelsOf(pod)) {
      const pods = this.#byLabel.get(label);
      pods?.delete(name);
      if (pods?.size === 0) this.#byLabel.delete(label);
    }
  }
}

export function isService({ apiVersion, kind }: Pick<Target, "apiVersion" | "kind">): boolean {
  return apiVersion === "v1" && kind === "Service";
}

function addTo(map: Map<string, Pods>, key: string): Pods {
  const pods = map.get(key) ?? new Map<string, Pod>();
  map.set(key, pods);
  return pods;
}

function labelsOf(pod: Pod | undefined): string[] {
  const { labels = {}, namespace = "" } = pod?.metadata ?? {};
  return Object.entries(labels).map((label) => [namespace, ...label].join(" "));
}

/** The first label that a Service selects by stands for all: whoever asks holds the pods to the rest. */
function anchorOf(object: KubernetesObject): string | undefined {
  const { metadata, spec }: Service = object;
  const [first] = Object.entries(spec?.selector ?? {}).sort();
  return first === undefined ? undefined : [metadata.namespace ?? "", ...first].join(" ");
}
