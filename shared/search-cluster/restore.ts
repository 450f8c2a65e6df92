import { randomBytes } from "node:crypto";
import { UserError } from "../failure/index.ts";
import { bytesInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";
import type { SearchConnection } from "./connection.ts";
import { SearchRefusal } from "./refusal.ts";
import { snapshotPath } from "./snapshot.ts";

/** Who restores an index under another name: a verification, or a restore before its switch. */
export type Purpose = "verify" | "restore";

const PREFIXES: Readonly<Record<Purpose, string>> = {
  verify: "seaworthy-verify-",
  restore: "seaworthy-restore-",
};
const LONGEST_NAME = 255;
/** After so long nobody verifies any more who left an index behind. */
const LEFT_BEHIND_MS = 24 * 3_600_000;

/** A cluster that has a place for a shard begins with it at once. */
const LONGEST_UNASSIGNED_MS = 120_000;

/** Settings of an index that would make it do something, or not come up at all, where it is tried. */
const IGNORED = [
  ...["index.lifecycle.*", "index.plugins.index_state_management.*"],
  ...["index.opendistro.index_state_management.*", "index.default_pipeline"],
  ...["index.final_pipeline", "index.routing.allocation.*"],
  ...["index.blocks.*", "index.plugins.replication.*"],
];

/** A name for a restored index that tells when it was made, and that nobody else has. */
export function restoredName(index: string, now: number, purpose: Purpose = "verify"): string {
  const prefix = PREFIXES[purpose];
  const unique = `${Math.floor(now / 1_000).toString(36)}-${randomBytes(3).toString("hex")}`;
  const name = `${prefix}${unique}-${index.replace(/^[._+-]+/, "")}`;
  // Bytes count, and names are in lower case of any script.
  return Buffer.byteLength(name) <= LONGEST_NAME ? name : `${prefix}${unique}`;
}

/** When the index of this name was restored; undefined where it is none of ours. */
export function timeOfRestored(name: string): number | undefined {
  const match = /^seaworthy-(?:verify|restore)-([0-9a-z]{6,8})-[0-9a-f]{6}/.exec(name);
  return match ? Number.parseInt(match[1] ?? "", 36) * 1_000 : undefined;
}

/**
 * Removes what runs that were killed left behind.
 *
 * @param age in milliseconds, after which nobody works with such an index any more.
 */
export async function removeLeftBehind(
  cluster: SearchConnection,
  world: World,
  { purpose = "verify", age = LEFT_BEHIND_MS }: { purpose?: Purpose; age?: number } = {},
): Promise<void> {
  const path = `/_cat/indices/${PREFIXES[purpose]}*?h=index&format=json&expand_wildcards=all`;
  const found = (await cluster.find<{ index: string }[]>("GET", path)) ?? [];
  for (const { index } of found) {
    const made = timeOfRestored(index);
    if (made === undefined || world.clock.now() - made < age) continue;
    world.log.info(
      `Index ${index} was left behind by a ${purpose === "verify" ? "verification" : "restore"} that was killed: removing it.`,
    );
    await removeIndex(cluster, index, world);
  }
}

export interface RestoreOrder {
  readonly repository: string;
  readonly snapshot: string;
  readonly index: string;
  readonly bytes: number;
  readonly as: string;
  /** Whether the server itself looks over every file before it opens a shard. */
  readonly checked: boolean;
  /** Settings that it gets beside its own. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** How a restore ended: undefined when every shard came up, else why one did not. */
export type RestoreTrouble = string | undefined;

/**
 * Restores one index under another name, alone: no alias, template or pipeline with it.
 *
 * @throws {UserError} where the cluster does not begin it for a reason that is not the snapshot's.
 */
export async function restoreIndex(
  cluster: SearchConnection,
  order: RestoreOrder,
  world: World,
): Promise<RestoreTrouble> {
  const body = {
    indices: order.index,
    ...{ ignore_unavailable: false, include_global_state: false, include_aliases: false },
    ...{ partial: false, rename_pattern: "(?s).+", rename_replacement: order.as },
    index_settings: {
      "index.number_of_replicas": 0,
      "index.auto_expand_replicas": "false",
      ...(order.checked ? { "index.shard.check_on_startup": "true" } : {}),
      ...order.settings,
    },
    ignore_index_settings: IGNORED,
  };
  const path = `${snapshotPath(order.repository, order.snapshot)}/_restore`;
  try {
    // Broken off, it could make the index after it was looked for to be removed.
    await cluster.ask("POST", path, { body, signal: world.aftermath });
  } catch (error) {
    if (!(error instanceof SearchRefusal) || !isOfSnapshot(error)) throw error;
    return error.reasons.join("; ");
  }
  return await untilUp(cluster, order, world);
}

/** Tells a snapshot that cannot be read from a cluster that will not do what it is asked. */
export function isOfSnapshot({ type, reasons }: SearchRefusal): boolean {
  if (/^(snapshot_missing|repository|repository_missing|index_not_found)_exception$/.test(type)) {
    return true;
  }
  if (/corrupt|parse|no_such_file|file_not_found|eof/i.test(type)) return true;
  const words = reasons.join("; ");
  return type === "snapshot_restore_exception" && /fully snapshotted|snapshot state/.test(words);
}

interface CatShard {
  readonly shard: string;
  readonly prirep: string;
  readonly state: string;
  readonly "unassigned.reason": string | null;
  readonly "unassigned.details": string | null;
}

/** Waits until every primary shard of an index is up, or one of them cannot be. */
export async function untilUp(
  cluster: SearchConnection,
  order: Pick<RestoreOrder, "index" | "as" | "bytes">,
  world: Pick<World, "clock" | "log" | "signal">,
): Promise<RestoreTrouble> {
  const columns = "h=shard,prirep,state,unassigned.reason,unassigned.details&format=json";
  const path = `/_cat/shards/${encodeURIComponent(order.as)}?${columns}`;
  const began = world.clock.now();
  let told = began;
  let moved = began;
  for (let wait = 50; ; wait = Math.min(wait * 1.5, 1_500)) {
    const shards = ((await cluster.find<CatShard[]>("GET", path)) ?? []).filter(
      ({ prirep }) => prirep === "p",
    );
    const broken = shards.find(isBroken);
    if (broken !== undefined) return troubleOf(broken);
    if (shards.length > 0 && shards.every(({ state }) => state === "STARTED")) return undefined;
    const isMoving = shards.some(({ state }) => state !== "UNASSIGNED");
    if (isMoving) moved = world.clock.now();
    if (world.clock.now() - moved > LONGEST_UNASSIGNED_MS) throw await unassigned(cluster, order);
    if (world.clock.now() - told > 10_000) {
      told = world.clock.now();
      world.log.info(await recovered(cluster, order, (told - began) / 1_000));
    }
    await world.clock.sleep(wait, world.signal);
  }
}

/** What keeps a cluster from giving a shard to a node, such as its disks or rules of allocation. */
async function unassigned(
  cluster: SearchConnection,
  order: Pick<RestoreOrder, "index" | "as">,
): Promise<UserError> {
  const body = { index: order.as, shard: 0, primary: true };
  interface Answer {
    readonly allocate_explanation?: string;
  }
  const answer = await cluster.find<Answer>("GET", "/_cluster/allocation/explain", { body });
  return new UserError({
    title: "The cluster does not take the restored index up",
    cause: `${cluster.place} gave index ${order.index} no node within ${LONGEST_UNASSIGNED_MS / 1_000} s: ${answer?.allocate_explanation ?? "it does not say why"}.`,
    remedy: "Look at its disks and its rules of allocation, or verify on another cluster.",
  });
}

/** A shard that failed to restore is not tried again after a few times, and stays so. */
function isBroken(shard: CatShard): boolean {
  if (shard.state !== "UNASSIGNED") return false;
  const details = shard["unassigned.details"] ?? "";
  return shard["unassigned.reason"] === "ALLOCATION_FAILED" || /fail|corrupt/i.test(details);
}

function troubleOf(shard: CatShard): string {
  const details = (shard["unassigned.details"] ?? "").replace(/\s+/g, " ").slice(0, 600);
  return `shard ${shard.shard} does not come up: ${details || shard["unassigned.reason"]}`;
}

async function recovered(
  cluster: SearchConnection,
  order: Pick<RestoreOrder, "index" | "as" | "bytes">,
  seconds: number,
) {
  interface Answer {
    readonly [index: string]: {
      readonly shards: readonly {
        readonly index: { readonly size: { readonly recovered_in_bytes: number } };
      }[];
    };
  }
  const path = `/${encodeURIComponent(order.as)}/_recovery`;
  const answer = await cluster.find<Answer>("GET", path);
  const shards = Object.values(answer ?? {}).flatMap((one) => one.shards);
  const bytes = shards.reduce((all, { index }) => all + index.size.recovered_in_bytes, 0);
  const rate = `${bytesInWords(bytes / Math.max(1, seconds))}/s`;
  return `Restoring index ${order.index}: ${bytesInWords(bytes)} of ${bytesInWords(order.bytes)}, ${rate}.`;
}

/** Removes a restored index, also after a cancellation; says so where it stays. */
export async function removeIndex(
  cluster: SearchConnection,
  name: string,
  world: World,
): Promise<void> {
  if (timeOfRestored(name) === undefined) throw new Error(`${name} is none of ours`);
  const signal = world.signal.aborted ? world.aftermath : world.signal;
  try {
    await cluster.find("DELETE", `/${encodeURIComponent(name)}`, { signal });
  } catch (error) {
    const why = error instanceof UserError ? error.cause : String(error);
    world.log.warning(
      `Index ${name} of ${cluster.place} could not be removed: ${why} Remove it by hand.`,
    );
  }
}
