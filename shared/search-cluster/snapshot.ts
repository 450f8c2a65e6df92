import { UserError } from "../failure/index.ts";
import { bytesInWords, secondsInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";
import type { SearchConnection } from "./connection.ts";
import { SearchRefusal } from "./refusal.ts";

/** A snapshot as the repository lists it. */
export interface SnapshotInfo {
  readonly snapshot: string;
  readonly uuid: string;
  readonly state: string;
  readonly indices: readonly string[];
  readonly start_time_in_millis: number;
  readonly shards?: {
    readonly total: number;
    readonly failed: number;
    readonly successful: number;
  };
  readonly failures?: readonly ShardFailure[];
  readonly reason?: string;
}

interface ShardFailure {
  readonly index?: string;
  readonly shard_id?: number;
  readonly reason?: string;
}

/** How far a snapshot is, and what it holds by index. */
export interface SnapshotStatus {
  readonly state: string;
  readonly shards_stats: { readonly done: number; readonly total: number; readonly failed: number };
  readonly stats?: {
    readonly total?: { readonly size_in_bytes: number };
    readonly processed?: { readonly size_in_bytes: number };
    readonly incremental?: { readonly size_in_bytes: number };
  };
  readonly indices?: Readonly<
    Record<string, { readonly stats?: { readonly total?: { readonly size_in_bytes: number } } }>
  >;
}

export interface SnapshotOrder {
  readonly repository: string;
  readonly name: string;
  readonly indices: readonly string[];
  readonly globalState: boolean;
}

const TELL_EVERY_MS = 10_000;
const LONGEST_WAIT_MS = 2_000;

/** Where a snapshot is asked for. */
export function snapshotPath(repository: string, name: string): string {
  return `/_snapshot/${encodeURIComponent(repository)}/${encodeURIComponent(name)}`;
}

/**
 * Takes a snapshot and waits for its end. One that is not whole is removed again, as one that is
 * cancelled.
 *
 * @throws {UserError} where it cannot begin, or a shard of it fails.
 * @throws the reason of the world's signal when that aborts.
 */
export async function takeSnapshot(
  cluster: SearchConnection,
  order: SnapshotOrder,
  world: World,
): Promise<{ readonly info: SnapshotInfo; readonly bytes: number }> {
  const path = snapshotPath(order.repository, order.name);
  await begin(cluster, path, order);
  try {
    const bytes = await untilDone(cluster, path, world);
    const info = await untilListed(cluster, order, world);
    if (info?.state === "SUCCESS" && (info.shards?.failed ?? 0) === 0) return { info, bytes };
    throw notWhole(cluster.place, order.name, info);
  } catch (error) {
    await removeSnapshot(cluster, order, world);
    throw error;
  }
}

async function begin(cluster: SearchConnection, path: string, order: SnapshotOrder): Promise<void> {
  const body = {
    indices: order.indices.join(","),
    ...{ ignore_unavailable: false, partial: false, include_global_state: order.globalState },
    metadata: { taken_by: "seaworthy" },
    ...(hasFeatureStates(cluster) && !order.globalState ? { feature_states: ["none"] } : {}),
  };
  try {
    await cluster.ask("PUT", `${path}?wait_for_completion=false`, { body });
  } catch (error) {
    throw error instanceof SearchRefusal ? notBegun(cluster.place, order, error) : error;
  }
}

/** Elasticsearch since 7.12 snapshots what belongs to its own features, unless told not to. */
function hasFeatureStates({ product, version }: SearchConnection): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return product === "elasticsearch" && (major > 7 || (major === 7 && minor >= 12));
}

function notBegun(
  place: string,
  { name, repository }: SnapshotOrder,
  error: SearchRefusal,
): UserError {
  const said = `${place} says: ${error.reasons.join("; ")}.`;
  if (error.type === "concurrent_snapshot_execution_exception") {
    return new UserError({
      title: `Another snapshot is being taken to ${repository}`,
      cause: said,
      remedy: "Let it end, and run this again; nothing was taken.",
    });
  }
  if (error.type === "invalid_snapshot_name_exception") {
    return new UserError({
      title: `The snapshot ${name} exists already`,
      cause: said,
      remedy: "Run this again: a new name is chosen. The snapshot that is there was left alone.",
    });
  }
  return error;
}

/** Tells how far it is, and how many bytes it holds at the end. */
async function untilDone(cluster: SearchConnection, path: string, world: World): Promise<number> {
  const began = world.clock.now();
  let told = began;
  for (let wait = 100; ; wait = Math.min(wait * 1.6, LONGEST_WAIT_MS)) {
    await world.clock.sleep(wait, world.signal);
    const answer = await cluster.find<{ snapshots: SnapshotStatus[] }>("GET", `${path}/_status`);
    const status = answer?.snapshots[0];
    if (status === undefined) continue;
    const now = world.clock.now();
    if (now - told > TELL_EVERY_MS) {
      world.log.info(progress(status, (now - began) / 1_000));
      told = now;
    }
    if (!["INIT", "STARTED", "IN_PROGRESS"].includes(status.state)) {
      return status.stats?.total?.size_in_bytes ?? 0;
    }
  }
}

/** Its shards are done a moment before the repository's list says so. */
async function untilListed(
  cluster: SearchConnection,
  { repository, name }: SnapshotOrder,
  world: World,
): Promise<SnapshotInfo | undefined> {
  for (let wait = 50; ; wait = Math.min(wait * 1.6, LONGEST_WAIT_MS)) {
    const info = await findSnapshot(cluster, repository, name);
    if (info?.state !== "IN_PROGRESS") return info;
    await world.clock.sleep(wait, world.signal);
  }
}

/** A line for people: shards, bytes, rate and the time that is left. */
export function progress({ shards_stats, stats }: SnapshotStatus, seconds: number): string {
  const { done, total } = shards_stats;
  const bytes = stats?.processed?.size_in_bytes ?? 0;
  const all = stats?.incremental?.size_in_bytes ?? stats?.total?.size_in_bytes ?? 0;
  const rate = seconds > 0 ? bytes / seconds : 0;
  const left = rate > 0 && all > bytes ? `, ${secondsInWords((all - bytes) / rate)} left` : "";
  const amount = all > 0 ? `, ${bytesInWords(bytes)} of ${bytesInWords(all)}` : "";
  return `Snapshot: ${done} of ${total} shards${amount}, ${bytesInWords(rate)}/s${left}.`;
}

/** The snapshot as the repository lists it; undefined where it is not there. */
export async function findSnapshot(
  cluster: SearchConnection,
  repository: string,
  name: string,
): Promise<SnapshotInfo | undefined> {
  interface Answer {
    readonly snapshots?: readonly SnapshotInfo[];
    /** Elasticsearch 7 up to 7.15 answers by repository. */
    readonly responses?: readonly { readonly snapshots?: readonly SnapshotInfo[] }[];
  }
  const answer = await cluster.find<Answer>("GET", snapshotPath(repository, name));
  return answer?.snapshots?.[0] ?? answer?.responses?.[0]?.snapshots?.[0];
}

function notWhole(place: string, name: string, info: SnapshotInfo | undefined): UserError {
  const failures = (info?.failures ?? []).map(
    ({ index, shard_id, reason }) => `${index ?? "?"} shard ${shard_id ?? "?"}: ${reason ?? "?"}`,
  );
  const first = failures[0] === undefined ? (info?.reason ?? "no reason") : failures[0];
  return new UserError({
    title: "The snapshot is not whole",
    cause: `${place} ended ${name} as ${info?.state ?? "gone"}, with ${info?.shards?.failed ?? 0} of ${info?.shards?.total ?? 0} shards failed; first ${first}. It was removed.`,
    remedy: "Heal what the cluster names, and run this again.",
    ...(failures.length > 0 ? { evidence: failures.slice(0, 50).join("\n") } : {}),
  });
}

/** After a failure or a cancellation nothing half done stays; says so where it does. */
export async function removeSnapshot(
  cluster: SearchConnection,
  { repository, name }: Pick<SnapshotOrder, "repository" | "name">,
  world: World,
): Promise<void> {
  const signal = world.signal.aborted ? world.aftermath : world.signal;
  try {
    await cluster.find("DELETE", snapshotPath(repository, name), { signal });
  } catch (error) {
    const why = error instanceof UserError ? error.cause : String(error);
    world.log.warning(
      `The snapshot ${name} of repository ${repository} is not finished and could not be removed: ${why} ` +
        "Remove it by DELETE _snapshot/REPOSITORY/NAME.",
    );
  }
}
