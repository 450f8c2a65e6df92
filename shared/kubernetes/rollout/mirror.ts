import type { UserError } from "../../failure/index.ts";
import { isForbidden } from "../api-error.ts";
import type { Cluster, Collection } from "../cluster.ts";
import type { KubernetesObject } from "../object.ts";
import { follow } from "../watch.ts";

/** A copy of one collection that is kept up to date. */
export interface Mirror {
  readonly collection: Collection;
  readonly objects: ReadonlyMap<string, KubernetesObject>;
  /** Whether the copy was ever whole. */
  readonly synced: boolean;
  /** Why the API server is away; undefined while it is there. */
  readonly lost: UserError | undefined;
  /** Why there is nothing to see here, where doing without is possible. */
  readonly forbidden: UserError | undefined;
  /** Ends when following ends: without an error when the signal aborts. */
  readonly done: Promise<void>;
}

export interface MirrorOptions {
  readonly signal: AbortSignal;
  /** Do without when the credentials may not read it. */
  readonly optional: boolean;
  /** Called after every change. */
  readonly onChange: () => void;
}

/** Copies a collection with one list and one watch. */
export function mirror(cluster: Cluster, collection: Collection, options: MirrorOptions): Mirror {
  const objects = new Map<string, KubernetesObject>();
  const { signal, optional, onChange } = options;
  const following = follow(
    cluster,
    collection,
    {
      replaced(all) {
        objects.clear();
        for (const object of all) objects.set(object.metadata.name, lean(object));
        state.synced = true;
        onChange();
      },
      changed(object) {
        objects.set(object.metadata.name, lean(object));
        onChange();
      },
      deleted(object) {
        objects.delete(object.metadata.name);
        onChange();
      },
      lost(error) {
        state.lost = error;
        onChange();
      },
      found() {
        state.lost = undefined;
        onChange();
      },
    },
    signal,
  );
  const state = {
    collection,
    objects,
    synced: false,
    lost: undefined as UserError | undefined,
    forbidden: undefined as UserError | undefined,
    done: following.catch((error: unknown) => {
      if (!optional || !isForbidden(error)) throw error;
      state.forbidden = error;
      state.synced = true;
      onChange();
    }),
  };
  return state;
}

/** Without the record of who set which field, which is often half of an object. */
function lean(object: KubernetesObject): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata as KubernetesObject["metadata"] & {
    readonly managedFields?: unknown;
  };
  return { ...object, metadata };
}
