import { describe, UserError } from "../failure/index.ts";
import {
  awaitedTargets,
  type Cluster,
  type KubernetesObject,
  type RolloutReport,
  waitForRecovery,
} from "../kubernetes/index.ts";
import { revertChange, titleOf, type WorkloadChange } from "../workload-images/index.ts";
import { findAutoscaled } from "./autoscaled.ts";
import { earlierOf, traceOf } from "./content.ts";
import { endRevision, isRecorded, trimHistory } from "./history.ts";
import { deleteParent } from "./parent.ts";
import { withPatience } from "./patience.ts";
import { bare, distinct, distinctRefs, type PutBackReport, putBack } from "./put-back.ts";
import { setId } from "./set.ts";
import type { ApplyContext } from "./try-out.ts";
import type { Voyage } from "./voyage.ts";

/** An API server that was away when the deploy failed may be back in a moment. */
const UNTIL_BACK_MS = 30_000;

/**
 * The failure, with what came of putting the set back. A set that another run took over is left to
 * that run.
 */
export async function undone(error: unknown, voyage: Voyage): Promise<unknown> {
  const { taken, settled, world, journal } = voyage;
  if (taken?.lease.lost.aborted || settled) return error;
  const failure = error instanceof UserError ? error : undefined;
  if (failure !== undefined && !world.signal.aborted) world.log.info(failure.cause);
  try {
    const came = await undo(failure ?? error, voyage);
    if (came === undefined) return error;
    world.log.info(came);
    return failure === undefined ? error : withUndo(failure, came);
  } catch (second) {
    journal.markFailed();
    return failure === undefined ? error : withUndo(failure, asUserError(second));
  }
}

/** Puts the set back where it was touched; says in one sentence what came of it. */
async function undo(error: unknown, voyage: Voyage): Promise<string | undefined> {
  const { order, world, journal, facts, standing, past, revision } = voyage;
  const { set, settings } = order;
  const cluster = voyage.cluster.boundTo(world.aftermath);
  const touched = distinct([
    ...[...voyage.touched.values()].map(({ object }) => object),
    ...traceOf(past.unfinished),
  ]);
  const changes = [...earlierOf(past), ...voyage.changed];
  if (touched.length === 0 && changes.length === 0) {
    if (revision !== undefined) await forget(cluster, voyage, revision);
    facts.running = standing.good?.revision;
    return revision === undefined ? undefined : "Nothing was changed.";
  }
  const number = revision ?? standing.unfinished?.revision;
  const cause = error instanceof UserError ? error.cause : describe(error);
  if (settings.onFailure === "keep" && !world.signal.aborted) {
    if (number !== undefined)
      await endRevision(cluster, set, number, { status: "failed", cause, left: true });
    facts.running = number;
    return `Revision ${number} was kept as it is, as \`on-failure: keep\` asks.`;
  }
  const to = standing.good === undefined ? undefined : standing.good.revision;
  world.log.info(to === undefined ? "Removing what was applied." : `Going back to revision ${to}.`);
  const report = await journal.phase("rollback", () => goBack(cluster, touched, changes, voyage));
  facts.rolledBack = true;
  facts.running = to;
  facts.notes.push(...report.left);
  if (number !== undefined) await endRevision(cluster, set, number, { status: "failed", cause });
  const done = doneWords(to, report, touched, changes);
  return recovered(cluster, done, report, changes, voyage);
}

function doneWords(
  to: number | undefined,
  { restored }: PutBackReport,
  touched: readonly KubernetesObject[],
  changes: readonly WorkloadChange[],
): string {
  if (touched.length === 0) {
    const titles = [...new Set(changes.map(titleOf))];
    return `Put back what ${titles.join(", ")} ran before`;
  }
  if (to !== undefined) return `Went back to revision ${to}`;
  const before =
    restored.length === 0 ? "" : ", and what had been there before was put back as it was";
  return `It was the first revision: what it made was removed${before}`;
}

async function goBack(
  cluster: Cluster,
  touched: readonly KubernetesObject[],
  changes: readonly WorkloadChange[],
  { order, world, past, before }: Voyage,
): Promise<PutBackReport> {
  const { set, settings } = order;
  const { clock, signal } = world;
  const until = clock.now() + UNTIL_BACK_MS;
  // After a cancellation the aftermath's end is the only limit, and it ends each request.
  const patience = { clock, until, signal: signal.aborted ? world.aftermath : signal };
  const good = past.good?.objects.map(({ object }) => object) ?? [];
  const autoscaled = await withPatience(() => findAutoscaled(cluster, good), patience);
  const context: ApplyContext = {
    cluster,
    setId: setId(set),
    autoscaled: autoscaled.keys,
    settings,
  };
  const left: string[] = [];
  // The last one first: each is taken back only from what it had made.
  for (const change of changes.toReversed()) {
    const { detail } = await withPatience(() => revertChange(cluster, change), patience);
    if (detail !== undefined) left.push(detail);
  }
  const report = await putBack(
    { touched, good, before, alsoKinds: settings.prune.alsoKinds },
    context,
    patience,
  );
  return { ...report, left: [...left, ...report.left] };
}

/** Waits until what was put back runs; a first revision leaves nothing to wait for. */
async function recovered(
  cluster: Cluster,
  done: string,
  report: PutBackReport,
  changes: readonly WorkloadChange[],
  { cluster: bound, order, world, journal, facts, past, standing }: Voyage,
): Promise<string> {
  const { set, settings } = order;
  const left = report.left.length === 0 ? "" : ` ${report.left.join(". ")}.`;
  if (standing.good === undefined && report.left.length === 0) await deleteParent(cluster, set);
  const good = past.good?.objects.map(({ object }) => object) ?? [];
  const restored = awaitedTargets(report.restored.map(bare), set.namespace);
  const patched = changes.map(({ ref }) => ref).filter(({ kind }) => kind !== "CronJob");
  const targets = distinctRefs([...awaitedTargets(good, set.namespace), ...restored, ...patched]);
  if (targets.length === 0) return `${done}.${left}`;
  const deadline = world.clock.now() + settings.timeout;
  const recovery: RolloutReport = await journal.phase("recovery", () =>
    waitForRecovery(bound, targets, { deadline, world }),
  );
  facts.recovery = recovery;
  if (recovery.verdict === "cancelled") return `${done}; its pods were not waited for.${left}`;
  if (recovery.verdict === "ready") return `${done}, which is healthy.${left}`;
  journal.markFailed();
  throw new UserError({
    title: "Going back failed too",
    cause: `${done}, and that is not healthy either: ${recovery.cause?.message ?? "it was not ready in time"}`,
    remedy: `Look at the pods now: neither the new nor the old revision runs well.${left}`,
  });
}

/** Forgets a revision that was written down and did nothing. */
async function forget(cluster: Cluster, voyage: Voyage, revision: number): Promise<void> {
  const { order, standing, facts } = voyage;
  if (!(await isRecorded(cluster, order.set, revision))) return;
  await endRevision(cluster, order.set, revision, {
    status: "failed",
    cause: "nothing was applied",
  });
  await trimHistory(cluster, order.set, order.settings.keepRevisions);
  facts.running = standing.good?.revision;
}

/**
 * The failure together with what came of putting things back. When that failed too, both causes
 * are told, the first one first: it is what made the second necessary.
 */
export function withUndo(failure: UserError, came: string | UserError): UserError {
  const { title, cause, remedy, evidence, at } = failure;
  if (typeof came === "string") {
    const parts = { title, cause, remedy: `${came} ${remedy}`, at };
    return new UserError(evidence === undefined ? parts : { ...parts, evidence }, {
      reason: failure,
    });
  }
  const evidences = [evidence, came.evidence].filter((text) => text !== undefined);
  return new UserError(
    {
      title: `${title}; and the set could not be put back`,
      cause: `${cause}\nThen: ${came.title}: ${came.cause}`,
      remedy: came.remedy === remedy ? remedy : `${came.remedy} ${remedy}`,
      ...(evidences.length === 0 ? {} : { evidence: evidences.join("\n\n") }),
      at,
    },
    { reason: failure },
  );
}

/** Anything thrown, as something that can be told beside the first failure. */
function asUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  return new UserError(
    {
      title: "Putting the set back failed",
      cause: `${describe(error)}.`,
      remedy: "Run the job again: it heals what is left.",
    },
    { reason: error },
  );
}
