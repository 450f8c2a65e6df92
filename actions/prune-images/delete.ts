import { UserError } from "../../shared/failure/index.ts";
import { nameOf } from "../../shared/images/index.ts";
import { type Stored, short } from "../../shared/retention/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Catalogue } from "./catalogue.ts";
import { inLanes } from "./lanes.ts";
import { NotDeletable } from "./not-deletable.ts";

/** What was deleted of what was to be. */
export interface Deletions {
  readonly deleted: readonly Stored[];
  readonly failures: readonly UserError[];
  /** Images left because the job was cancelled, or the registry deletes nothing. */
  readonly left: number;
}

/**
 * Deletes images one after the other, each with all that belongs to it. A cancelled job still ends
 * the one that it is at, so that no part of one is left that nothing lists. What cannot be deleted is
 * told, and the others go on; a registry that deletes nothing is not asked again.
 */
export async function deleteGroups(
  groups: readonly (readonly Stored[])[],
  catalogue: Catalogue,
  world: World,
): Promise<Deletions> {
  const deleted: Stored[] = [];
  const failures: UserError[] = [];
  for (const [at, group] of groups.entries()) {
    if (world.signal.aborted) return { deleted, failures, left: groups.length - at };
    try {
      const remove = async (stored: Stored) => {
        await catalogue.remove(stored.digest, stored.tags, world.aftermath);
        deleted.push(stored);
      };
      const [head, ...others] = group;
      if (head !== undefined) await remove(head);
      // Once the head is gone, nobody finds the others any longer, in whatever order they go.
      const failed: unknown[] = [];
      await inLanes(others, (stored) => remove(stored).catch((error) => void failed.push(error)));
      if (failed.length > 0) throw failed[0];
      tell(group, catalogue, world);
    } catch (error) {
      if (world.aftermath.aborted) return { deleted, failures, left: groups.length - at };
      if (!(error instanceof UserError)) throw error;
      failures.push(error);
      if (error instanceof NotDeletable) return { deleted, failures, left: groups.length - at };
    }
  }
  return { deleted, failures, left: 0 };
}

function tell(
  [head, ...others]: readonly Stored[],
  { repository }: Catalogue,
  { log }: World,
): void {
  if (head === undefined) return;
  const tags = head.tags.length === 0 ? "" : ` (${head.tags.join(", ")})`;
  const more = others.length === 0 ? "" : ` and ${others.length} that belong to it`;
  log.info(`deleted ${nameOf(repository)}@${short(head.digest)}${tags}${more}`);
}
