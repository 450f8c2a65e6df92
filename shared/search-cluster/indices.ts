import { UserError } from "../failure/index.ts";
import type { SearchConnection } from "./connection.ts";
import { arrangementSettings, lastingSettings } from "./definition.ts";

/** An index as it is to be backed up. */
export interface IndexFacts {
  readonly name: string;
  readonly uuid: string;
  readonly health: string;
  readonly shards: number;
  readonly documents: number;
  readonly bytes: number;
  readonly mappings: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly aliases: Readonly<Record<string, unknown>>;
  readonly arrangement: Readonly<Record<string, unknown>>;
  /** Whether documents can be read as they were written. */
  readonly hasSources: boolean;
}

export interface Selection {
  readonly indices: readonly IndexFacts[];
  readonly dataStreams: readonly { readonly name: string; readonly indices: readonly string[] }[];
  /** What the snapshot is asked for: data streams by their own names. */
  readonly names: readonly string[];
  /** Hidden and system indices that nobody asked for. */
  readonly leftOut: readonly string[];
}

interface CatIndex {
  readonly index: string;
  readonly uuid: string;
  readonly health?: string;
  readonly status: string;
  readonly pri: string;
  readonly "pri.store.size": string | null;
}

/**
 * The indices that the patterns mean, each open and whole.
 *
 * @throws {UserError} where a pattern means nothing, or an index cannot be backed up.
 */
export async function selectIndices(
  cluster: SearchConnection,
  patterns: readonly string[],
): Promise<Selection> {
  const columns = "h=index,uuid,health,status,pri,pri.store.size&bytes=b&format=json";
  const all = await cluster.ask<CatIndex[]>("GET", `/_cat/indices?${columns}&expand_wildcards=all`);
  const streams = await dataStreams(cluster);
  const chosen = choose(all, streams, patterns);
  if (chosen.length === 0) throw nothingChosen(cluster.place, patterns);
  checkState(cluster.place, chosen);
  const indices: IndexFacts[] = [];
  for (const one of chosen) indices.push(await factsOf(cluster, one));
  const names = new Set(chosen.map(({ index }) => index));
  const whole = streams.filter((stream) => stream.indices.every((name) => names.has(name)));
  const inStreams = new Set(whole.flatMap((stream) => stream.indices));
  return {
    indices,
    dataStreams: whole,
    names: [...[...names].filter((name) => !inStreams.has(name)), ...whole.map(({ name }) => name)],
    leftOut: all
      .map(({ index }) => index)
      .filter((name) => !names.has(name))
      .sort(),
  };
}

const OWN = /^seaworthy-(verify|restore|lease)-/;

function choose(
  all: readonly CatIndex[],
  streams: Selection["dataStreams"],
  patterns: readonly string[],
): CatIndex[] {
  const streamOf = new Map(
    streams.flatMap(({ name, indices }) => indices.map((one) => [one, name])),
  );
  const wanted = patterns.filter((pattern) => !pattern.startsWith("-"));
  const unwanted = patterns.filter((pattern) => pattern.startsWith("-")).map((one) => one.slice(1));
  const means = (pattern: string, { index }: CatIndex) => {
    const stream = streamOf.get(index);
    const name = stream ?? index;
    // What a verification or a restore works with meanwhile is nobody's data.
    if (OWN.test(index) && !pattern.startsWith("seaworthy-")) return false;
    // As the cluster's own wildcards: a dot at the beginning has to be asked for.
    if (name.startsWith(".") && !pattern.startsWith(".")) return false;
    return matches(pattern, name) || matches(pattern, index);
  };
  const positive = wanted.length === 0 ? ["*"] : wanted;
  return all
    .filter((one) => positive.some((pattern) => means(pattern, one)))
    .filter((one) => !unwanted.some((pattern) => means(pattern, one)))
    .sort((a, b) => (a.index < b.index ? -1 : 1));
}

/** Whether a pattern with stars means a name. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(name);
}

function nothingChosen(place: string, patterns: readonly string[]): UserError {
  return new UserError({
    title: "There is no index to back up",
    cause: `${place} has no index or data stream that ${patterns.join(", ") || "*"} means.`,
    remedy: "Check the patterns; hidden indices have to be named with their dot.",
  });
}

function checkState(place: string, chosen: readonly CatIndex[]): void {
  const list = (some: readonly CatIndex[]) => some.map(({ index }) => index).join(", ");
  const closed = chosen.filter(({ status }) => status !== "open");
  if (closed.length > 0) {
    throw new UserError({
      title: "An index is closed",
      cause: `${place} has closed: ${list(closed)}. What is in a closed index cannot be read, so that nothing would prove its backup.`,
      remedy: `Open them, or leave them out: ${closed.map(({ index }) => `-${index}`).join(" ")}.`,
    });
  }
  const red = chosen.filter(({ health }) => health === "red");
  if (red.length === 0) return;
  throw new UserError({
    title: "An index is not whole",
    cause: `${place} has lost shards of: ${list(red)}. Their health is red, and a backup of them would lack documents.`,
    remedy: "See why by GET _cluster/allocation/explain, and heal them first, or leave them out.",
  });
}

/** The data streams of a cluster, with their indices. */
export async function dataStreams(cluster: SearchConnection): Promise<Selection["dataStreams"]> {
  interface Answer {
    readonly data_streams?: readonly {
      readonly name: string;
      readonly indices: readonly { readonly index_name: string }[];
    }[];
  }
  // OpenSearch lists them all, and refuses to be asked for that.
  const all = cluster.product === "opensearch" ? "" : "?expand_wildcards=all";
  // Servers without them know no such address, and say so in several ways.
  const answer = await cluster.ask<Answer>("GET", `/_data_stream${all}`).catch((error: unknown) => {
    if (error instanceof UserError && /40[0-5]/.test(error.cause)) return undefined;
    throw error;
  });
  return (answer?.data_streams ?? []).map(({ name, indices }) => ({
    name,
    indices: indices.map((one) => one.index_name),
  }));
}

async function factsOf(cluster: SearchConnection, one: CatIndex): Promise<IndexFacts> {
  const path = `/${encodeURIComponent(one.index)}`;
  interface Definition {
    readonly mappings?: { readonly _source?: { readonly enabled?: boolean } };
    readonly settings?: Readonly<Record<string, unknown>>;
    readonly aliases?: Readonly<Record<string, unknown>>;
  }
  const found = await cluster.ask<Record<string, Definition>>("GET", `${path}?flat_settings=true`);
  const { count } = await cluster.ask<{ count: number }>("GET", `${path}/_count`);
  const { mappings = {}, settings = {}, aliases = {} } = found[one.index] ?? {};
  return {
    ...{ name: one.index, uuid: one.uuid, health: one.health ?? "", shards: Number(one.pri) },
    ...{ documents: count, bytes: Number(one["pri.store.size"] ?? 0), mappings, aliases },
    ...{ settings: lastingSettings(settings), arrangement: arrangementSettings(settings) },
    hasSources: mappings._source?.enabled !== false,
  };
}

/** By index and shard: the number of the last change. It grows with every document written. */
export type ShardNumbers = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** The numbers of the last changes of the primary shards, for some indices. */
export async function shardNumbers(
  cluster: SearchConnection,
  indices: readonly string[],
): Promise<ShardNumbers> {
  interface Shard {
    readonly routing?: { readonly primary?: boolean };
    readonly seq_no?: { readonly max_seq_no?: number };
  }
  interface Answer {
    readonly indices?: Readonly<Record<string, { readonly shards?: Record<string, Shard[]> }>>;
  }
  const numbers = new Map<string, Map<string, number>>();
  for (const index of indices) {
    const path = `/${encodeURIComponent(index)}/_stats/docs?level=shards&expand_wildcards=all`;
    const answer = await cluster.ask<Answer>("GET", path);
    const shards = answer.indices?.[index]?.shards ?? {};
    const primaries = Object.entries(shards).map(([shard, copies]): [string, number] => {
      const primary = copies.find((copy) => copy.routing?.primary === true);
      return [shard, primary?.seq_no?.max_seq_no ?? -1];
    });
    numbers.set(index, new Map(primaries));
  }
  return numbers;
}

/** How many changes of an index there were between two readings. */
export function operationsBetween(
  before: ShardNumbers,
  after: ShardNumbers,
  index: string,
): number {
  const earlier = before.get(index);
  let operations = 0;
  for (const [shard, number] of after.get(index) ?? []) {
    // Numbers that fall are those of another index of this name: everything may have changed.
    const grown = number - (earlier?.get(shard) ?? -1);
    operations += grown >= 0 ? grown : Number.MAX_SAFE_INTEGER;
  }
  return Math.min(operations, Number.MAX_SAFE_INTEGER);
}
