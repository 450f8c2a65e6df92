import { sameJson } from "../json/index.ts";
import { isHidden, type Mask, masked } from "./hidden.ts";
import { isTree, keyed, type Tree } from "./list.ts";
import { type Path, pathText } from "./path.ts";
import { holdsQuantities, sameQuantity } from "./quantity.ts";

/** One place of an object at which it changes. */
export interface FieldChange {
  /** `spec.template.spec.containers[web].image` */
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
  /** What is there now; absent where nothing is, or where it is hidden. */
  readonly before?: unknown;
  /** What will be there. */
  readonly after?: unknown;
  /** The values must not be shown. */
  readonly hidden?: true;
}

/** What one object, or a part of it, is compared by. */
interface Sides {
  readonly live: unknown;
  readonly desired: unknown;
  /** What was asked for the last time. */
  readonly previous: unknown;
}

interface Context {
  /** The desired side is all that there will be, not only what is asked for. */
  readonly complete: boolean;
  readonly mask: Mask;
  readonly found: FieldChange[];
}

/** The places at which two versions of an object differ. */
export function fieldChanges(
  sides: { readonly live: Tree; readonly desired: Tree; readonly previous: Tree | undefined },
  complete: boolean,
  mask: Mask,
): readonly FieldChange[] {
  const context: Context = { complete, mask, found: [] };
  compare([], sides, context);
  return context.found;
}

function compare(path: Path, sides: Sides, context: Context): void {
  const { live, desired, previous } = sides;
  if (same(path, live, desired, context)) return;
  if (isTree(live) && isTree(desired)) {
    compareMaps(path, live, desired, isTree(previous) ? previous : {}, context);
  } else if (Array.isArray(live) && Array.isArray(desired)) {
    compareLists(path, live, desired, Array.isArray(previous) ? previous : [], context);
  } else {
    note(path, live, desired, context);
  }
}

function compareMaps(path: Path, live: Tree, desired: Tree, previous: Tree, context: Context) {
  const keys = new Set([...Object.keys(live), ...Object.keys(desired)]);
  for (const key of keys) {
    const inner = { live: live[key], desired: desired[key], previous: previous[key] };
    if (inner.desired === undefined && isLeft(inner.previous, context)) continue;
    compare([...path, key], inner, context);
  }
}

/** Whether nobody asks for a field to go away: a default, or another's. */
function isLeft(previous: unknown, { complete }: Context): boolean {
  return !complete && previous === undefined;
}

function compareLists(
  path: Path,
  live: readonly unknown[],
  desired: readonly unknown[],
  previous: readonly unknown[],
  context: Context,
): void {
  const [now, next] = keyed(live, desired) ?? [];
  const [before] = keyed(previous) ?? [];
  if (now === undefined || next === undefined) {
    comparePlainLists(path, live, desired, previous, context);
    return;
  }
  for (const item of new Set([...now.keys(), ...next.keys()])) {
    const inner = { live: now.get(item), desired: next.get(item), previous: before?.get(item) };
    if (inner.desired === undefined && isLeft(inner.previous, context)) continue;
    compare([...path, { item }], inner, context);
  }
  const order = [...now.keys()].filter((item) => next.has(item));
  const wanted = [...next.keys()].filter((item) => now.has(item));
  if (!sameJson(order, wanted) && context.complete) {
    note([...path, { item: "order" }], order, wanted, context);
  }
}

/** Items without names can only be told apart by where they stand. */
function comparePlainLists(
  path: Path,
  live: readonly unknown[],
  desired: readonly unknown[],
  previous: readonly unknown[],
  context: Context,
): void {
  const treesOfOneLength = live.length === desired.length && [...live, ...desired].every(isTree);
  if (!treesOfOneLength) {
    note(path, live, desired, context);
    return;
  }
  for (const [index, item] of desired.entries()) {
    const inner = { live: live[index], desired: item, previous: previous[index] };
    compare([...path, { item: String(index) }], inner, context);
  }
}

function same(path: Path, live: unknown, desired: unknown, { complete }: Context): boolean {
  if (sameJson(live, desired)) return true;
  if (complete) return isNothing(live) && isNothing(desired);
  // What the API server would store may be spelt otherwise than it was asked for.
  if (isNothing(live) && (isNothing(desired) || isZero(desired))) return true;
  if (isTree(desired) || isTree(live) || Array.isArray(desired) || Array.isArray(live))
    return false;
  if (live === undefined || desired === undefined) return false;
  if (String(live) === String(desired)) return true;
  const keys = path.map((step) => (typeof step === "string" ? step : step.item));
  return holdsQuantities(keys) && sameQuantity(live, desired);
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Go leaves such a value out of what it prints. */
function isZero(value: unknown): boolean {
  return value === "" || value === false || value === 0;
}

function note(path: Path, live: unknown, desired: unknown, { mask, found }: Context): void {
  const change = isNothing(live) ? "added" : isNothing(desired) ? "removed" : "changed";
  const place = pathText(path);
  const [before, after] = [masked(live, path, mask), masked(desired, path, mask)];
  const hidden = isHidden(mask.kind, path, live) || isHidden(mask.kind, path, desired);
  // What differs in its secrets alone looks alike now.
  if (hidden || sameJson(before, after)) {
    found.push({ path: place, change, hidden: true });
    return;
  }
  found.push({
    path: place,
    change,
    ...(isNothing(live) ? {} : { before }),
    ...(isNothing(desired) ? {} : { after }),
  });
}
