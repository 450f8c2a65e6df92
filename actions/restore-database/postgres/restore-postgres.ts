import type { StoredBackup } from "../../../shared/backup/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import { readFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import type { Options } from "../inputs.ts";
import type { Means, Restored } from "../restored.ts";
import { restoreBySwitch } from "./by-switch.ts";
import { restoreInPlace } from "./in-place.ts";
import { takeLease } from "./lease.ts";
import { requireTypedRight } from "./occupied.ts";
import { preflight } from "./preflight.ts";
import { openMaintenance, openServer } from "./server.ts";
import { restoreTables } from "./tables/restore-tables.ts";

/**
 * Restores a dump into a real server, as the inputs have it: beside and switched, in place, or some
 * tables only. What can be known before anything is made is held first.
 */
export async function restorePostgres(backup: StoredBackup, means: Means): Promise<Restored> {
  const { options, world, journal } = means;
  requireOneWay(options);
  const fingerprint = readFingerprint(await backup.fingerprint(world.signal));
  const server = await journal.phase("connect", () => openServer(options, dumperOf(backup), world));
  requireTypedRight(server.database, options);
  await using session = await openMaintenance(server);
  await takeLease(session, server.database, world);
  await preflight(session, server, fingerprint, options);
  const restore = { backup, fingerprint, server, session };
  if (options.tables !== undefined) return await restoreTables(restore, options.tables, means);
  warnOfExclusions(backup, means);
  if (options.method === "in-place") return await restoreInPlace(restore, means);
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

/** The major version that is needed to read a dump; 0 for SQL, and where it is not known. */
function dumperOf({ manifest }: StoredBackup): number {
  if (manifest.parts.some(({ name }) => name === "dump.sql")) return 0;
  return Number.parseInt(manifest.source.pg_dump ?? "0", 10) || 0;
}

/** What the backup left out is gone from the target when it takes its place. */
function warnOfExclusions({ manifest }: StoredBackup, { world }: Means): void {
  if (manifest.excluded.length === 0) return;
  world.log.warning(
    `The backup was made without ${manifest.excluded.slice(0, 10).join(", ")}: the restored database does not have what that leaves out.`,
    "The backup is not of everything",
  );
}
