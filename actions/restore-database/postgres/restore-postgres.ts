import type { StoredBackup } from "../../../shared/backup/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import { readFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import type { Options } from "../inputs.ts";
import type { Means, Restored } from "../restored.ts";
import { restoreBySwitch } from "./by-switch.ts";
import { demandsOf } from "./demands.ts";
import { dumpIn, type SourceDump } from "./dump.ts";
import { restoreInPlace } from "./in-place.ts";
import { takeLease } from "./lease.ts";
import { requireFree, requireTypedRight } from "./occupied.ts";
import { ofFullDisk } from "./on-disk.ts";
import { preflight } from "./preflight.ts";
import { proverBy } from "./prove.ts";
import type { Restore } from "./restore.ts";
import { ableToRead, openMaintenance, openServer, type TargetServer } from "./server.ts";
import { requireTyped, restoreTables } from "./tables/restore-tables.ts";

/** What is restored, and what it is proven by. */
export type Provided = Pick<Restore, "dump" | "demands" | "fingerprint" | "prove">;

/** Restores a dump of our own into a real server. */
export async function restorePostgres(backup: StoredBackup, means: Means): Promise<Restored> {
  const dump = dumpIn(backup);
  return await restoreInto(dump.dumper, means, async () => {
    return withFingerprint(dump, await backup.fingerprint(means.world.signal), means);
  });
}

/** A dump with the fingerprint that was taken in its snapshot. */
export function withFingerprint(
  dump: SourceDump,
  taken: unknown,
  { options, world }: Means,
): Provided {
  const fingerprint = readFingerprint(taken);
  const prove = proverBy(fingerprint, options, world);
  return { dump, demands: demandsOf(fingerprint), fingerprint, prove };
}

/**
 * Restores into a real server, as the inputs have it: beside and switched, in place, or some tables
 * only. What can be known before anything is made is held first; what can be known before hours are
 * spent on getting the dump, before that.
 *
 * @param dumper the major version of the pg_dump that made it; 0 where it is not known yet.
 * @param provide gets the dump, for the target's server.
 */
export async function restoreInto(
  dumper: number,
  means: Means,
  provide: (server: TargetServer) => Promise<Provided>,
): Promise<Restored> {
  const { options, world, journal } = means;
  requireOneWay(options);
  const target = await journal.phase("connect", () => openServer(options, dumper, world));
  requireTypedRight(target.database, options);
  await using session = await openMaintenance(target);
  await takeLease(session, target.database, world);
  if (options.tables !== undefined) await requireTyped(target, session, options.tables, options);
  else await requireFree(target, session, options);
  const provided = await provide(target);
  const { dump, demands } = provided;
  const server = await ableToRead(dump.dumper, target, options, world);
  await preflight(session, server, demands, options);
  const restore = { ...provided, server, session };
  try {
    return await restoreBy(restore, means);
  } catch (error) {
    throw ofFullDisk(error) ?? error;
  }
}

async function restoreBy(restore: Restore, means: Means): Promise<Restored> {
  const { tables, method } = means.options;
  if (tables !== undefined) return await restoreTables(restore, tables, means);
  warnOfExclusions(restore.dump, means);
  if (method === "in-place") return await restoreInPlace(restore, means);
  return await restoreBySwitch(restore, means);
}

function requireOneWay({ method, tables }: Options): void {
  if (method === "switch" || tables === undefined) return;
  throw new UserError({
    title: "Tables are not restored in place",
    cause: "Both tables and method: in-place are given. Tables come by way of a database beside.",
    remedy: "Leave method out. Nothing was changed.",
  });
}

/** What the backup left out is gone from the target when it takes its place. */
function warnOfExclusions({ excluded }: SourceDump, { world }: Means): void {
  if (excluded.length === 0) return;
  world.log.warning(
    `The backup was made without ${excluded.slice(0, 10).join(", ")}: the restored database does not have what that leaves out.`,
    "The backup is not of everything",
  );
}
