/**
 * Whether two values read from JSON are the same: numbers by their value (0 is -0, 1.0 is 1),
 * arrays in their order, objects by their members in any order.
 */
export function sameJson(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return one === other;
  }
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => sameJson(item, other[index]));
  }
  const members = Object.entries(one);
  const others = other as Readonly<Record<string, unknown>>;
  return (
    members.length === Object.keys(others).length &&
    members.every(([name, value]) => Object.hasOwn(others, name) && sameJson(value, others[name]))
  );
}

/** An integer in a JSON value that JavaScript does not hold exactly; undefined when there is none. */
export function inexactInteger(value: unknown): number | undefined {
  if (typeof value === "number") {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? value : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const part of Object.values(value)) {
    const found = inexactInteger(part);
    if (found !== undefined) return found;
  }
  return undefined;
}
