import { UserError } from "../failure/index.ts";
import type { Revision, Standing } from "../helm/index.ts";
import { standingOf } from "../helm/index.ts";
import type { HeldLease, Taken } from "../lease/index.ts";
import type { World } from "../world/index.ts";
import { heal } from "./heal.ts";
import { hold } from "./hold.ts";
import type { OwnOptions } from "./own-options.ts";
import { settled } from "./pending.ts";
import { historyOf, type ReleaseTools } from "./tools.ts";

/** What a run starts from, once the release is its own. */
export interface Ground {
  /** Undefined when leases are forbidden. */
  readonly lease: HeldLease | undefined;
  /** Every revision that Helm had recorded, oldest first. */
  readonly history: readonly Revision[];
  /** The last good revision; undefined when there is none to go back to. */
  readonly good: Revision | undefined;
  /** Nothing was installed before, or only by a run that died: a failure is uninstalled. */
  readonly fresh: boolean;
  /** The highest revision number before this run. */
  readonly highest: number;
}

/**
 * Makes a release this run's own: its lease is taken, and what a run that died left pending is
 * healed. `giveBack` ends it.
 *
 * @throws {UserError} when another run works on it, or what is broken could not be healed.
 */
export async function own(tools: ReleaseTools, options: OwnOptions, world: World): Promise<Ground> {
  const taken = await hold(tools, options, world);
  try {
    return await ground(taken, tools, options, world);
  } catch (error) {
    await taken?.lease.release(tools.cluster.boundTo(world.aftermath));
    throw error;
  }
}

/** Gives the lease back. */
export async function giveBack(
  { lease }: Ground,
  { cluster }: Pick<ReleaseTools, "cluster">,
  world: World,
): Promise<void> {
  try {
    await lease?.release(cluster.boundTo(world.aftermath));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    world.log.warning(
      `${error.cause} It runs out by itself after 15 s.`,
      "The lease was not given back",
    );
  }
}

/**
 * Leaves word of the revision to go back to, 0 for none, for the run that may have to heal after
 * this one: Helm calls a revision deployed before anybody knows whether its pods run.
 */
export async function leaveNote({ lease, good }: Ground, world: World): Promise<void> {
  try {
    await lease?.note(String(good?.revision ?? 0));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    world.log.debug(`The last good revision could not be noted: ${error.cause}`);
  }
}

/** A world whose work also ends when another run takes the release away. */
export function ownedWorld(world: World, { lease }: Ground): World {
  if (lease === undefined) return world;
  return { ...world, signal: AbortSignal.any([world.signal, lease.lost]) };
}

async function ground(
  taken: Taken | undefined,
  tools: ReleaseTools,
  options: OwnOptions,
  world: World,
): Promise<Ground> {
  let history = await historyOf(tools);
  let standing = standingOf(history);
  const abandoned = taken?.from !== undefined;
  if (standing.state === "pending" && !abandoned) {
    history = await settled(tools, options, world);
    standing = standingOf(history);
  }
  if (standing.state === "pending") {
    const good = goodOf(standing, history, notedGood(taken));
    await heal(standing.last, good, tools, world);
    history = await historyOf(tools);
    standing = standingOf(history);
  }
  const highest = Math.max(0, ...history.map(({ revision }) => revision));
  const good = goodOf(standing, history, notedGood(taken));
  const fresh = standing.state === "absent" || notedGood(taken) === 0;
  return { lease: taken?.lease, history, good, fresh, highest };
}

/**
 * The revision to go back to. A run that died may have deployed revisions that nobody proved:
 * then the one that it had noted before it began counts, and 0 means that there was none. A
 * rollback to the noted one that came since is as good.
 */
export function goodOf(
  standing: Standing,
  history: readonly Revision[],
  noted: number | undefined,
): Revision | undefined {
  if (standing.state === "absent") return undefined;
  const proven = standing.good?.proof === "proven" ? standing.good : undefined;
  if (noted === undefined || (proven?.revision ?? 0) > noted) return standing.good;
  return history.find(({ revision }) => revision === noted);
}

/** The revision that a run which died had noted as good before it began; 0 when there was none. */
function notedGood(taken: Taken | undefined): number | undefined {
  return taken?.note === undefined ? undefined : Number(taken.note);
}
