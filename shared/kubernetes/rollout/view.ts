import type { UserError } from "../../failure/index.ts";
import type { Cluster } from "../cluster.ts";
import type { KubernetesObject, ObjectRef } from "../object.ts";
import { type Need, neededFor, type Surroundings } from "../verdict/index.ts";
import type { ClusterEvent } from "../workload.ts";
import { isDispensable } from "./awaited.ts";
import { leanOf } from "./lean.ts";
import { type Mirror, mirror } from "./mirror.ts";
import { Neighbourhood } from "./neighbourhood.ts";
import type { Target } from "./target.ts";

export interface ViewOptions {
  readonly signal: AbortSignal;
  /** Called after every change. */
  readonly onChange: () => void;
}

const EVENTS = { apiVersion: "v1", kind: "Event" } as const;
/** Where events about what belongs to no namespace are kept. */
const EVENTS_OF_THE_CLUSTER = "default";

/**
 * All that a rollout's verdicts look at, kept up to date by one list and one watch per kind and
 * namespace, and which targets a change may concern.
 */
export class View {
  readonly #mirrors = new Map<string, Mirror>();
  readonly #near: Neighbourhood;
  readonly #byName = new Map<string, Target[]>();
  readonly #whole: ReadonlySet<string>;
  readonly #options: ViewOptions;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster, targets: readonly Target[], options: ViewOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#near = new Neighbourhood(targets);
    this.#whole = new Set(targets.flatMap((one) => (one.demand === undefined ? [] : keyOf(one))));
    for (const target of targets) {
      const key = `${keyOf(target)} ${target.name}`;
      this.#byName.set(key, [...(this.#byName.get(key) ?? []), target]);
      if (!isDispensable(target)) this.#need(target, false);
    }
    const needs = targets.flatMap((target) =>
      neededFor(target).map((need) => ({ ...need, namespace: namespaceOf(need, target) })),
    );
    // What one cannot do without comes first: another may be able to.
    for (const need of needs) if (need.optional !== true) this.#need(need, false);
    for (const target of targets) this.#need(target, true, true);
    for (const need of needs) this.#need(need, true);
    for (const { namespace = EVENTS_OF_THE_CLUSTER } of targets) {
      this.#need({ ...EVENTS, namespace }, true);
    }
  }

  /** Rejects with the first thing that makes going on impossible; never resolves before the end. */
  async failed(): Promise<never> {
    const endless = new Promise<never>(() => {});
    return Promise.race([...this.#mirrors.values()].map(({ done }) => done.then(() => endless)));
  }

  get synced(): boolean {
    return this.#every(({ synced }) => synced);
  }

  /** Why the API server is away; undefined while it is there. */
  get lost(): UserError | undefined {
    for (const { lost } of this.#mirrors.values()) if (lost !== undefined) return lost;
    return undefined;
  }

  /** What may not be read and is done without. */
  get unreadable(): string[] {
    return [...this.#mirrors.values()].flatMap(({ unreadable }) => unreadable?.cause ?? []);
  }

  /** The targets that changes may concern since this was last asked; all of them at first. */
  takeTouched(): Iterable<Target> {
    return this.#near.takeTouched();
  }

  /** Says that something is known of a pod that no watch tells. */
  touch(uid: string): void {
    this.#near.touch(uid);
    this.#options.onChange();
  }

  find(target: Target): KubernetesObject | undefined {
    return this.#mirrors.get(keyOf(target))?.objects.get(target.name);
  }

  /** The last state of a target that had run to its end before it was removed. */
  findRemoved(target: Target): KubernetesObject | undefined {
    return this.#mirrors.get(keyOf(target))?.removed.get(target.name);
  }

  /** Why a target may not be read that can be done without. */
  unreadableOf(target: Target): UserError | undefined {
    return this.#mirrors.get(keyOf(target))?.unreadable;
  }

  /** The server's words where it serves no such kind. */
  noSuchKind(target: Target): UserError | undefined {
    return this.#mirrors.get(keyOf(target))?.noSuchKind;
  }

  /** Names of the objects of a target's kind in its namespace. */
  namesLike(target: Target): string[] {
    return [...(this.#mirrors.get(keyOf(target))?.objects.keys() ?? [])];
  }

  /** The events of an object, by its uid, oldest first. */
  events(uid: string | undefined): readonly ClusterEvent[] {
    return this.#near.events.of(uid);
  }

  /** What the verdict on a target needs beside itself. */
  around(target: Target, object: KubernetesObject): Surroundings {
    return {
      ...this.#near.around(object),
      others: (kind) => this.#others(target, kind),
    };
  }

  #others(target: Target, kind: string): readonly KubernetesObject[] | undefined {
    const need = neededFor(target).find((one) => one.kind === kind);
    if (need === undefined) return undefined;
    const found = this.#mirrors.get(keyOf({ ...need, namespace: namespaceOf(need, target) }));
    return found === undefined || found.unreadable !== undefined
      ? undefined
      : [...found.objects.values()];
  }

  #need(kind: Omit<ObjectRef, "name">, optional: boolean, awaited = false): void {
    const key = keyOf(kind);
    if (this.#mirrors.has(key)) return;
    const collection = {
      apiVersion: kind.apiVersion,
      kind: kind.kind,
      namespace: kind.namespace,
    };
    const { signal, onChange } = this.#options;
    const redact = (text: string) => this.#cluster.redact(text);
    const copy = mirror(this.#cluster, collection, {
      signal,
      optional,
      awaited,
      lean: leanOf(kind, { whole: this.#whole.has(key), redact }),
      passing: kind.kind === EVENTS.kind,
      onObject: (before, after) => {
        const name = (after ?? before)?.metadata.name;
        this.#near.change(collection, before, after, this.#byName.get(`${key} ${name}`) ?? []);
        onChange();
      },
      onState: onChange,
    });
    this.#mirrors.set(key, copy);
  }

  #every(is: (mirror: Mirror) => boolean): boolean {
    for (const one of this.#mirrors.values()) if (!is(one)) return false;
    return true;
  }
}

function namespaceOf(need: Need, { namespace }: Target): string | undefined {
  return need.clusterScoped === true ? undefined : namespace;
}

function keyOf({ apiVersion, kind, namespace }: Omit<ObjectRef, "name">): string {
  return `${apiVersion} ${kind} ${namespace ?? ""}`;
}
