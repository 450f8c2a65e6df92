import { UserError } from "../../../shared/failure/index.ts";
import { quoteLiteral } from "../../../shared/postgres/index.ts";
import type { Means, Restored } from "../restored.ts";
import { backUpDatabase } from "./backup-before.ts";
import { clearLeftOvers, discard, restoreBeside } from "./beside.ts";
import { type DatabaseProperties, likeBefore, propertiesOf } from "./databases.ts";
import { dropDatabase } from "./left-overs.ts";
import { nameBeside } from "./names.ts";
import { isOccupied } from "./occupied.ts";
import { writeToDisk } from "./on-disk.ts";
import type { Proof } from "./proof.ts";
import type { Restore } from "./restore.ts";
import { openMaintenance, type TargetServer } from "./server.ts";
import { switchDatabases } from "./switch.ts";

/**
 * Restores a dump into a database beside the real one, proves it against the fingerprint, and lets
 * the two change names. Until then the real one is as it was, whatever happens; what an interrupted
 * run leaves, the next one removes.
 */
export async function restoreBySwitch(restore: Restore, means: Means): Promise<Restored> {
  const { dump, server, session } = restore;
  const { options, world, journal } = means;
  const { database } = server;
  const former = await propertiesOf(session, database);
  const occupied = former !== undefined && (await holdsSomething(server, means));
  if (former !== undefined) await requireOwnership(restore, former);
  await clearLeftOvers(restore, means);
  const previousBackup = occupied
    ? await journal.phase("back up before", () => backUpDatabase(server, means))
    : undefined;
  const restored = nameBeside(database, "restoring", dump.id);
  const proof = await restoreBeside(restore, restored, former, means);
  if (proof.isDamaged) {
    return {
      ...told(server, proof),
      ...{ previousBackup, previousDatabase: undefined },
      ...{ isSwitched: false, isTouched: false },
    };
  }
  // Named by the moment: a second restore of the same backup must not take its place.
  const now = new Date(world.clock.now()).toISOString();
  const kept = former === undefined ? undefined : nameBeside(database, "before", now);
  let isSwitching = false;
  try {
    await journal.phase("analyze", () => analyze(server, restored));
    await journal.phase("write", () => writeToDisk(session));
    isSwitching = true;
    await journal.phase("switch", async () => {
      for (const each of former === undefined ? [] : likeBefore(restored, former)) {
        await session.run(each);
      }
      const comment = former?.comment ?? null;
      await switchDatabases(server, { database, restored, former: kept, comment }, world);
    });
  } catch (error) {
    // What is proven stays, for the names can be changed by hand.
    if (world.signal.aborted || !isSwitching) await discard(server, restored, means);
    throw error;
  }
  const drops = kept !== undefined && (!options.keepPrevious || !occupied);
  const isGone = drops && (await dropped(kept, restore, means));
  const previousDatabase = isGone ? undefined : kept;
  return {
    ...told(server, former === undefined ? proof : withSettings(proof)),
    ...{ previousBackup, previousDatabase, isSwitched: true, isTouched: true },
  };
}

async function holdsSomething(server: TargetServer, { options }: Means): Promise<boolean> {
  await using session = await server.open(server.database);
  return await isOccupied(session, server.database, options);
}

/** A dump has no statistics, and a database without them is slow for whoever comes first. */
async function analyze(server: TargetServer, restored: string): Promise<void> {
  await using session = await server.open(restored);
  await session.run("ANALYZE");
}

/** @throws {UserError} where the account could not give the real database another name at the end. */
async function requireOwnership({ session, server }: Restore, { owner }: DatabaseProperties) {
  const { user, superuser } = server.facts;
  const [found] = await session.query<{ readonly member: boolean }>(
    `SELECT pg_has_role(current_user, datdba, 'USAGE') AS member FROM pg_database
      WHERE datname = ${quoteLiteral(server.database)}`,
  );
  if (superuser || found?.member === true) return;
  throw new UserError({
    title: "The account does not own the database",
    cause: `${server.database} belongs to ${owner}, and only its owner may give it another name; ${user} is no member of ${owner}.`,
    remedy: `Connect as ${owner} or a superuser, or make ${user} a member of ${owner}. Nothing was changed.`,
  });
}

/** A database's settings are in no dump, and were taken from the former one after the comparison. */
function withSettings(proof: Proof): Proof {
  const findings = proof.findings.filter(({ subject }) => !subject.startsWith("database setting "));
  return { ...proof, findings };
}

/** The restore is done: what cannot be dropped now is told, and no failure. */
async function dropped(kept: string, { server }: Restore, { world }: Means): Promise<boolean> {
  try {
    await using session = await openMaintenance(server);
    await dropDatabase(session, kept);
    return true;
  } catch (error) {
    world.log.warning(
      `The former database, ${kept} now, could not be dropped: ${error instanceof Error ? error.message : String(error)}`,
    );
    return false;
  }
}

function told(server: TargetServer, { findings, items, unknown, seconds }: Proof) {
  const target = `database ${server.database}`;
  return { target, findings, items, unit: "rows", unknown, restoreSeconds: seconds };
}
