import { quoteIdentifier } from "../../../shared/postgres/index.ts";
import type { Means } from "../restored.ts";
import { createLike, type DatabaseProperties, localeOf } from "./databases.ts";
import { dropDatabase, dropLeftOvers, markAsUnfinished } from "./left-overs.ts";
import { loadDump } from "./load.ts";
import { nameBeside } from "./names.ts";
import type { Proof } from "./proof.ts";
import type { Restore } from "./restore.ts";
import { openMaintenance, type TargetServer } from "./server.ts";

/** Drops what interrupted restores of the same database left. */
export async function clearLeftOvers({ server, session }: Restore, { world }: Means) {
  for (const name of await dropLeftOvers(session, nameBeside(server.database, "restoring", ""))) {
    world.log.info(`Dropped ${name}, which an interrupted restore left`);
  }
}

/**
 * Restores into a database of its own beside the real one, and proves it; one that is not as it
 * should be goes again.
 *
 * @param restored its name.
 */
export async function restoreBeside(
  restore: Restore,
  restored: string,
  former: DatabaseProperties | undefined,
  means: Means,
): Promise<Proof> {
  const { dump, server, session, demands, prove } = restore;
  const { options, world, journal } = means;
  let isSound = false;
  try {
    await dropDatabase(session, restored);
    const own = former && (await localeOf(session, server.database));
    const unlike = await createLike(session, restored, former, {
      ...{ locale: own ?? demands.locale, major: server.facts.major },
    });
    await markAsUnfinished(session, restored, world.clock.now());
    world.log.info(`Restoring into ${restored}, beside ${server.database}`);
    const loaded = await journal.phase("restore", () =>
      loadDump(dump, server, restored, options, world),
    );
    await giveToOwner(restore, restored, former, means);
    const proof = await journal.phase("compare", () => prove(server, restored, loaded));
    isSound = !proof.isDamaged;
    return { ...proof, unknown: [...unlike, ...proof.unknown] };
  } finally {
    if (!isSound) await discard(server, restored, means);
  }
}

/** To that of the former database, else to that of the backup's: privileges are told by owners. */
async function giveToOwner(
  { session, demands }: Restore,
  restored: string,
  former: DatabaseProperties | undefined,
  { options }: Means,
): Promise<void> {
  if (former === undefined && options.owners === "leave") return;
  const owner = former?.owner ?? demands.databaseOwner;
  if (owner === undefined) return;
  await session.run(
    `ALTER DATABASE ${quoteIdentifier(restored)} OWNER TO ${quoteIdentifier(owner)}`,
  );
}

/** Drops what is of no use, also after the job was cancelled; the next run would too. */
export async function discard(
  server: TargetServer,
  restored: string,
  { world }: Means,
): Promise<void> {
  try {
    // A cancelled job's own connections are gone; there is time left to put things right.
    const until = world.signal.aborted ? world.aftermath : world.signal;
    await using session = await openMaintenance(server, until);
    await dropDatabase(session, restored);
  } catch (error) {
    world.log.warning(
      `${restored} could not be dropped and is of no use; the next run drops it: ${String(error)}`,
    );
  }
}
