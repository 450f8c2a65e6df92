import { UserError } from "../failure/index.ts";
import { bytesInWords } from "../quantity/index.ts";
import type { SearchConnection } from "./connection.ts";

/** What a node has of disk. */
export interface NodeRoom {
  readonly name: string;
  readonly total: number;
  readonly free: number;
}

/** Where shards are no longer given to a node: a share of its disk that is used, or bytes free. */
export type Watermark = { readonly used: number } | { readonly free: number };

/** The watermark of a setting: `85%`, `0.85`, `10gb`. */
export function parseWatermark(text: string): Watermark | undefined {
  const share = /^([\d.]+)(%?)$/.exec(text.trim());
  if (share) return { used: share[2] === "%" ? Number(share[1]) / 100 : Number(share[1]) };
  const size = /^([\d.]+)\s*(b|kb|mb|gb|tb|pb)$/i.exec(text.trim());
  if (!size) return undefined;
  const power = ["b", "kb", "mb", "gb", "tb", "pb"].indexOf((size[2] ?? "b").toLowerCase());
  return { free: Number(size[1]) * 1024 ** power };
}

/** How many bytes may come to these nodes before the watermark is reached. */
export function roomUnder(watermark: Watermark, nodes: readonly NodeRoom[]): number {
  const spare = nodes.map(({ total, free }) =>
    "used" in watermark ? free - total * (1 - watermark.used) : free - watermark.free,
  );
  return spare.reduce((all, bytes) => all + Math.max(0, bytes), 0);
}

/**
 * Makes sure that what is restored fits on the data nodes below the low watermark, so that a restore never
 * fills a disk of the cluster.
 *
 * @throws {UserError} where it does not.
 */
export async function ensureRoom(
  cluster: SearchConnection,
  what: string,
  bytes: number,
): Promise<void> {
  interface Stats {
    readonly nodes: Readonly<
      Record<
        string,
        {
          readonly name: string;
          readonly roles?: readonly string[];
          readonly fs?: {
            readonly total?: {
              readonly total_in_bytes: number;
              readonly available_in_bytes: number;
            };
          };
        }
      >
    >;
  }
  const stats = await cluster.ask<Stats>("GET", "/_nodes/stats/fs");
  const nodes = Object.values(stats.nodes)
    .filter(({ roles }) => roles === undefined || roles.some((role) => role.startsWith("data")))
    .map(({ name, fs }) => ({
      name,
      total: fs?.total?.total_in_bytes ?? 0,
      free: fs?.total?.available_in_bytes ?? 0,
    }));
  const watermark = await lowWatermark(cluster);
  if (watermark === undefined) return;
  const room = roomUnder(watermark, nodes);
  if (bytes <= room) return;
  throw new UserError({
    title: "The cluster has no room for the restore",
    cause: `${what} takes ${bytesInWords(bytes)}, and ${cluster.place} has ${bytesInWords(room)} left below the low disk watermark of its ${nodes.length} data nodes.`,
    remedy: "Make room, or use another cluster that can read the repository.",
  });
}

/** Undefined where the cluster does not look at its disks. */
async function lowWatermark(cluster: SearchConnection): Promise<Watermark | undefined> {
  // Not flat: a path of a filter goes from one object to the one in it.
  const path =
    "/_cluster/settings?include_defaults=true&filter_path=*.cluster.routing.allocation.disk";
  interface Disk {
    readonly threshold_enabled?: string;
    readonly watermark?: { readonly low?: string };
  }
  interface Settings {
    readonly cluster?: { readonly routing?: { readonly allocation?: { readonly disk?: Disk } } };
  }
  const answer = await cluster.ask<Record<string, Settings>>("GET", path);
  const disks = ["transient", "persistent", "defaults"].map(
    (level) => answer[level]?.cluster?.routing?.allocation?.disk ?? {},
  );
  const isOn = disks.find(({ threshold_enabled: on }) => on !== undefined)?.threshold_enabled;
  if (isOn === "false") return undefined;
  const text = disks.find(({ watermark }) => watermark?.low !== undefined)?.watermark?.low;
  return parseWatermark(text ?? "85%") ?? { used: 0.85 };
}
