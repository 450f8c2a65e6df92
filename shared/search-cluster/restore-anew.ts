import type { World } from "../world/index.ts";
import type { SearchConnection } from "./connection.ts";
import type { IndexFingerprint } from "./fingerprint.ts";
import { SearchRefusal } from "./refusal.ts";
import { isOfSnapshot, type RestoreTrouble, untilUp } from "./restore.ts";
import { snapshotPath } from "./snapshot.ts";

/** What comes out of a snapshot under its own name, with its own settings. */
export interface AnewOrder {
  readonly repository: string;
  readonly snapshot: string;
  /** An index, or a data stream. */
  readonly name: string;
  /** The indices that come of it. */
  readonly indices: readonly IndexFingerprint[];
  readonly isStream: boolean;
}

/**
 * Restores an index or a data stream under its own name. Its place must be free.
 *
 * @throws {UserError} where the cluster does not begin it for a reason that is not the snapshot's.
 */
export async function restoreAnew(
  cluster: SearchConnection,
  order: AnewOrder,
  world: World,
): Promise<RestoreTrouble> {
  const body = {
    ...{ indices: order.name, ignore_unavailable: false, include_global_state: false },
    // Those of an index are given when it is clear who has them by now.
    ...{ include_aliases: order.isStream, partial: false },
  };
  const path = `${snapshotPath(order.repository, order.snapshot)}/_restore`;
  try {
    await cluster.ask("POST", path, { body });
  } catch (error) {
    if (!(error instanceof SearchRefusal) || !isOfSnapshot(error)) throw error;
    return error.reasons.join("; ");
  }
  for (const { name, bytes } of order.indices) {
    const trouble = await untilUp(cluster, { index: name, as: name, bytes }, world);
    if (trouble !== undefined) return trouble;
  }
  return undefined;
}
