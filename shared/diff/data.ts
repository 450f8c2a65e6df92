import type { Counts, Difference, ObjectChange } from "./difference.ts";

/** A difference as plain data, small enough for an output of a step. */
export interface DifferenceData extends Counts {
  readonly objects: readonly Omit<ObjectChange, "whole">[];
  /** Objects that change and are left out for want of room. */
  readonly leftOut?: number;
}

/** Linux refuses a variable of the environment above 128 KiB. */
const LIMIT_CHARACTERS = 60_000;

/** The counts, and the objects that change with the places at which they do. */
export function differenceData(
  { objects, counts }: Difference,
  limit = LIMIT_CHARACTERS,
): DifferenceData {
  const changing = objects.filter(({ change }) => change !== "unchanged");
  const told: Omit<ObjectChange, "whole">[] = [];
  let size = 0;
  for (const { whole: _, ...object } of changing) {
    const small = { ...object, fields: object.fields.map(clipped) };
    size += JSON.stringify(small).length;
    if (size > limit) break;
    told.push(small);
  }
  const leftOut = changing.length - told.length;
  return { ...counts, objects: told, ...(leftOut === 0 ? {} : { leftOut }) };
}

const LONGEST_VALUE = 2_000;

/** A long text or a large part is told by its place alone. */
function clipped(field: ObjectChange["fields"][number]): ObjectChange["fields"][number] {
  const { before, after, ...rest } = field;
  const length = (JSON.stringify(before) ?? "").length + (JSON.stringify(after) ?? "").length;
  return length > LONGEST_VALUE ? rest : field;
}
