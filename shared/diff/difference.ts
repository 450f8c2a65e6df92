import type { KubernetesObject, ObjectRef } from "../kubernetes/index.ts";
import { type FieldChange, fieldChanges } from "./field-changes.ts";
import { type Mask, masked } from "./hidden.ts";
import type { Tree } from "./list.ts";
import { withoutNoise } from "./noise.ts";

/** An object as it is, and as it is to be. */
export interface Comparison {
  /** Undefined when it does not exist. */
  readonly live: KubernetesObject | undefined;
  /** Undefined when it is to be deleted. */
  readonly desired: KubernetesObject | undefined;
  /**
   * The desired object is what the API server would store, as a server-side dry run answers: what it
   * lacks will be gone. Otherwise only the fields that it names are compared, for the rest is
   * defaults or belongs to others.
   */
  readonly complete?: boolean | undefined;
  /** What was asked for the last time: its fields that are asked for no more will be gone. */
  readonly previous?: KubernetesObject | undefined;
  /** What a reader should know: `not checked against the cluster: its namespace is new`. */
  readonly note?: string | undefined;
}

/** How one object will change. Holds no secret: it may be shown, and put out as JSON. */
export interface ObjectChange extends ObjectRef {
  readonly change: "added" | "changed" | "removed" | "unchanged";
  /** The places at which it changes; none for one that is added or removed as a whole. */
  readonly fields: readonly FieldChange[];
  /** One that is added, or removed: all of it, without noise. */
  readonly whole?: Tree | undefined;
  readonly note?: string | undefined;
}

export interface Counts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  readonly unchanged: number;
}

export interface Difference {
  readonly objects: readonly ObjectChange[];
  readonly counts: Counts;
}

/**
 * What will be different once the desired objects are applied. Secrets are hidden here already:
 * contents of Secrets, values under names that speak of one, and what `redact` knows.
 *
 * @param redact replaces the secrets that are known, as `world.secrets.redact` does.
 */
export function differenceOf(
  comparisons: readonly Comparison[],
  redact: (text: string) => string,
): Difference {
  const objects = comparisons.flatMap((comparison) => changeOf(comparison, redact));
  const count = (change: ObjectChange["change"]) =>
    objects.filter((object) => object.change === change).length;
  const counts = {
    added: count("added"),
    changed: count("changed"),
    removed: count("removed"),
    unchanged: count("unchanged"),
  };
  return { objects, counts };
}

function changeOf(comparison: Comparison, redact: Mask["redact"]): readonly ObjectChange[] {
  const { live, desired, previous, complete = false, note } = comparison;
  const object = desired ?? live;
  if (object === undefined) return [];
  const { apiVersion, kind, metadata } = object;
  const namespace = metadata.namespace ?? live?.metadata.namespace;
  const ref = { apiVersion, kind, namespace, name: metadata.name };
  const mask = { kind, redact };
  const noted = note === undefined ? {} : { note };
  const [before, after] = [withoutNoise(live), withoutNoise(desired)];
  if (before === undefined || after === undefined) {
    const change = before === undefined ? "added" : "removed";
    const whole = masked(after ?? before, [], mask) as Tree;
    return [{ ...ref, change, fields: [], whole, ...noted }];
  }
  const sides = { live: before, desired: after, previous: withoutNoise(previous) };
  const fields = fieldChanges(sides, complete, mask);
  return [{ ...ref, change: fields.length === 0 ? "unchanged" : "changed", fields, ...noted }];
}
