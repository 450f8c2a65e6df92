/** More than any manifest written by people; a bomb of nine lines makes a billion. */
const MOST_NODES = 200_000;
const DEEPEST = 100;

/**
 * A copy in which every alias is written out, so that no two places share a value.
 *
 * @throws {RangeError} when that would be too large, or when an alias stands within its anchor.
 */
export function unaliased(value: unknown): unknown {
  let nodes = 0;
  const copy = (node: unknown, depth: number): unknown => {
    nodes += 1;
    if (nodes > MOST_NODES) {
      throw new RangeError(`its aliases stand for more than ${MOST_NODES} values`);
    }
    if (depth > DEEPEST) throw new RangeError(`it is nested more than ${DEEPEST} deep`);
    if (Array.isArray(node)) return node.map((item) => copy(item, depth + 1));
    if (typeof node !== "object" || node === null) return node;
    return Object.fromEntries(
      Object.entries(node).map(([key, item]) => [key, copy(item, depth + 1)]),
    );
  };
  return copy(value, 0);
}
