import type { UserError } from "../../failure/index.ts";
import { systemClock } from "../../world/index.ts";
import { isForbidden, isNotFound } from "../api-error.ts";
import type { Cluster, Collection } from "../cluster.ts";
import type { KubernetesObject } from "../object.ts";
import { NoSuchKind } from "../resource.ts";
import { hasRun } from "../verdict/index.ts";
import { type Follower, follow } from "../watch.ts";
import type { Lean } from "./lean.ts";

/** A copy of one collection that is kept up to date. */
export interface Mirror {
  readonly collection: Collection;
  readonly objects: ReadonlyMap<string, KubernetesObject>;
  /** The last state of what had run to its end when it was removed, by name. */
  readonly removed: ReadonlyMap<string, KubernetesObject>;
  /** Whether the copy was ever whole. */
  readonly synced: boolean;
  /** Why the API server is away; undefined while it is there. */
  readonly lost: UserError | undefined;
  /** Why there is nothing to see here, where doing without is possible. */
  readonly unreadable: UserError | undefined;
  /** The server's words while it does not serve the kind at all. */
  readonly noSuchKind: UserError | undefined;
  /** Ends when following ends: without an error when the signal aborts. */
  readonly done: Promise<void>;
}

export interface MirrorOptions {
  readonly signal: AbortSignal;
  /** Do without when the credentials may not read it, or the server does not serve it. */
  readonly optional: boolean;
  /** Objects of this kind are waited for: a server that does not know it yet may learn it. */
  readonly awaited?: boolean;
  readonly lean: Lean;
  /** Only pass the objects on: whoever is told keeps what it needs. */
  readonly passing?: boolean;
  /** Called for every object that is new, has changed (with what it was before), or is gone. */
  readonly onObject: (
    before: KubernetesObject | undefined,
    after: KubernetesObject | undefined,
  ) => void;
  /** Called when the copy is whole, and when the API server goes away or comes back. */
  readonly onState: () => void;
}

/** The definition of a kind may be installed while its objects are waited for. */
const KIND_LOOK_MS = 1_000;

/** Copies a collection with one list and one watch. */
export function mirror(cluster: Cluster, collection: Collection, options: MirrorOptions): Mirror {
  return new Copy(cluster, collection, options);
}

class Copy implements Mirror {
  readonly collection: Collection;
  readonly objects = new Map<string, KubernetesObject>();
  readonly removed = new Map<string, KubernetesObject>();
  readonly done: Promise<void>;
  synced = false;
  lost: UserError | undefined;
  unreadable: UserError | undefined;
  noSuchKind: UserError | undefined;
  readonly #options: MirrorOptions;

  constructor(cluster: Cluster, collection: Collection, options: MirrorOptions) {
    this.collection = collection;
    this.#options = options;
    this.done = this.#follow(cluster);
  }

  async #follow(cluster: Cluster): Promise<void> {
    const { signal, optional, awaited = false } = this.#options;
    while (!signal.aborted) {
      try {
        return await follow(cluster, this.collection, this.#follower(), signal);
      } catch (error) {
        if (isUnserved(error) && (!optional || awaited)) {
          this.#doWithout("noSuchKind", error);
          await systemClock.sleep(KIND_LOOK_MS, signal).catch(() => undefined);
        } else if (optional && (isForbidden(error) || isUnserved(error))) {
          return this.#doWithout("unreadable", error);
        } else {
          throw error;
        }
      }
    }
  }

  #follower(): Follower {
    const tellLoss = (lost: UserError | undefined) => {
      this.lost = lost;
      this.#options.onState();
    };
    return {
      lean: this.#options.lean,
      replaced: (all) => {
        this.noSuchKind = undefined;
        this.#replace(all);
      },
      changed: (object) => this.#changed(object),
      deleted: (object) => this.#deleted(object),
      lost: tellLoss,
      found: () => tellLoss(undefined),
    };
  }

  #doWithout(why: "unreadable" | "noSuchKind", error: UserError): void {
    this[why] = error;
    this.#replace([]);
  }

  #replace(all: readonly KubernetesObject[]): void {
    const names = new Set(all.map(({ metadata }) => metadata.name));
    for (const object of [...this.objects.values()]) {
      if (!names.has(object.metadata.name)) this.#deleted(object);
    }
    for (const object of all) this.#changed(object);
    this.synced = true;
    this.#options.onState();
  }

  #changed(object: KubernetesObject): void {
    const { name, resourceVersion } = object.metadata;
    const before = this.objects.get(name);
    // After a list anew most is as it was.
    if (before !== undefined && before.metadata.resourceVersion === resourceVersion) return;
    if (this.#options.passing !== true) this.objects.set(name, object);
    this.#options.onObject(before, object);
  }

  #deleted(object: KubernetesObject): void {
    const { name } = object.metadata;
    const before = this.#options.passing === true ? object : this.objects.get(name);
    if (before === undefined) return;
    this.objects.delete(name);
    if (hasRun(object)) this.removed.set(name, object);
    this.#options.onObject(before, undefined);
  }
}

/** Whether the server serves no such kind, or no longer. */
function isUnserved(error: unknown): error is UserError {
  return error instanceof NoSuchKind || isNotFound(error);
}
