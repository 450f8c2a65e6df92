import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { withImagesOfFile } from "../../shared/image-map/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import {
  asUserError,
  type Ground,
  giveBack,
  leaveNote,
  own,
  undo,
  withUndo,
} from "../../shared/release/index.ts";
import type { World } from "../../shared/world/index.ts";
import { deploy } from "./deploy.ts";
import type { Facts } from "./facts.ts";
import type { Options, OutputName } from "./inputs.ts";
import { outcomeOf } from "./outcome.ts";
import { type Preflight, preflight, runningIn } from "./preflight.ts";
import { prepare } from "./prepare.ts";
import type { Run } from "./run.ts";
import { UserImpact } from "./user-impact.ts";

/**
 * Installs or upgrades a release with the images of a digest map, waits until its pods run, proves
 * that they run those images, and puts the last good revision back when anything of it fails. What
 * cannot work is found out before anything is touched; in the mode `plan` that is all.
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
  given: Options,
  world: World,
  journal: Journal,
  facts: Facts,
): Promise<void> {
  const options = await withImagesOfFile(given, world.environment.GITHUB_WORKSPACE ?? "");
  await using tools = await journal.phase("prepare", () => prepare(options, world));
  const run: Run = { options, world, journal, facts, tools };
  if (options.mode === "plan") {
    const checked = await journal.phase("check", () => preflight(run));
    if (checked === undefined) throw inTheMiddle(options);
    return;
  }
  const { ground, checking } = await begin(run);
  try {
    facts.previous = ground.good;
    facts.running = runningIn(ground.history);
    await using impact = new UserImpact(run);
    const [checked] = await Promise.all([
      checking.then((found) => stillTrue(found, ground, run)),
      impact.begin(ground.good),
      leaveNote(ground, world),
    ]);
    await deploy(ground, checked, run).catch(async (error: unknown) => {
      throw await undone(error, run, ground);
    });
  } finally {
    await giveBack(ground, tools, world);
  }
}

interface Beginning {
  readonly ground: Ground;
  readonly checking: Promise<Preflight | undefined>;
}

/**
 * Checks the chart, and makes the release this run's own meanwhile: neither changes anything of the
 * release that works. A chart that cannot work does not wait for its turn.
 */
async function begin(run: Run): Promise<Beginning> {
  const { options, world, journal, tools } = run;
  const checking = journal.phase("check", () => preflight(run));
  const hopeless = new AbortController();
  checking.catch((error: unknown) => hopeless.abort(error));
  // A namespace is made only for a chart that can work.
  if (options.createNamespace) await checking;
  const signal = AbortSignal.any([world.signal, hopeless.signal]);
  const ground = await journal.phase("lease", () => own(tools, options, { ...world, signal }));
  return { ground, checking };
}

/** What was found out before the release was ours, or found out anew when it has changed since. */
async function stillTrue(
  checked: Preflight | undefined,
  { history }: Ground,
  run: Run,
): Promise<Preflight> {
  if (checked !== undefined && checked.newest === (history.at(-1)?.revision ?? 0)) return checked;
  run.facts.notes.length = 0;
  const again = await run.journal.phase("check again", () => preflight(run));
  if (again === undefined) throw inTheMiddle(run.options);
  return again;
}

function inTheMiddle({ release, namespace }: Options): UserError {
  return new UserError({
    title: "Another operation is on the release",
    cause: `An install, upgrade or rollback of ${release} in namespace ${namespace} has begun and not ended.`,
    remedy: "Run again when it has ended; a deployment also heals what a dead run left behind.",
  });
}

/** The failure, with what came of putting the release back. */
async function undone(error: unknown, run: Run, ground: Ground): Promise<unknown> {
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
