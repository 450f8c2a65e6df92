/** Settings that say where and when an index is, not what it is, or that a restore changes. */
const PLACEMENT = [
  /^index\.(uuid|creation_date|provided_name|resize|history\.uuid|version\.|restore_|hidden$)/,
  /^index\.(number_of_replicas|auto_expand_replicas|priority|routing\.allocation\.|blocks\.)/,
  /^index\.(lifecycle|plugins\.index_state_management|opendistro\.index_state_management)\./,
  /^index\.(default_pipeline|final_pipeline|verified_before_close|shard\.check_on_startup)$/,
  /^index\.(replication\.|translog\.|store\.snapshot\.|unassigned\.|frozen$|search\.throttled$)/,
];

/** Of these, what somebody set on purpose, and an index that takes another's place has to have too. */
const ARRANGEMENT = [
  /^index\.(hidden|number_of_replicas|auto_expand_replicas|priority)$/,
  /^index\.(default_pipeline|final_pipeline)$/,
  /^index\.(routing\.allocation\.|lifecycle\.|blocks\.)/,
  /^index\.(plugins\.index_state_management|opendistro\.index_state_management)\./,
];
/** What the cluster itself sets: on full disks, by tiers, and where an index is a clone. */
const OF_CLUSTER =
  /^index\.blocks\.read_only_allow_delete$|_tier_preference$|^index\.routing\.allocation\.initial_recovery/;

type Json = unknown;

/** JSON with the names of every object in one order, so that equal values have equal texts. */
export function canonical(value: Json): string {
  return JSON.stringify(value, (_name, inner: Json) => {
    if (inner === null || typeof inner !== "object" || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The settings that make an index what it is. */
export function lastingSettings(
  settings: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const lasting = Object.entries(settings).filter(
    ([name]) => !PLACEMENT.some((rule) => rule.test(name)),
  );
  return Object.fromEntries(lasting);
}

/** The settings that say where an index is and what is done with it. */
export function arrangementSettings(
  settings: Readonly<Record<string, Json>>,
): Readonly<Record<string, Json>> {
  const found = Object.entries(settings).filter(
    ([name, value]) =>
      value !== null && ARRANGEMENT.some((rule) => rule.test(name)) && !OF_CLUSTER.test(name),
  );
  return Object.fromEntries(found);
}

/** One thing of a definition that is not as it was. */
export interface Change {
  /** Where: `mappings.properties.title.type`, `index.analysis.analyzer.x.type`. */
  readonly path: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
}

/** Where two definitions differ, leaf by leaf; no more than so many. */
export function changes(expected: Json, found: Json, path: string, most = 20): Change[] {
  const list: Change[] = [];
  const walk = (one: Json, other: Json, at: string) => {
    if (list.length >= most || canonical(one ?? null) === canonical(other ?? null)) return;
    if (isObject(one) && isObject(other)) {
      const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
      for (const name of names) walk(one[name], other[name], `${at}.${name}`);
      return;
    }
    list.push({ path: at, expected: shown(one), found: shown(other) });
  };
  walk(expected, found, path);
  return list;
}

function isObject(value: Json): value is Readonly<Record<string, Json>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function shown(value: Json): string | undefined {
  if (value === undefined) return undefined;
  const text = canonical(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
