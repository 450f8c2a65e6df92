export type Tree = Readonly<Record<string, unknown>>;

/**
 * What names an item within a list of objects, best first: the merge keys of the API's own lists,
 * and what custom resources use alike.
 */
const KEYS: readonly (readonly string[])[] = [
  ["name"],
  ["mountPath"],
  ["containerPort", "protocol"],
  ["port", "protocol"],
  ["devicePath"],
  ["topologyKey"],
  ["ip"],
  ["uid"],
  ["id"],
  ["key"],
  ["type"],
  ["host"],
];

/** The items of several versions of one list by name, in order; undefined when they have none. */
export function keyed(
  ...lists: readonly (readonly unknown[])[]
): readonly ReadonlyMap<string, Tree>[] | undefined {
  if (lists.every((list) => list.length === 0)) return undefined;
  for (const key of KEYS) {
    const maps = lists.map((list) => byKey(list, key));
    if (maps.every((map) => map !== undefined)) return maps;
  }
  return undefined;
}

function byKey(
  list: readonly unknown[],
  [first = "", ...more]: readonly string[],
): ReadonlyMap<string, Tree> | undefined {
  const map = new Map<string, Tree>();
  for (const item of list) {
    if (!isTree(item) || !isScalar(item[first])) return undefined;
    const rest = more.flatMap((key) => (isScalar(item[key]) ? [String(item[key])] : []));
    // TCP is what is meant where no protocol is given.
    const name = [String(item[first]), ...rest.filter((word) => word !== "TCP")].join("/");
    if (map.has(name)) return undefined;
    map.set(name, item);
  }
  return map;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isScalar(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}
