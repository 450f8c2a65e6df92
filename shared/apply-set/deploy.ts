import { sentence, watchAvailability } from "../availability/index.ts";
import { countsText } from "../diff/index.ts";
import { UserError } from "../failure/index.ts";
import type { Journal } from "../journal/index.ts";
import {
  awaitedTargets,
  type Cluster,
  inLanes,
  type KubernetesObject,
  type RolloutReport,
  refOf,
  rolloutFailure,
  waitForRollout,
} from "../kubernetes/index.ts";
import { pageOf, type Taken } from "../lease/index.ts";
import { configGrace, proveImages, workloadsOf } from "../workload/index.ts";
import {
  applyChange,
  headedLines,
  revertChange,
  titleOf,
  type WorkloadChange,
} from "../workload-images/index.ts";
import type { World } from "../world/index.ts";
import { checkAccess } from "./access.ts";
import { applyPlan, cancelled, type Touched } from "./apply.ts";
import { contentOf, earlierOf, straysOf } from "./content.ts";
import { planDifference } from "./difference.ts";
import type { DeployFacts } from "./facts.ts";
import { hold, makeNamespace } from "./ground.ts";
import { beginRevision, endRevision, readApplied, standingOf } from "./history.ts";
import { keyOf, keyOfRef } from "./key.ts";
import { lingering } from "./lingering.ts";
import { both, inventoryOf, writeParent } from "./parent.ts";
import { withPatience } from "./patience.ts";
import { type Plan, planDeploy } from "./plan.ts";
import { bare } from "./put-back.ts";
import type { RevisionContent } from "./record.ts";
import type { AppliedRevision } from "./revision.ts";
import { settle } from "./settle.ts";
import { undone } from "./undo.ts";
import type { DeployOrder, Voyage, Wanted } from "./voyage.ts";

/**
 * Deploys a set from plan to verdict: finds out everything that could stand in the way, writes down
 * what it is about to do, applies it, waits until it runs, proves which images run, and deletes what
 * is in the set no more. When any of it fails, the cause is kept and the last good revision is put
 * back, waited for and verified.
 *
 * @param facts is filled on the way, so that outputs and summary have it also after a failure.
 * @throws {UserError} with the cause, and what came of putting things back.
 */
export async function deploySet(
  cluster: Cluster,
  order: DeployOrder,
  world: World,
  journal: Journal,
  facts: DeployFacts,
): Promise<void> {
  const { set, settings, bringsNamespace = false } = order;
  const { timeout } = settings;
  const createNamespace = settings.createNamespace || bringsNamespace;
  const taken = await journal.phase("lease", () =>
    hold(cluster, set, { timeout, createNamespace }, world),
  );
  const lost = taken?.lease.lost;
  const signal = lost === undefined ? world.signal : AbortSignal.any([world.signal, lost]);
  try {
    const owned = { ...world, signal };
    const voyage = await setOut(cluster.boundTo(signal), order, owned, journal, facts, taken);
    try {
      await advance(voyage);
    } catch (error) {
      throw await undone(error, voyage);
    } finally {
      endWatch(voyage);
    }
  } finally {
    await giveBack(taken, cluster, world);
  }
}

/**
 * Finds out and tells what deploying a set would do. Changes nothing, and takes no lease.
 *
 * @throws {UserError} with what stands in the way.
 */
export async function previewSet(
  cluster: Cluster,
  order: DeployOrder,
  world: World,
  journal: Journal,
  facts: DeployFacts,
): Promise<void> {
  const voyage = await setOut(cluster, order, world, journal, facts, undefined);
  const wanted = await order.wanted(cluster);
  await journal.phase("plan", () => planned(voyage, wanted));
}

/** Finds out what the deploys before this one left behind. */
async function setOut(
  cluster: Cluster,
  order: DeployOrder,
  world: World,
  journal: Journal,
  facts: DeployFacts,
  taken: Taken | undefined,
): Promise<Voyage> {
  const standing = standingOf(await readApplied(cluster, order.set));
  const { good, unfinished } = standing;
  facts.previous = good;
  facts.running = unfinished === undefined ? good?.revision : undefined;
  if (unfinished !== undefined) {
    const how =
      unfinished.status === "pending"
        ? "was left half done by a run that died"
        : "failed and was kept";
    world.log.info(
      `Revision ${unfinished.revision} of ${order.set.name} ${how}: this run goes on from there${good === undefined ? "" : `, or back to revision ${good.revision}`}.`,
    );
  }
  const past = { good: readable(good, world), unfinished: readable(unfinished, world) };
  const writer = cluster.boundTo(lingering(world.signal));
  const touched: Touched = new Map();
  const begun = { touched, changed: [], settled: false, before: past.unfinished?.before ?? [] };
  return { cluster, writer, order, world, journal, facts, taken, standing, past, ...begun };
}

/** The content of a revision; a record that is damaged must not keep anybody from deploying. */
function readable(
  revision: AppliedRevision | undefined,
  { log }: Pick<World, "log">,
): RevisionContent | undefined {
  try {
    return revision?.content();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.warning(`${error.cause} Should this deploy fail, objects are put back as they are now.`);
    return undefined;
  }
}

async function advance(voyage: Voyage): Promise<void> {
  const { cluster, order, world, journal, facts, standing } = voyage;
  const wanted = await order.wanted(cluster);
  const plan = await journal.phase("plan", () => planned(voyage, wanted));
  if (hasNothingToDo(plan, wanted, voyage)) {
    facts.unchanged = true;
    facts.revision = standing.good?.revision ?? 0;
    world.log.info("Everything is as it should be already.");
  } else {
    await begin(plan, wanted, voyage);
    await journal.phase("apply", () => applyAll(plan, wanted, voyage));
  }
  const awaited = [
    ...plan.objects.map(({ object }) => object),
    ...(wanted.workloads?.workloads ?? []),
    ...orphansOf(wanted, voyage).map(({ ref }) => bare(ref)),
  ];
  facts.rollout = await journal.phase("rollout", () => rollout(awaited, voyage));
  const failure = rolloutFailure(facts.rollout);
  if (failure !== undefined) {
    journal.markFailed();
    throw failure;
  }
  if (wanted.images.length > 0) await journal.phase("proof", () => prove(wanted, plan, voyage));
  if (voyage.revision !== undefined) {
    await succeed(voyage, voyage.revision);
    facts.running = voyage.revision;
  }
  voyage.settled = true;
  endWatch(voyage);
  if (!facts.unchanged) await settle(plan, voyage);
  facts.notes.push(...plan.kept.map(({ kind, metadata }) => keptNote(kind, metadata.name)));
}

/** Records the revision as good: from here on nothing is taken back. */
async function succeed({ writer, order, world }: Voyage, revision: number): Promise<void> {
  const { clock, signal } = world;
  signal.throwIfAborted();
  const patience = { clock, until: clock.now() + RECORD_MS, signal };
  await withPatience(() => endRevision(writer, order.set, revision, { status: "good" }), patience);
}

async function planned(voyage: Voyage, wanted: Wanted): Promise<Plan> {
  const { cluster, order, world, facts } = voyage;
  const { set, settings } = order;
  const plan = await planDeploy(cluster, set, wanted.objects, settings, await straysThere(voyage));
  const changes = wanted.workloads?.changes ?? [];
  await inLanes(changes, (change) => applyChange(cluster, change, { dryRun: true }));
  facts.plan = plan;
  facts.difference = planDifference(plan, changes, (text) => world.secrets.redact(text));
  const { notes = [], warnings = [] } = wanted.workloads ?? {};
  facts.notes.push(...plan.notes, ...notes, ...warnings);
  for (const warning of warnings) world.log.warning(warning);
  tellPlan(plan, facts, world);
  if (wanted.workloads !== undefined) {
    world.log.group(...headedLines(wanted.workloads));
  }
  await checkAccess(cluster, set, plan, settings);
  return plan;
}

/** What an unfinished revision made and is there still. */
async function straysThere({ cluster, past }: Voyage): Promise<readonly KubernetesObject[]> {
  const found = await inLanes(straysOf(past), (ref) => cluster.find(ref).catch(() => undefined));
  return found.filter((object) => object !== undefined);
}

/** Tells what will be done, what will be deleted first of all, and what could not be checked. */
function tellPlan(plan: Plan, { difference }: DeployFacts, { log }: Pick<World, "log">): void {
  if (difference !== undefined) log.info(`What changes: ${countsText(difference.counts)}.`);
  if (plan.gone.length > 0) {
    log.group(
      `To be deleted, for the set has them no more: ${plan.gone.length}`,
      plan.gone.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`),
    );
  }
  const unchecked = plan.objects.filter(({ deed }) => deed === "unchecked");
  if (unchecked.length > 0) {
    log.group(
      `Not checked beforehand: ${unchecked.length}`,
      unchecked.map(
        ({ object, note }) => `${object.kind.toLowerCase()}/${object.metadata.name}: ${note}`,
      ),
    );
  }
  for (const { object, note, deed } of plan.objects) {
    if (note === undefined || deed === "unchecked") continue;
    log.warning(`${object.kind.toLowerCase()}/${object.metadata.name}: ${note}.`);
  }
}

function hasNothingToDo(
  { objects, gone }: Plan,
  { workloads }: Wanted,
  { standing, order, past }: Voyage,
): boolean {
  const { good, unfinished } = standing;
  return (
    good !== undefined &&
    unfinished === undefined &&
    good.version === order.settings.version &&
    objects.every(({ deed }) => deed === "nothing") &&
    objects.length === past.good?.objects.length &&
    gone.length === 0 &&
    (workloads?.changes.length ?? 0) === 0
  );
}

/** How long an API server that is away is waited for when a record is to be written. */
const RECORD_MS = 30_000;

/** Writes down what will be done, and where, before it is done; and begins to look after users. */
async function begin(plan: Plan, wanted: Wanted, voyage: Voyage): Promise<void> {
  const { cluster, writer, order, world, facts, standing, past, taken } = voyage;
  const { set, settings } = order;
  const objects = plan.objects.map(({ object }) => object);
  if (settings.createNamespace) await makeNamespaces(objects, voyage);
  const revision = standing.last + 1;
  const { environment, clock } = world;
  const head = {
    revision,
    appliedAt: new Date(clock.now()).toISOString(),
    by: settings.by ?? runOf(environment),
    page: pageOf(environment),
    version: settings.version,
    reason: settings.reason,
    rollbackTo: settings.rollbackTo,
  };
  const changes = wanted.workloads?.changes ?? [];
  const content = contentOf(plan.objects, changes, wanted.images, past);
  if ((await taken?.lease.confirm()) === false) throw cancelled(world.signal);
  voyage.revision = revision;
  voyage.before = content.before;
  facts.revision = revision;
  const patience = { clock, until: clock.now() + RECORD_MS, signal: world.signal };
  await withPatience(() => beginRevision(writer, set, head, content), patience);
  const inventory = both(inventoryOf(objects), plan.inventory);
  await withPatience(() => writeParent(writer, set, inventory), patience);
  world.signal.throwIfAborted();
  const live = plan.objects.flatMap((one) => one.live ?? []);
  const served = workloadsOf(
    [...objects, ...live, ...(wanted.workloads?.workloads ?? [])],
    set.namespace,
  );
  voyage.watch = await watchAvailability(cluster.boundTo(world.aftermath), served, {
    minimum: settings.minimum,
    world,
  });
}

async function makeNamespaces(objects: readonly KubernetesObject[], voyage: Voyage): Promise<void> {
  const own = objects
    .filter(({ kind }) => kind === "Namespace")
    .map(({ metadata }) => metadata.name);
  const named = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  for (const name of named) {
    if (own.includes(name)) continue;
    const ref = { apiVersion: "v1", kind: "Namespace", name };
    if ((await voyage.cluster.find(ref)) !== undefined) continue;
    await makeNamespace(voyage.cluster, name);
    voyage.world.log.info(`Made the namespace ${name}.`);
  }
}

/** Changes of a revision that came to nothing, of workloads that this one does not look at. */
function orphansOf({ workloads }: Wanted, { past }: Voyage): readonly WorkloadChange[] {
  const looked = new Set(workloads?.workloads.map((object) => keyOf(object)));
  return earlierOf(past).filter(({ ref }) => !looked.has(keyOfRef(ref)));
}

/** Takes back what nobody else would. */
async function takeBackOrphans(wanted: Wanted, voyage: Voyage): Promise<void> {
  const { cluster, world } = voyage;
  for (const change of orphansOf(wanted, voyage).toReversed()) {
    const { outcome } = await revertChange(cluster, change);
    if (outcome !== "reverted") continue;
    world.log.info(
      `${titleOf(change)} was put back: a revision that came to nothing had changed it.`,
    );
  }
}

async function applyAll(plan: Plan, wanted: Wanted, voyage: Voyage): Promise<void> {
  const { writer, order, world, facts, touched, changed } = voyage;
  const until = world.clock.now() + order.settings.timeout;
  try {
    await takeBackOrphans(wanted, voyage);
    const context = { ...plan.context, cluster: writer };
    await applyPlan({ ...plan, context }, touched, until, world);
    for (const change of wanted.workloads?.changes ?? []) {
      world.signal.throwIfAborted();
      changed.push(change);
      await applyChange(writer, change);
    }
  } finally {
    facts.changed = touched.size + changed.length;
  }
  world.log.info(`Revision ${facts.revision} of ${order.set.name} is applied.`);
}

async function rollout(
  objects: readonly KubernetesObject[],
  { cluster, order, world, past }: Voyage,
): Promise<RolloutReport> {
  const { set, settings } = order;
  const before = past.good?.objects.map(({ object }) => object);
  const report = await waitForRollout(cluster, awaitedTargets(objects, set.namespace), {
    deadline: world.clock.now() + settings.timeout,
    world,
    graces: { crashes: settings.restartsAllowed + 1, config: configGrace(objects, before) },
  });
  if (report.verdict === "cancelled") throw cancelled(world.signal);
  return report;
}

/** Asks the pods which images they run. */
async function prove(
  wanted: Wanted,
  plan: Plan,
  { cluster, order, world, facts }: Voyage,
): Promise<void> {
  const objects = plan.objects.map(({ object }) => object);
  const changed = await Promise.all(
    (wanted.workloads?.workloads ?? []).map((object) => cluster.get(refOf(object))),
  );
  const workloads = workloadsOf([...objects, ...changed], order.set.namespace);
  facts.images = await proveImages(cluster, wanted.images, workloads);
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
    remedy: "Something changed the pods on their way in, as an admission webhook may: look there.",
  });
}

/** Who a revision is by, as people know the run. */
function runOf(environment: World["environment"]): string {
  const { GITHUB_ACTOR, GITHUB_WORKFLOW, GITHUB_RUN_ID, HOSTNAME } = environment;
  if (!GITHUB_RUN_ID) return HOSTNAME ? `local/${HOSTNAME}` : "local";
  const run = `${GITHUB_WORKFLOW || "workflow"}, run ${GITHUB_RUN_ID}`;
  return GITHUB_ACTOR ? `${GITHUB_ACTOR} (${run})` : run;
}

function endWatch(voyage: Voyage): void {
  const { watch, facts, world } = voyage;
  if (watch === undefined || facts.availability !== undefined) return;
  facts.availability = watch.end();
  world.log.info(sentence(facts.availability));
}

function keptNote(kind: string, name: string): string {
  return `${kind.toLowerCase()}/${name} is in the set no more and is left, for data may be in it; \`prune-also: ${kind}\` would delete it.`;
}

async function giveBack(taken: Taken | undefined, cluster: Cluster, world: World): Promise<void> {
  try {
    await taken?.lease.release(cluster.boundTo(world.aftermath));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    world.log.warning(
      `${error.cause} It runs out by itself after 15 s.`,
      "The lease was not given back",
    );
  }
}
