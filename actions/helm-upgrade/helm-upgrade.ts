import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { objectsOf, type Revision, standingOf } from "../../shared/helm/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { rolloutFailure } from "../../shared/kubernetes/index.ts";
import { configGrace, proveImages, workloadsOf } from "../../shared/workload/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Facts } from "./facts.ts";
import { HookWatch } from "./hook-watch.ts";
import type { Options, OutputName } from "./inputs.ts";
import { outcomeOf } from "./outcome.ts";
import { type Ground, own } from "./ownership.ts";
import { preflight } from "./preflight.ts";
import { prepare, type Tools } from "./prepare.ts";
import { asUserError, undo, withUndo } from "./undo.ts";
import { watchRollout } from "./watch-rollout.ts";

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
  await journal.phase("render", () => preflight(tools, world, facts));
  const ground = await journal.phase("lease", () => own(tools, options, world));
  try {
    facts.previous = ground.good;
    facts.running = ground.good?.revision;
    const owned = { ...world, signal: signalOf(world, ground) };
    await deploy(ground, tools, options, owned, journal, facts).catch(async (error: unknown) => {
      throw await undone(error, ground, tools, options, world, journal, facts);
    });
  } finally {
    await giveBack(ground, tools, world);
  }
}

async function deploy(
  ground: Ground,
  tools: Tools,
  options: Options,
  world: World,
  journal: Journal,
  facts: Facts,
): Promise<void> {
  const until = world.clock.now() + options.timeout;
  const left = () => Math.max(1_000, until - world.clock.now());
  const { placed } = tools;
  const noted = note(ground, world);
  const opened = openConnections(tools);
  const revision = await journal.phase("upgrade", () => apply(ground, tools, until, world));
  await Promise.all([noted, opened]);
  facts.revision = revision;
  facts.running = revision.revision;
  world.log.info(
    `Revision ${revision.revision} of ${options.release} is applied (${revision.chart}).`,
  );
  facts.rollout = await journal.phase("rollout", () =>
    watchRollout(revision, tools, left(), world, {
      crashes: options.restartsAllowed + 1,
      config: configGrace(
        objectsOf(revision.manifest),
        ground.good && objectsOf(ground.good.manifest),
      ),
    }),
  );
  const failure = rolloutFailure(facts.rollout);
  if (failure !== undefined) {
    journal.markFailed();
    throw failure;
  }
  if (placed.length === 0) return;
  await journal.phase("proof", () => prove(revision, tools, world, facts));
}

/** Has Helm apply the release and run its hooks, which are watched meanwhile. */
async function apply(
  { history }: Ground,
  tools: Tools,
  until: number,
  world: World,
): Promise<Revision> {
  const { helm, chart, values } = tools;
  const doing = standingOf(history).state === "absent" ? "install" : "upgrade";
  const hooks = await HookWatch.begin(tools, doing, until, world);
  const signal = AbortSignal.any([world.signal, hooks.failed]);
  try {
    return await helm.upgrade(chart, values, Math.max(1_000, until - world.clock.now()), signal);
  } catch (error) {
    throw await hooks.explain(error);
  } finally {
    await hooks.stop();
  }
}

/**
 * Learns the kinds that will be watched, and opens connections to the API server, while Helm is at
 * work: right after it the pods start, and on a small machine that hosts the cluster too they
 * would have to share its processors with handshakes.
 */
async function openConnections({ cluster, release: { namespace, name } }: Tools): Promise<void> {
  const kinds = [
    ["apps/v1", "Deployment"],
    ["apps/v1", "ReplicaSet"],
    ["v1", "Pod"],
    ["v1", "Event"],
  ] as const;
  await Promise.allSettled(
    kinds.map(([apiVersion, kind]) => cluster.find({ apiVersion, kind, namespace, name })),
  );
}

/**
 * Leaves word of the revision to go back to, 0 for none, for the run that may have to heal after
 * this one: Helm calls a revision deployed before anybody knows whether its pods run.
 */
async function note({ lease, good }: Ground, world: World): Promise<void> {
  try {
    await lease?.note(String(good?.revision ?? 0));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    world.log.debug(`The last good revision could not be noted: ${error.cause}`);
  }
}

/** Asks the pods which images they run. */
async function prove(
  revision: Revision,
  { cluster, placed, release }: Tools,
  world: World,
  facts: Facts,
): Promise<void> {
  const workloads = workloadsOf(objectsOf(revision.manifest), release.namespace);
  facts.images = await proveImages(cluster, placed, workloads);
  for (const { service, verdict, detail } of facts.images) {
    if (verdict === "not-checked") {
      world.log.warning(`${service}: ${detail}.`, "An image could not be checked");
    }
  }
  const wrong = facts.images.find(({ verdict }) => verdict === "wrong");
  if (wrong === undefined) return;
  throw new UserError({
    title: "The pods run another image",
    cause: `${wrong.service} should run ${wrong.digest}, but ${wrong.detail}.`,
    remedy:
      "Something moved the tag or changed the pods on their way in: refer to the image by its digest in the chart.",
  });
}

/** The failure, with what came of putting the release back. */
async function undone(
  error: unknown,
  ground: Ground,
  tools: Tools,
  options: Options,
  world: World,
  journal: Journal,
  facts: Facts,
): Promise<unknown> {
  if (ground.lease?.lost.aborted) return error;
  const failure = error instanceof UserError ? error : undefined;
  if (failure !== undefined && !world.signal.aborted) world.log.info(failure.cause);
  // Only here, for it takes time: a report of a failure should say which Helm it was.
  const version = tools.helm.version(world.aftermath).catch(() => undefined);
  try {
    const came = await undo(ground, tools, options, world, journal, facts);
    world.log.info(came);
    return failure === undefined ? error : withUndo(failure, came);
  } catch (second) {
    return failure === undefined ? error : withUndo(failure, asUserError(second));
  } finally {
    facts.helmVersion = await version;
  }
}

/** Work ends when the job is cancelled, and when another run took the release away. */
function signalOf({ signal }: World, { lease }: Ground): AbortSignal {
  return lease === undefined ? signal : AbortSignal.any([signal, lease.lost]);
}

async function giveBack({ lease }: Ground, { cluster }: Tools, world: World): Promise<void> {
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
