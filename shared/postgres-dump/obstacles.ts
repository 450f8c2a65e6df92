import { UserError } from "../failure/index.ts";
import { quoteIdentifier, quoteQualified, type ServerFacts } from "../postgres/index.ts";
import type { LargeObjectFacts } from "./large-objects.ts";
import type { Relation } from "./relations.ts";
import type { Selection } from "./selection.ts";

/** Something that would make the dump less than the database. */
export interface Obstacle {
  /** `table public.orders: the role may not read it`. */
  readonly what: string;
  /** SQL or words that mend it; the same text is said once. */
  readonly remedy: string;
}

export interface Circumstances {
  readonly server: ServerFacts;
  readonly selection: Selection;
  readonly largeObjects: LargeObjectFacts;
  readonly mostSecondsBehind: number;
}

/** Everything that stands in the way, so that it can be mended in one go. */
export function obstaclesTo(circumstances: Circumstances): readonly Obstacle[] {
  const { server, selection, largeObjects } = circumstances;
  return [
    ...selection.problems.map((what) => ({ what, remedy: "Correct the names in the inputs." })),
    ...(server.standby === undefined ? [] : standbyObstacles(circumstances)),
    ...schemaObstacles(selection.relations, server.user),
    ...selection.relations.flatMap((relation) => relationObstacles(relation, circumstances)),
    ...(selection.holdsLargeObjects && largeObjects.unreadable > 0
      ? [largeObjectObstacle(largeObjects, server)]
      : []),
  ];
}

function standbyObstacles({ server, mostSecondsBehind }: Circumstances): readonly Obstacle[] {
  const { standby } = server;
  if (standby === undefined) return [];
  if (standby.paused) {
    return [
      {
        what: "the standby's replay is paused, so that it shows the past",
        remedy: "Run SELECT pg_wal_replay_resume() there, or connect to the primary.",
      },
    ];
  }
  const { secondsBehind, current } = standby;
  if (current || secondsBehind === undefined || secondsBehind <= mostSecondsBehind) return [];
  return [
    {
      what: `the standby is behind: the last transaction that it replayed is ${Math.round(secondsBehind)} s old, and ${mostSecondsBehind} s are allowed`,
      remedy: "Wait until the standby has caught up, or connect to the primary.",
    },
  ];
}

function schemaObstacles(relations: readonly Relation[], user: string): readonly Obstacle[] {
  const closed = new Set(
    relations.filter(({ mayUseSchema }) => !mayUseSchema).map(({ schema }) => schema),
  );
  return [...closed].map((schema) => ({
    what: `schema ${schema}: role ${user} may not use it`,
    remedy: readAll(user),
  }));
}

const WORDS = {
  r: "table",
  p: "table",
  m: "materialized view",
  v: "view",
  S: "sequence",
  f: "foreign table",
} as const;

function relationObstacles(
  relation: Relation,
  { server, selection }: Circumstances,
): readonly Obstacle[] {
  const { kind, schema, name } = relation;
  const subject = `${WORDS[kind]} ${schema}.${name}`;
  const found: Obstacle[] = [];
  const isRead = kind === "r" || kind === "p" || kind === "m" || kind === "S";
  if (isRead && !relation.maySelect) {
    found.push({
      what: `${subject}: role ${server.user} may not read it`,
      remedy: readAll(server.user),
    });
  }
  const hasRows = kind === "r" && !selection.excludedData.includes(relation);
  if (hasRows && relation.filtered) {
    found.push({
      what: `${subject}: row-level security ${relation.owned && relation.forcesRowSecurity ? "is forced also on its owner" : "may hide rows from the role"}`,
      remedy: `ALTER ROLE ${quoteIdentifier(server.user)} BYPASSRLS;`,
    });
  }
  if (hasRows && relation.unlogged && server.standby !== undefined) {
    found.push({
      what: `${subject}: it is unlogged, and a standby does not have its rows`,
      remedy: `Connect to the primary, or add ${quoteQualified(schema, name)} to exclude-table-data.`,
    });
  }
  return found;
}

function readAll(user: string): string {
  return `GRANT pg_read_all_data TO ${quoteIdentifier(user)};`;
}

function largeObjectObstacle(
  { unreadable, examples }: LargeObjectFacts,
  { user }: ServerFacts,
): Obstacle {
  return {
    what: `${unreadable} large object${unreadable === 1 ? "" : "s"} (${examples.join(", ")}${unreadable > examples.length ? ", …" : ""}): role ${user} may not read ${unreadable === 1 ? "it" : "them"}`,
    remedy: `ALTER ROLE ${quoteIdentifier(user)} SET lo_compat_privileges = on; (by a superuser; or GRANT SELECT ON LARGE OBJECT … for each)`,
  };
}

const SHOWN = 12;

/** All obstacles as one failure; undefined where there are none. */
export function obstructed(obstacles: readonly Obstacle[], subject: string): UserError | undefined {
  const [first] = obstacles;
  if (first === undefined) return undefined;
  const shown = obstacles.slice(0, SHOWN).map(({ what }) => what);
  const more = obstacles.length - shown.length;
  const remedies = [...new Set(obstacles.map(({ remedy }) => remedy))];
  return new UserError({
    title: "The backup would not be whole",
    cause: `Nothing was written, for a backup of ${subject} would leave something out: ${shown.join("; ")}${more > 0 ? `; and ${more} more` : ""}.`,
    remedy: remedies.slice(0, SHOWN).join(" "),
    ...(obstacles.length > 1 && {
      evidence: obstacles.map(({ what, remedy }) => `${what}\n    ${remedy}`).join("\n"),
    }),
  });
}
