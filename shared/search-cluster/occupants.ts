import { UserError } from "../failure/index.ts";
import type { SearchConnection } from "./connection.ts";
import { dataStreams } from "./indices.ts";
import type { SearchPlan } from "./restore-plan.ts";

/** What a cluster has under the names that a restore gives. */
export interface Occupants {
  /** Indices by name, each with its aliases. */
  readonly indices: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  /** Data streams. */
  readonly streams: readonly string[];
  /** Aliases of the backup that other indices of the cluster have. */
  readonly aliasesElsewhere: ReadonlySet<string>;
}

/**
 * Looks for what is in the way of a restore.
 *
 * @throws {UserError} where it is of another kind, so that it cannot be replaced.
 */
export async function findOccupants(
  cluster: SearchConnection,
  plan: SearchPlan,
): Promise<Occupants> {
  interface Answer {
    readonly aliases?: Readonly<Record<string, unknown>>;
  }
  const all = await cluster.ask<Record<string, Answer>>("GET", "/_alias?expand_wildcards=all");
  const streams = (await dataStreams(cluster)).filter(({ name }) => hasStream(plan, name));
  const wanted = new Set(plan.indices.map(({ name }) => name));
  const indices = new Map<string, Readonly<Record<string, unknown>>>();
  const others = new Map<string, string>();
  for (const [index, { aliases = {} }] of Object.entries(all)) {
    if (wanted.has(index)) indices.set(index, aliases);
    else for (const alias of Object.keys(aliases)) others.set(alias, index);
  }
  const allStreams = await dataStreams(cluster);
  checkKinds(cluster.place, plan, all, others, new Set(allStreams.map(({ name }) => name)));
  return {
    indices,
    streams: streams.map(({ name }) => name),
    aliasesElsewhere: new Set(others.keys()),
  };
}

function hasStream({ streams }: SearchPlan, name: string): boolean {
  return streams.some((stream) => stream.name === name);
}

/** A name that an index has is no alias or data stream, and the other way round. */
function checkKinds(
  place: string,
  plan: SearchPlan,
  indices: Readonly<Record<string, unknown>>,
  aliases: ReadonlyMap<string, string>,
  streams: ReadonlySet<string>,
): void {
  const wrong: string[] = [];
  for (const { name, aliases: own } of plan.indices) {
    const holder = aliases.get(name);
    if (holder !== undefined) wrong.push(`${name} is an alias of index ${holder}`);
    if (streams.has(name)) wrong.push(`${name} is a data stream`);
    for (const alias of Object.keys(own)) {
      if (alias in indices) wrong.push(`${alias}, an alias of ${name}, is an index`);
    }
  }
  for (const { name } of plan.streams) {
    const holder = aliases.get(name);
    if (holder !== undefined) wrong.push(`${name} is an alias of index ${holder}`);
    if (name in indices) wrong.push(`${name} is an index`);
  }
  if (wrong.length === 0) return;
  throw new UserError({
    title: "A name of the backup is taken by something of another kind",
    cause: `At ${place}, ${wrong.join("; ")}.`,
    remedy: "Remove or rename it, or leave the index out by indices. Nothing was changed.",
  });
}
