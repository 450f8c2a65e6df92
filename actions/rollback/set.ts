import { isDeepStrictEqual } from "node:util";
import {
  type AppliedRevision,
  type DeployFacts,
  type DeployOrder,
  type DeploySettings,
  type DesiredObject,
  deploySet,
  noFacts,
  previewSet,
  readApplied,
  standingOf,
} from "../../shared/apply-set/index.ts";
import { minimumOf } from "../../shared/availability/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import type { Cluster, KubernetesObject } from "../../shared/kubernetes/index.ts";
import { retarget, statesAt } from "../../shared/workload-images/index.ts";
import type { World } from "../../shared/world/index.ts";
import { type Candidate, chooseRevision } from "./choose.ts";
import { goneBackFrom } from "./gone-back-from.ts";
import type { Options } from "./inputs.ts";
import type { Wanted } from "./wanted.ts";
import type { Carried, Record, Way } from "./way.ts";

/**
 * The way back of a set that apply-manifests applied, to a revision whose record the cluster still
 * holds. It is deployed again as a new revision, with all the care of a deploy.
 *
 * @throws {UserError} when there is no such set or revision.
 */
export async function setWay(
  cluster: Cluster,
  namespace: string,
  name: string,
  wanted: Wanted,
  options: Options,
  world: World,
): Promise<Way> {
  const set = { name, namespace };
  const history = await readApplied(cluster, set);
  const current = currentOf(history, set);
  const to = chooseRevision(`set ${name}`, candidates(history, current), wanted).kept;
  const states = statesAt(goodChanges(history), to.revision);
  const order = (record?: Record): DeployOrder => ({
    set,
    settings: settingsOf(to, options, record),
    wanted: async (bound) => ({
      objects: objectsFor(to, current),
      images: to.images,
      workloads: await retarget(bound, states, record?.by ?? "plan"),
    }),
  });
  const preview = noFacts();
  await previewSet(cluster, order(), world, new Journal(world.clock), preview);
  if (preview.difference === undefined) throw new Error("a preview without a difference");
  const { difference } = preview;
  return {
    subject: `set ${name}`,
    from: told(current),
    to: told(to),
    before: liveIn(preview),
    after: objectsFor(to, current).map(({ object }) => object),
    difference,
    notes: notesOn(to, preview),
    // The preview has tried out everything already.
    rehearse: async () => {},
    carryOut: (record, bound, journal) => carryOut(cluster, order(record), bound, journal),
    [Symbol.asyncDispose]: async () => {},
  };
}

function currentOf(
  history: readonly AppliedRevision[],
  { name, namespace }: { readonly name: string; readonly namespace: string },
): AppliedRevision {
  const { good, unfinished } = standingOf(history);
  const current = unfinished ?? good;
  if (current !== undefined) return current;
  throw new UserError({
    title: "No such set",
    cause: `Nothing good was ever applied as set ${name} in namespace ${namespace}.`,
    remedy: "Check `target` and `namespace`: the name is the input `name` of apply-manifests.",
  });
}

interface SetCandidate extends Candidate {
  readonly kept: AppliedRevision;
}

/** The revisions of a set as candidates, newest first. */
function candidates(
  history: readonly AppliedRevision[],
  current: AppliedRevision,
): readonly SetCandidate[] {
  const rollbacks = history.flatMap(({ revision, rollbackTo }) =>
    rollbackTo === undefined ? [] : [{ revision, to: rollbackTo }],
  );
  const changes = goodChanges(history);
  const contentOf = (revision: AppliedRevision) => ({
    objects: goingBack(revision).map(({ object }) => object),
    workloads: statesAt(changes, revision.revision).map(({ ref, after: { images, config } }) => ({
      ref,
      images,
      config,
    })),
  });
  const content = contentOf(current);
  return history
    .filter((one) => one.revision <= current.revision)
    .reverse()
    .map((kept) => ({
      kept,
      revision: kept.revision,
      current: kept === current,
      same:
        kept === current || (kept.status === "good" && isDeepStrictEqual(contentOf(kept), content)),
      version: kept.version,
      images: kept.images.map(({ repository, digest }) => `${repository}@${digest}`),
      spoilt: spoiltBecause(kept) ?? goneBackFrom(kept.revision, rollbacks),
      details: [`applied ${kept.appliedAt} by ${kept.by}`],
    }));
}

function goodChanges(history: readonly AppliedRevision[]) {
  return history
    .filter(({ status }) => status === "good")
    .map((one) => ({ revision: one.revision, changes: one.changes() }));
}

/** The objects of a revision that can be gone back to: what a Job did is done. */
function goingBack(revision: AppliedRevision): readonly DesiredObject[] {
  return revision.objects().filter((one) => !isJob(one));
}

function spoiltBecause({ status, cause }: AppliedRevision): string | undefined {
  if (status === "good") return undefined;
  return cause ?? (status === "pending" ? "it was left half done" : "it failed");
}

function told({ revision, version }: AppliedRevision): string {
  return version === undefined ? `revision ${revision}` : `revision ${revision} (${version})`;
}

/** No Job is run again, and none is taken away. */
function objectsFor(to: AppliedRevision, current: AppliedRevision): readonly DesiredObject[] {
  return [...goingBack(to), ...current.objects().filter(isJob)];
}

function isJob({ object }: DesiredObject): boolean {
  return object.kind === "Job";
}

function notesOn(to: AppliedRevision, { notes }: DeployFacts): readonly string[] {
  const hasJobs = to.objects().some(isJob);
  return hasJobs ? [...notes, "Jobs stay as they are: what they did is done."] : notes;
}

function liveIn({ plan }: DeployFacts): readonly KubernetesObject[] {
  return [...(plan?.objects.flatMap(({ live }) => live ?? []) ?? []), ...(plan?.gone ?? [])];
}

function settingsOf(
  to: AppliedRevision,
  { timeout, restartsAllowed, minimumAvailable }: Options,
  record: Record | undefined,
): DeploySettings {
  return {
    fieldManager: "seaworthy",
    // Who goes back wants what was, whoever has changed it since; the plan shows what that is.
    forceConflicts: true,
    recreate: [],
    unknownFields: "leave-out",
    createNamespace: false,
    otherNamespaces: namespacesOf(to),
    prune: { by: "set", most: {}, alsoKinds: [] },
    timeout,
    restartsAllowed,
    onFailure: "keep",
    minimum: minimumOf(minimumAvailable ?? ""),
    keepRevisions: 10,
    version: to.version,
    rollbackTo: to.revision,
    ...(record === undefined ? {} : { by: record.by, reason: record.reason }),
  };
}

function namespacesOf(to: AppliedRevision): readonly string[] {
  const named = to.objects().flatMap(({ object }) => object.metadata.namespace ?? []);
  return [...new Set(named)];
}

async function carryOut(
  cluster: Cluster,
  order: DeployOrder,
  world: World,
  journal: Journal,
): Promise<Carried> {
  const facts = noFacts();
  try {
    await deploySet(cluster, order, world, journal, facts);
  } catch (error) {
    // What does not run is told by the report; what could not be changed, by the error.
    if (!(error instanceof UserError) || facts.rollout === undefined) throw error;
    if (facts.rollout.verdict === "ready") throw error;
  }
  if (facts.rollout === undefined) throw new Error("a deploy without a rollout");
  return { running: facts.running, rollout: facts.rollout, images: facts.images };
}
