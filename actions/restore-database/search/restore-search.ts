import type { StoredBackup } from "../../../shared/backup/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import {
  connectTo,
  ensureRepository,
  ensureRoom,
  findOccupants,
  indicesOf,
  type Product,
  planSearchRestore,
  removeLeftBehind,
  requireRestorable,
  type SearchAccess,
  searchFingerprint,
  searchSource,
  takeSearchLease,
} from "../../../shared/search-cluster/index.ts";
import { backUpBefore } from "../backup-before.ts";
import type { Means, Restored } from "../restored.ts";
import { accessTo } from "./access.ts";
import { restoreBeside } from "./beside.ts";
import { restoreInPlace } from "./in-place.ts";
import { namesOf, requireTyped } from "./occupied.ts";
import type { IndicesRestore } from "./restore.ts";

/**
 * Restores indices and data streams out of their snapshot: under other names, where every document is
 * proven, and then into the place of what is there; or in place. What can be known before anything is
 * made is held first.
 */
export async function restoreSearch(
  backup: StoredBackup,
  product: Product,
  means: Means,
): Promise<Restored> {
  const { options, world, journal } = means;
  requireNoTables(means);
  const expected = searchFingerprint(await backup.fingerprint(world.signal));
  const plan = planSearchRestore(expected, options.indices ?? []);
  const access = await accessTo(product, options, world);
  await using cluster = await journal.phase("connect", () => connectTo(access, world));
  const repository = options.repository ?? expected.repository.name;
  await ensureRepository(cluster, repository, readOnly(options.repositorySettings), world);
  const sizes = await requireRestorable(cluster, repository, expected);
  const occupants = await findOccupants(cluster, plan);
  requireTyped(cluster, occupants, options);
  const all = indicesOf(plan);
  const bytes = all.reduce((sum, { name, bytes: own }) => sum + (sizes.get(name) ?? own), 0);
  if (options.method === "switch") await ensureRoom(cluster, "What is restored beside", bytes);
  await using _lease = await takeSearchLease(cluster, world);
  await removeLeftBehind(cluster, world, { purpose: "restore", age: 0 });
  const names = namesOf(occupants);
  const previousBackup =
    names.length === 0
      ? undefined
      : await journal.phase("back up before", () =>
          backUpBefore(sourceBefore(access, names, repository, options.jobs), means),
        );
  const restore: IndicesRestore = {
    ...{ backup, plan, occupants, previousBackup, cluster, repository, expected },
    readers: options.jobs,
  };
  if (options.method === "in-place") return await restoreInPlace(restore, means);
  return await restoreBeside(restore, means);
}

/** A cluster that only restores never writes to the repository of another. */
function readOnly(settings: Means["options"]["repositorySettings"]) {
  if (settings === undefined) return undefined;
  return { type: settings.type, settings: { ...settings.settings, readonly: "true" } };
}

function sourceBefore(
  access: SearchAccess,
  indices: readonly string[],
  repository: string,
  readers: number,
) {
  return searchSource({ ...access, indices, repository, readers });
}

function requireNoTables({ options }: Means): void {
  if (options.tables === undefined) return;
  throw new UserError({
    title: "A search cluster has no tables",
    cause: "tables is given, and the backup is one of indices.",
    remedy: "Leave tables out; indices names those that are restored. Nothing was changed.",
  });
}
