import type { KubernetesObject } from "../object.ts";
import { controllerOf } from "../workload.ts";

/** Objects of one kind by the uid of their controller; those without one are under the empty text. */
export class Owned<T extends KubernetesObject> {
  readonly #byOwner = new Map<string, Map<string, T>>();

  put(before: T | undefined, after: T | undefined): void {
    if (before !== undefined) this.#remove(before);
    if (after === undefined) return;
    const owner = ownerOf(after);
    const owned = this.#byOwner.get(owner) ?? new Map<string, T>();
    this.#byOwner.set(owner, owned.set(keyOf(after), after));
  }

  of(owner: string): T[] {
    return [...(this.#byOwner.get(owner)?.values() ?? [])];
  }

  #remove(object: T): void {
    const owner = ownerOf(object);
    const owned = this.#byOwner.get(owner);
    owned?.delete(keyOf(object));
    if (owned?.size === 0) this.#byOwner.delete(owner);
  }
}

export function ownerOf(object: KubernetesObject): string {
  return controllerOf(object)?.uid ?? "";
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace} ${metadata.name}`;
}
