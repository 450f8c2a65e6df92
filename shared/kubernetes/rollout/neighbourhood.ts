import type { Collection } from "../cluster.ts";
import type { KubernetesObject } from "../object.ts";
import { familyOf, neededFor, type Surroundings } from "../verdict/index.ts";
import type { ClusterEvent, ControllerRevision, Pod, ReplicaSet } from "../workload.ts";
import { EventStore } from "./event-store.ts";
import { Owned, ownerOf } from "./owned.ts";
import { isService, Selected } from "./selected.ts";
import type { Target } from "./target.ts";

/** The kinds that concern the targets that own them, and no others. */
const OWNED = ["v1/Pod", "apps/ReplicaSet", "apps/ControllerRevision"];
/** The kinds whose verdict asks for their own pods, by owner; a Service's are found by labels. */
const OWNERS = /^(apps|batch)\/|^v1\/(Pod|ReplicationController)$/;

/**
 * Who belongs to whom among the objects of a rollout, and so which targets a change may concern:
 * those that own the object, by one or two steps, those that select it, and those that asked for
 * all of its kind. Everything is kept up to date from change to change; nothing is ever built anew.
 */
export class Neighbourhood {
  readonly events = new EventStore();
  readonly #pods = new Owned<Pod>();
  readonly #sets = new Owned<ReplicaSet>();
  readonly #revisions = new Owned<ControllerRevision>();
  /** The owner's uid of every pod, ReplicaSet and revision, by its own. */
  readonly #owners = new Map<string, string>();
  readonly #targetsByUid = new Map<string, Set<Target>>();
  /** Targets that need all objects of a kind, by collection. */
  readonly #concerned = new Map<string, Target[]>();
  readonly #selected: Selected;
  #touched: Set<Target>;

  constructor(targets: readonly Target[]) {
    this.#touched = new Set(targets);
    this.#selected = new Selected(targets.some((target) => !ownsPods(target)));
    for (const target of targets) {
      const byOwner = ownsPods(target) || isService(target);
      for (const need of neededFor(target)) {
        if (byOwner && OWNED.includes(familyOf(need))) continue;
        const namespace = need.clusterScoped === true ? undefined : target.namespace;
        const key = keyOf({ ...need, namespace });
        this.#concerned.set(key, [...(this.#concerned.get(key) ?? []), target]);
      }
    }
  }

  takeTouched(): Iterable<Target> {
    const touched = this.#touched;
    this.#touched = new Set();
    return touched;
  }

  /** Takes note of an object that is new, has changed or is gone, and of whom it concerns. */
  change(
    collection: Collection,
    before: KubernetesObject | undefined,
    after: KubernetesObject | undefined,
    targets: readonly Target[],
  ): void {
    const object = after ?? before;
    if (object === undefined) return;
    if (collection.kind === "Event" && collection.apiVersion === "v1") {
      this.#changeEvent(before as ClusterEvent | undefined, after as ClusterEvent | undefined);
      return;
    }
    if (before !== undefined) this.touch(before.metadata.uid);
    this.#own(familyOf(collection), before, after);
    for (const target of targets) this.#changeTarget(target, before, after);
    this.touch(object.metadata.uid);
    for (const target of this.#concerned.get(keyOf(collection)) ?? []) this.#touched.add(target);
  }

  /** Says that something concerning the object of this uid is new. */
  touch(uid: string | undefined): void {
    for (let at = uid; at !== undefined && at !== ""; at = this.#owners.get(at)) {
      for (const target of this.#targetsByUid.get(at) ?? []) this.#touched.add(target);
    }
  }

  around(object: KubernetesObject): Omit<Surroundings, "others"> {
    const uid = object.metadata.uid ?? "";
    const replicaSets = this.#sets.of(uid);
    const revisions = this.#revisions.of(uid);
    const owners = [uid, ...replicaSets.map(({ metadata }) => metadata.uid ?? "")];
    const pods = ownsPods(object)
      ? owners.flatMap((owner) => this.#pods.of(owner))
      : this.#selected.podsFor(object);
    return { pods, replicaSets, revisions };
  }

  #changeEvent(before: ClusterEvent | undefined, after: ClusterEvent | undefined): void {
    if (before !== undefined && after === undefined) this.events.remove(before);
    if (after !== undefined) this.events.put(after);
    this.touch((after ?? before)?.involvedObject.uid);
  }

  #own(
    family: string,
    before: KubernetesObject | undefined,
    after: KubernetesObject | undefined,
  ): void {
    if (!OWNED.includes(family)) return;
    if (before !== undefined) this.#owners.delete(before.metadata.uid ?? "");
    if (after !== undefined) this.#owners.set(after.metadata.uid ?? "", ownerOf(after));
    if (family === "apps/ReplicaSet") this.#sets.put(before as ReplicaSet, after as ReplicaSet);
    if (family === "apps/ControllerRevision") {
      this.#revisions.put(before as ControllerRevision, after as ControllerRevision);
    }
    if (family !== "v1/Pod") return;
    this.#pods.put(before as Pod, after as Pod);
    for (const target of this.#selected.changePod(before as Pod, after as Pod)) {
      this.#touched.add(target);
    }
  }

  #changeTarget(
    target: Target,
    before: KubernetesObject | undefined,
    after: KubernetesObject | undefined,
  ): void {
    this.#touched.add(target);
    this.#targetsByUid.get(before?.metadata.uid ?? "")?.delete(target);
    const uid = after?.metadata.uid;
    if (uid !== undefined) {
      const targets = this.#targetsByUid.get(uid) ?? new Set();
      this.#targetsByUid.set(uid, targets.add(target));
    }
    if (isService(target)) this.#selected.changeService(target, before, after);
  }
}

function ownsPods(kind: Pick<Target, "apiVersion" | "kind">): boolean {
  return OWNERS.test(familyOf(kind));
}

function keyOf({ apiVersion, kind, namespace = "" }: Collection): string {
  return `${apiVersion} ${kind} ${namespace}`;
}
