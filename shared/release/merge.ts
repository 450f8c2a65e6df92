type Tree = Readonly<Record<string, unknown>>;

/**
 * What names the items of the lists that a strategic merge patch merges, by the list's name
 * (`patchMergeKey` in k8s.io/api). All other lists are replaced as a whole.
 */
const MERGE_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  ephemeralContainers: ["name"],
  env: ["name"],
  ports: ["containerPort", "port"],
  volumes: ["name"],
  volumeMounts: ["mountPath"],
  volumeDevices: ["devicePath"],
  imagePullSecrets: ["name"],
  secrets: ["name"],
  hostAliases: ["ip"],
  topologySpreadConstraints: ["topologyKey"],
  resourceClaims: ["name"],
};

/** An object as it is, as it was asked for the last time, and as it is asked for now. */
export interface ThreeWays {
  readonly live: unknown;
  readonly previous: unknown;
  readonly desired: unknown;
}

/**
 * The object that a client-side apply leaves, as Helm 3 does it: what is asked for, what is asked
 * for no more taken away, and the rest as it was.
 *
 * @param strategic whether the kind is one of Kubernetes' own: lists of custom resources are
 *   replaced as a whole.
 */
export function merged({ live, previous, desired }: ThreeWays, strategic: boolean): unknown {
  return mergeAt("", { live, previous, desired }, strategic);
}

function mergeAt(key: string, sides: ThreeWays, strategic: boolean): unknown {
  const { live, previous, desired } = sides;
  if (isTree(live) && isTree(desired)) {
    return mergeMaps({ live, desired, previous: isTree(previous) ? previous : {} }, strategic);
  }
  if (Array.isArray(live) && Array.isArray(desired)) {
    const names = strategic ? MERGE_KEYS[key] : undefined;
    const before = Array.isArray(previous) ? previous : [];
    return mergeLists(names, { live, desired, previous: before }, strategic) ?? desired;
  }
  return desired;
}

function mergeMaps(
  {
    live,
    desired,
    previous,
  }: { readonly live: Tree; readonly desired: Tree; readonly previous: Tree },
  strategic: boolean,
): Tree {
  const kept = Object.entries(live).filter(
    ([key]) => Object.hasOwn(desired, key) || !Object.hasOwn(previous, key),
  );
  const result: Record<string, unknown> = Object.fromEntries(kept);
  for (const [key, value] of Object.entries(desired)) {
    if (value === null || value === undefined) delete result[key];
    else {
      const sides = { live: live[key], previous: previous[key], desired: value };
      result[key] = mergeAt(key, sides, strategic);
    }
  }
  return result;
}

function mergeLists(
  names: readonly string[] | undefined,
  {
    live,
    desired,
    previous,
  }: {
    readonly live: readonly unknown[];
    readonly desired: readonly unknown[];
    readonly previous: readonly unknown[];
  },
  strategic: boolean,
): readonly unknown[] | undefined {
  const name = names?.find((key) => desired.every((item) => isTree(item) && key in item));
  if (name === undefined) return undefined;
  const find = (list: readonly unknown[], value: unknown) =>
    list.find((item) => isTree(item) && item[name] === value);
  const items = desired.map((item) => {
    const value = (item as Tree)[name];
    const sides = { live: find(live, value), previous: find(previous, value), desired: item };
    return mergeAt("", sides, strategic);
  });
  const others = live.filter((item) => {
    const value = isTree(item) ? item[name] : undefined;
    return find(desired, value) === undefined && find(previous, value) === undefined;
  });
  return [...items, ...others];
}

/** The JSON merge patch (RFC 7386) that makes one object of the other; lists go as a whole. */
export function patchBetween(before: Tree, after: Tree): Tree {
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    if (isTree(was) && isTree(is)) patch[key] = patchBetween(was, is);
    else patch[key] = is === undefined ? null : is;
  }
  return patch;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
