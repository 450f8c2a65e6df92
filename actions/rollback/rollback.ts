import type { Outcome } from "../../shared/action/index.ts";
import { minimumOf, sentence, watchAvailability } from "../../shared/availability/index.ts";
import { countsText } from "../../shared/diff/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { type Cluster, connect, rolloutFailure } from "../../shared/kubernetes/index.ts";
import { workloadsOf } from "../../shared/workload/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Facts } from "./facts.ts";
import { checkImages } from "./images.ts";
import type { Options, OutputName } from "./inputs.ts";
import { refuseOldSchema } from "./migration.ts";
import { outcomeOf } from "./outcome.ts";
import { recordOf } from "./record.ts";
import { releaseWay } from "./release.ts";
import { setWay } from "./set.ts";
import { targetOf } from "./target.ts";
import { type Wanted, wantedOf } from "./wanted.ts";
import type { Way } from "./way.ts";
import { workloadsWay } from "./workloads.ts";

/**
 * Goes back to an earlier revision: shows what will change, refuses what cannot end well, goes
 * back, waits until that runs, and tells how long users were affected.
 */
export async function rollback(options: Options, world: World): Promise<Outcome<OutputName>> {
  const journal = new Journal(world.clock);
  const facts: Facts = {
    record: recordOf(options, world),
    presence: [],
    touched: false,
    images: [],
  };
  try {
    await goBack(options, world, journal, facts);
    return outcomeOf(options, journal, facts, undefined);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return outcomeOf(options, journal, facts, error);
  }
}

async function goBack(
  options: Options,
  world: World,
  journal: Journal,
  facts: Facts,
): Promise<void> {
  const wanted = readWanted(options);
  const cluster = await connect(options, world);
  await using way = await journal.phase("plan", () => wayOf(cluster, wanted, options, world));
  facts.way = way;
  world.log.info(`${way.subject}: from ${way.from} back to ${way.to}.`);
  for (const note of way.notes) world.log.warning(note);
  refuseOldSchema(way.before, way.after, options.dataSchema);
  showChanges(way, world, facts);
  facts.presence = await journal.phase("images", () => checkImages(way.after, options, world));
  await journal.phase("rehearsal", () => way.rehearse());
  if (options.mode === "plan") return;

  const served = workloadsOf([...way.before, ...way.after], cluster.namespace);
  const minimum = minimumOf(options.minimumAvailable ?? "");
  using users = await watchAvailability(cluster, served, { minimum, alreadyHurt: true, world });
  try {
    facts.touched = true;
    const carried = await way.carryOut(facts.record, world, journal);
    facts.running = carried.running;
    facts.rollout = carried.rollout;
    facts.images = carried.images;
  } finally {
    facts.users = users.end();
    world.log.info(sentence(facts.users));
  }
  const failure = failureOf(way, facts);
  if (failure !== undefined) throw failure;
}

function readWanted({ to }: Options): Wanted {
  const wanted = wantedOf(to);
  if (wanted !== undefined) return wanted;
  throw new UserError({
    title: "No such form of revision",
    cause: `${JSON.stringify(to)} names no revision.`,
    remedy:
      "Write previous, a revision's number, a version such as v1.4.2, or sha256: and 64 digits.",
  });
}

async function wayOf(
  cluster: Cluster,
  wanted: Wanted,
  options: Options,
  world: World,
): Promise<Way> {
  const target = targetOf(options.target);
  const namespace = options.namespace ?? cluster.namespace;
  switch (target.kind) {
    case "workloads":
      return workloadsWay(cluster, namespace, target.workloads, wanted, options, world);
    case "release":
      return releaseWay(cluster, namespace, target.name, wanted, options, world);
    case "set":
      return setWay(cluster, namespace, target.name, wanted, options, world);
  }
}

/** Tells what will be different, and refuses when nothing will. */
function showChanges(way: Way, world: World, facts: Facts): void {
  facts.difference = way.difference;
  const { counts } = way.difference;
  if (counts.added + counts.changed + counts.removed === 0) {
    throw new UserError({
      title: "A rollback would change nothing",
      cause: `${way.subject} is already as it was in ${way.to}.`,
      remedy:
        "What is wrong has another cause: look at its configuration, its data, and what it depends on. Nothing was changed.",
    });
  }
  world.log.info(`What changes: ${countsText(counts)}.`);
}

function failureOf(way: Way, { rollout, images }: Facts): UserError | undefined {
  const wrong = images.find(({ verdict }) => verdict === "wrong");
  if (wrong !== undefined) {
    return new UserError({
      title: "The pods run another image",
      cause: `${wrong.service} should run ${wrong.digest}, but ${wrong.detail}.`,
      remedy: "Something changed the pods on their way in: look at admission webhooks and mirrors.",
    });
  }
  const failure = rollout === undefined ? undefined : rolloutFailure(rollout);
  if (failure === undefined || rollout?.verdict === "cancelled") return failure;
  const { cause, remedy, evidence } = failure;
  return new UserError(
    {
      title: "What was gone back to does not run either",
      cause: `${way.subject} was put back to ${way.to}, and that is not healthy: ${cause}`,
      remedy: `${remedy} The template of ${way.to} stays in place.`,
      ...(evidence === undefined ? {} : { evidence }),
    },
    { reason: failure },
  );
}
