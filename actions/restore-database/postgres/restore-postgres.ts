import type { StoredBackup } from "../../../shared/backup/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import type { Session } from "../../../shared/postgres/index.ts";
import {
  type PostgresFingerprint,
  readFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import type { Options } from "../inputs.ts";
import type { Means, Restored } from "../restored.ts";
import { backUpBefore } from "./backup-before.ts";
import { contentsOf } from "./contents.ts";
import { createLike, type DatabaseProperties, likeBefore, propertiesOf } from "./databases.ts";
import { dropDatabase, dropLeftOvers, markAsDone, markAsUnfinished } from "./left-overs.ts";
import { loadDump } from "./load.ts";
import { requireRoles } from "./missing-roles.ts";
import { type Proof, proveDatabase } from "./prove.ts";
import { openMaintenance, openServer, type TargetServer } from "./server.ts";
import { nameBeside, switchDatabases } from "./switch.ts";

/**
 * Restores a dump into a database beside the real one, proves it against the fingerprint, and lets
 * the two change names. Until then the real one is as it was, whatever happens; what an interrupted
 * run leaves, the next one removes.
 */
export async function restorePostgres(backup: StoredBackup, means: Means): Promise<Restored> {
  const { options, world, journal } = means;
  const fingerprint = readFingerprint(await backup.fingerprint(world.signal));
  const server = await journal.phase("connect", () => openServer(options, world));
  await using session = await openMaintenance(server);
  const former = await propertiesOf(session, server.database);
  const occupied = former !== undefined && (await isOccupied(server, options));
  await requireRoles(session, fingerprint);
  for (const name of await dropLeftOvers(session, nameBeside(server.database, "restoring", ""))) {
    world.log.info(`Dropped ${name}, which an interrupted restore left`);
  }
  const previousBackup = occupied
    ? await journal.phase("back up before", () => backUpBefore(server, means))
    : undefined;
  const { id } = backup.manifest;
  const restored = nameBeside(server.database, "restoring", id);
  const proof = await restoreBeside(
    { backup, server, session, restored, former, fingerprint },
    means,
  );
  if (proof.isDamaged) {
    return {
      ...told(server, proof),
      previousBackup,
      isSwitched: false,
      previousDatabase: undefined,
    };
  }
  // Named by the moment: a second restore of the same backup must not take its place.
  const now = new Date(world.clock.now()).toISOString().replace(/\..*/, "");
  const kept = former === undefined ? undefined : nameBeside(server.database, "before", now);
  await journal.phase("switch", async () => {
    if (former !== undefined)
      for (const each of likeBefore(restored, former)) await session.run(each);
    await markAsDone(session, restored);
    await switchDatabases(session, { database: server.database, restored, former: kept }, world);
  });
  const drops = kept !== undefined && (!options.keepPrevious || !occupied);
  if (drops) await dropDatabase(session, kept);
  const previousDatabase = drops ? undefined : kept;
  return { ...told(server, proof), previousBackup, isSwitched: true, previousDatabase };
}

/**
 * Whether the target holds anything.
 *
 * @throws {UserError} where it does, and its name was not typed.
 */
async function isOccupied(server: TargetServer, { replace }: Options): Promise<boolean> {
  await using session = await server.open(server.database);
  const { count, examples } = await contentsOf(session);
  if (count === 0) return false;
  if (replace === server.database) return true;
  const some = `${examples.join(", ")}${count > examples.length ? ` and ${count - examples.length} more` : ""}`;
  const typed = replace === undefined ? "is not given" : `is ${JSON.stringify(replace)}`;
  throw new UserError({
    title: "The target is not empty",
    cause: `Database ${server.database} holds ${some}, and replace ${typed}.`,
    remedy: `Give replace: ${server.database} to put the backup in its place; it is backed up before. Nothing was changed.`,
  });
}

interface Beside {
  readonly backup: StoredBackup;
  readonly server: TargetServer;
  readonly session: Session;
  /** The name of the database that is restored into. */
  readonly restored: string;
  readonly former: DatabaseProperties | undefined;
  readonly fingerprint: PostgresFingerprint;
}

/** Restores into a database of its own and proves it; one that is not as it should be goes again. */
async function restoreBeside(beside: Beside, means: Means): Promise<Proof> {
  const { backup, server, session, restored, former, fingerprint } = beside;
  const { options, world, journal } = means;
  let isSound = false;
  try {
    await dropDatabase(session, restored);
    await createLike(session, restored, former && server.database, fingerprint.database);
    await markAsUnfinished(session, restored, world.clock.now());
    const loaded = await journal.phase("restore", () =>
      loadDump(backup, server, restored, { jobs: options.jobs }, world),
    );
    const proof = await journal.phase("compare", () =>
      proveDatabase(server, restored, fingerprint, loaded, options, world),
    );
    isSound = !proof.isDamaged;
    return proof;
  } finally {
    if (!isSound) await discard(server, restored, means);
  }
}

/** Drops what is of no use, also after the job was cancelled; the next run would too. */
async function discard(server: TargetServer, restored: string, { world }: Means): Promise<void> {
  try {
    // A cancelled job's own connections are gone; there is time left to put things right.
    await using session = await openMaintenance(server, world.aftermath);
    await dropDatabase(session, restored);
  } catch (error) {
    world.log.warning(
      `${restored} could not be dropped and is of no use; the next run drops it: ${String(error)}`,
    );
  }
}

function told(server: TargetServer, proof: Proof) {
  const { findings, items, unknown, seconds } = proof;
  const target = `database ${server.database}`;
  return { target, findings, items, unit: "rows", unknown, restoreSeconds: seconds };
}
