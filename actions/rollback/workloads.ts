import { differenceOf } from "../../shared/diff/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import {
  type Cluster,
  nameOf,
  type ObjectRef,
  refOf,
  waitForRecovery,
} from "../../shared/kubernetes/index.ts";
import { expectedImages, proveImages, workloadsOf } from "../../shared/workload/index.ts";
import {
  markAbandoned,
  type RevisedWorkload,
  readWorkloadHistory,
  restoreTemplate,
  type WorkloadRevision,
} from "../../shared/workload-history/index.ts";
import type { World } from "../../shared/world/index.ts";
import { chooseRevision } from "./choose.ts";
import { hold } from "./hold.ts";
import type { Options } from "./inputs.ts";
import type { WorkloadName } from "./target.ts";
import type { Wanted } from "./wanted.ts";
import type { Carried, Record, Way } from "./way.ts";
import { workloadCandidates } from "./workload-candidates.ts";

/** One workload, where it is and where it goes. */
interface Step {
  readonly workload: RevisedWorkload;
  readonly from: WorkloadRevision | undefined;
  readonly to: WorkloadRevision;
}

/**
 * The way back of Deployments, StatefulSets and DaemonSets, to templates that the cluster still
 * holds. Several go back together: all are rehearsed before the first is changed, and where one
 * cannot be changed those before it are given back what they had.
 *
 * @throws {UserError} when one does not exist, is paused, or has no such revision.
 */
export async function workloadsWay(
  cluster: Cluster,
  namespace: string,
  names: readonly WorkloadName[],
  wanted: Wanted,
  options: Options,
  world: World,
): Promise<Way> {
  const refs = names.map((one): ObjectRef => ({ apiVersion: "apps/v1", namespace, ...one }));
  const subject = refs.map(nameOf).join(", ");
  const lease = { name: "seaworthy-workloads", namespace, subject: `workloads of ${namespace}` };
  const held = await hold(cluster, lease, options.timeout, world);
  try {
    const steps = await Promise.all(refs.map((ref) => stepOf(cluster, ref, wanted, world)));
    const bound = { ...world, signal: held.signal };
    return {
      subject,
      from: told(steps, ({ from }) => from?.revision),
      to: told(steps, ({ to }) => to.revision),
      before: steps.map(({ workload }) => workload),
      after: steps.map(afterOf),
      difference: differenceOf(
        steps.map((step) => ({ live: step.workload, desired: afterOf(step), complete: true })),
        (text) => world.secrets.redact(text),
      ),
      notes: steps.flatMap(notesOn),
      rehearse: () => rehearse(cluster, steps),
      carryOut: (record, _world, journal) =>
        carryOut(cluster, steps, record, options, bound, journal),
      [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
    };
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}

async function stepOf(
  cluster: Cluster,
  ref: ObjectRef,
  wanted: Wanted,
  { clock }: World,
): Promise<Step> {
  const history = await readWorkloadHistory(cluster, ref, clock);
  const { workload } = history;
  if (workload.spec.paused === true) {
    throw new UserError({
      title: "The Deployment is paused",
      cause: `${nameOf(ref)} is paused: whatever it is told, its pods stay as they are.`,
      remedy: `Run \`kubectl rollout resume ${nameOf(ref)} -n ${ref.namespace}\` first. Nothing was changed.`,
    });
  }
  const { kept: to } = chooseRevision(nameOf(ref), workloadCandidates(history), wanted);
  return { workload, from: history.revisions.find(({ current }) => current), to };
}

function told(steps: readonly Step[], number: (step: Step) => number | undefined): string {
  const [only, ...more] = steps;
  if (only !== undefined && more.length === 0) return revisionText(number(only));
  return steps
    .map((step) => `${nameOf(refOf(step.workload))} ${revisionText(number(step))}`)
    .join(", ");
}

/** A template that was just written has no number until its controller has made a revision of it. */
function revisionText(revision: number | undefined): string {
  return revision === undefined ? "a revision without a number yet" : `revision ${revision}`;
}

function afterOf({ workload, to }: Step): RevisedWorkload {
  return { ...workload, spec: { ...workload.spec, template: to.template } };
}

function notesOn({ workload }: Step): readonly string[] {
  const name = nameOf(refOf(workload));
  const { annotations = {}, labels = {} } = workload.metadata;
  const release = annotations["meta.helm.sh/release-name"];
  const { updateStrategy } = workload.spec;
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  return [
    ...(release === undefined
      ? []
      : [
          `${name} belongs to the Helm release ${release}, whose next upgrade will not know of this rollback; release/${release} goes back as a whole.`,
        ]),
    ...(labels["argocd.argoproj.io/instance"] || annotations["argocd.argoproj.io/tracking-id"]
      ? [`${name} is kept by Argo CD, which may undo this rollback: go back in its repository too.`]
      : []),
    ...(updateStrategy?.type === "OnDelete"
      ? [`${name} has the strategy OnDelete: its pods go back only when somebody deletes them.`]
      : []),
    ...(partition > 0
      ? [`${name} has a partition of ${partition}: pods below it stay as they are.`]
      : []),
  ];
}

const REHEARSAL: Record = { by: "rehearsal", reason: "rehearsal", at: "" };

async function rehearse(cluster: Cluster, steps: readonly Step[]): Promise<void> {
  for (const step of steps) await restore(cluster, step, REHEARSAL, true);
}

async function restore(
  cluster: Cluster,
  { workload, from, to }: Step,
  record: Record,
  dryRun = false,
): Promise<void> {
  const numbers = { from: revisionText(from?.revision), to: `revision ${to.revision}` };
  await restoreTemplate(cluster, workload, to.template, { ...record, ...numbers }, { dryRun });
}

async function carryOut(
  cluster: Cluster,
  steps: readonly Step[],
  record: Record,
  { timeout, restartsAllowed }: Options,
  world: World,
  journal: Journal,
): Promise<Carried> {
  world.signal.throwIfAborted();
  // From here on to the last of them nothing is left half done.
  const own = cluster.boundTo(world.aftermath);
  await journal.phase("rollback", () => restoreAll(own, steps, record, world));
  const targets = steps.map(({ workload }) => refOf(workload));
  const rollout = await journal.phase("recovery", () =>
    waitForRecovery(cluster, targets, {
      deadline: world.clock.now() + timeout,
      world,
      graces: { crashes: restartsAllowed + 1 },
    }),
  );
  if (rollout.verdict !== "ready") {
    journal.markFailed();
    return { rollout, images: [] };
  }
  await abandon(own, steps, record, world);
  const after = workloadsOf(steps.map(afterOf), "");
  const images = await journal.phase("proof", () =>
    proveImages(cluster, expectedImages(after), after),
  );
  return { rollout, images };
}

async function restoreAll(
  cluster: Cluster,
  steps: readonly Step[],
  record: Record,
  world: World,
): Promise<void> {
  const done: Step[] = [];
  for (const step of steps) {
    try {
      await restore(cluster, step, record);
    } catch (error) {
      await giveBack(cluster, done, record, world);
      throw error;
    }
    done.push(step);
    const { workload, from, to } = step;
    world.log.info(
      `${nameOf(refOf(workload))}: from ${revisionText(from?.revision)} back to revision ${to.revision}.`,
    );
  }
}

/** Gives those that were changed already what they had: they go back together or not at all. */
async function giveBack(
  cluster: Cluster,
  done: readonly Step[],
  record: Record,
  world: World,
): Promise<void> {
  for (const { workload, from, to } of done) {
    const now = await cluster.get<RevisedWorkload>(refOf(workload));
    const { template } = workload.spec;
    const numbers = {
      from: `revision ${to.revision}`,
      to: revisionText(from?.revision),
      reason: "another workload could not go back",
    };
    await restoreTemplate(cluster, now, template, { ...record, ...numbers });
    world.log.info(`${nameOf(refOf(workload))}: put where it was, for another could not go back.`);
  }
}

/** So that the next rollback does not come back to it. */
async function abandon(
  cluster: Cluster,
  steps: readonly Step[],
  { by, reason }: Record,
  { log }: World,
): Promise<void> {
  for (const { from } of steps) {
    if (from === undefined) continue;
    try {
      await markAbandoned(cluster, from, `${by}: ${reason}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      log.debug(`Revision ${from.revision} was not marked as gone back from: ${error.cause}`);
    }
  }
}
