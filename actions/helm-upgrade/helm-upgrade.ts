import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { asUserError, giveBack, own, undo, withUndo } from "../../shared/release/index.ts";
import type { World } from "../../shared/world/index.ts";
import { deploy } from "./deploy.ts";
import type { Facts } from "./facts.ts";
import type { Options, OutputName } from "./inputs.ts";
import { outcomeOf } from "./outcome.ts";
import { preflight } from "./preflight.ts";
import { prepare } from "./prepare.ts";
import type { Run } from "./run.ts";
import { UserImpact } from "./user-impact.ts";

/**
 * Installs or upgrades a release with the images of a digest map, waits until its pods run, proves
 * that they run those images, and puts the last good revision back when anything of it fails.
 */
export async function helmUpgrade(options: Options, world: World): Promise<Outcome<OutputName>> {
  const journal = new Journal(world.clock);
  const facts: Facts = { rolledBack: false, images: [], notes: [] };
  try {
    await release(options, world, journal, facts);
    return outcomeOf(options, journal, facts, undefined);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return outcomeOf(options, journal, facts, error);
  }
}

async function release(
  options: Options,
  world: World,
  journal: Journal,
  facts: Facts,
): Promise<void> {
  await using tools = await journal.phase("prepare", () => prepare(options, world));
  const run = { options, world, journal, facts, tools };
  await journal.phase("render", () => preflight(tools, world, facts));
  const ground = await journal.phase("lease", () => own(tools, options, world));
  try {
    facts.previous = ground.good;
    facts.running = ground.history.findLast(({ status }) => status === "deployed")?.revision;
    await using impact = new UserImpact(run);
    await deploy(ground, run, impact).catch(async (error: unknown) => {
      throw await undone(error, run, ground);
    });
  } finally {
    await giveBack(ground, tools, world);
  }
}

/** The failure, with what came of putting the release back. */
async function undone(error: unknown, run: Run, ground: Parameters<typeof undo>[0]) {
  const { tools, options, world, journal, facts } = run;
  if (ground.lease?.lost.aborted) return error;
  const failure = error instanceof UserError ? error : undefined;
  if (failure !== undefined && !world.signal.aborted) world.log.info(failure.cause);
  // Only here, for it takes time: a report of a failure should say which Helm it was.
  const version = tools.helm.version(world.aftermath).catch(() => undefined);
  try {
    const back = await undo(ground, tools, options, world, journal);
    facts.revision ??= back.made;
    facts.running = back.running;
    facts.rolledBack = back.rolledBack;
    facts.recovery = back.recovery;
    if (back.failure !== undefined) throw back.failure;
    world.log.info(back.came);
    return failure === undefined ? error : withUndo(failure, back.came);
  } catch (second) {
    return failure === undefined ? error : withUndo(failure, asUserError(second));
  } finally {
    facts.helmVersion = await version;
  }
}
