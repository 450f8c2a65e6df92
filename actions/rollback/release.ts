import { differenceOf } from "../../shared/diff/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import {
  describeRevision,
  Helm,
  isGood,
  kubeconfigFile,
  objectsOf,
  PrivateFolder,
  type Revision,
  standingOf,
  storageKind,
} from "../../shared/helm/index.ts";
import type { Journal } from "../../shared/journal/index.ts";
import {
  type Cluster,
  findAll,
  type KubernetesObject,
  type LiveObjects,
  type ObjectRef,
  refOf,
} from "../../shared/kubernetes/index.ts";
import {
  type Ground,
  giveBack,
  historyOf,
  imagesOf,
  own,
  ownedWorld,
  type ReleaseTools,
  rollBackTo,
} from "../../shared/release/index.ts";
import type { World } from "../../shared/world/index.ts";
import { type Candidate, chooseRevision } from "./choose.ts";
import { goneBackFrom } from "./gone-back-from.ts";
import type { Options } from "./inputs.ts";
import type { Wanted } from "./wanted.ts";
import type { Carried, Record, Way } from "./way.ts";

/** A release that this run may change, or only looks at. */
interface Held extends AsyncDisposable {
  readonly tools: ReleaseTools;
  readonly history: readonly Revision[];
  /** Undefined when it is only looked at. */
  readonly ground: Ground | undefined;
}

/**
 * The way back of a Helm release, to a revision that Helm still holds. The release is this run's own
 * from here on, and what a run that died left pending is healed; a plan only looks.
 *
 * @throws {UserError} when there is no such release or revision.
 */
export async function releaseWay(
  cluster: Cluster,
  namespace: string,
  name: string,
  wanted: Wanted,
  options: Options,
  world: World,
): Promise<Way> {
  const held = await holdRelease(cluster, { name, namespace }, options, world);
  try {
    const { history, tools, ground } = held;
    const from = currentOf(history, tools);
    const to = chooseRevision(`release ${name}`, candidates(history, namespace), wanted).kept;
    const placed = (revision: Revision) => placedObjects(revision, cluster, namespace);
    const [before, after] = await Promise.all([placed(from), placed(to)]);
    const live = await findAll(cluster, [...before, ...after].map(refOf));
    return {
      subject: `release ${name}`,
      from: told(from),
      to: told(to),
      before,
      after,
      difference: differenceOf(comparisons(before, after, live), (text) =>
        world.secrets.redact(text),
      ),
      notes: to.hooks.length === 0 ? [] : [`Hooks of revision ${to.revision} for a rollback run.`],
      rehearse: () => rehearse(cluster, after, live),
      carryOut: async (record, _world, journal) => {
        if (ground === undefined) throw new Error("a plan is not carried out");
        const bound = ownedWorld(world, ground);
        return carryOut(to, tools, record, options, bound, journal);
      },
      [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
    };
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}

async function holdRelease(
  cluster: Cluster,
  release: ReleaseTools["release"],
  { helm: program, kubeconfig, context, mode, timeout }: Options,
  world: World,
): Promise<Held> {
  const { environment, secrets } = world;
  const storage = storageKind(environment.HELM_DRIVER);
  const folder = await PrivateFolder.make(environment.RUNNER_TEMP);
  const clean = () => folder[Symbol.asyncDispose]();
  try {
    const file = await kubeconfigFile(kubeconfig, folder);
    const setting = { program, release, kubeconfig: file, context, secrets, environment };
    const tools = { helm: new Helm(setting), cluster, release, storage };
    if (mode === "plan") {
      const history = await historyOf(tools);
      return { tools, history, ground: undefined, [Symbol.asyncDispose]: clean };
    }
    const ground = await own(tools, { timeout }, world);
    const end = async () => {
      await giveBack(ground, tools, world);
      await clean();
    };
    // What was healed is part of the history.
    return { tools, history: await historyOf(tools), ground, [Symbol.asyncDispose]: end };
  } catch (error) {
    await clean();
    throw error;
  }
}

/** The revision that was tried last: it is what is to be left. */
function currentOf(history: readonly Revision[], { release }: ReleaseTools): Revision {
  const standing = standingOf(history);
  if (standing.state !== "absent") return standing.last;
  throw new UserError({
    title: "No such release",
    cause: `Helm has no release ${release.name} in namespace ${release.namespace}.`,
    remedy: "Check `target` and `namespace`; `helm list --all-namespaces` shows what there is.",
  });
}

interface ReleaseCandidate extends Candidate {
  readonly kept: Revision;
}

/** As Helm describes a rollback, whoever made it. */
const ROLLBACK = /^Rollback to (\d+)\b/;

/** The revisions of a release as candidates, newest first. */
function candidates(history: readonly Revision[], namespace: string): readonly ReleaseCandidate[] {
  const newestFirst = [...history].sort((a, b) => b.revision - a.revision);
  const [current] = newestFirst;
  const rollbacks = history.flatMap(({ revision, description }) => {
    const to = ROLLBACK.exec(description)?.[1];
    return to === undefined ? [] : [{ revision, to: Number(to) }];
  });
  return newestFirst.map((kept) => ({
    kept,
    revision: kept.revision,
    current: kept === current,
    same: kept.manifest === current?.manifest,
    version: kept.appVersion === "" ? undefined : kept.appVersion,
    images: imagesOf(kept, namespace).map(({ image }) => image),
    spoilt: isGood(kept) ? goneBackFrom(kept.revision, rollbacks) : spoiltBecause(kept),
    details: [
      kept.chart,
      `${kept.status} at ${new Date(kept.updated).toISOString()}`,
      kept.description,
    ],
  }));
}

function spoiltBecause({ proof, status }: Revision): string {
  return proof === "unproven"
    ? "it did not work, or somebody went back from it"
    : `it is ${status}`;
}

function told({ revision, chart }: Revision): string {
  return chart === "" ? `revision ${revision}` : `revision ${revision} (${chart})`;
}

/** The objects of a revision, with the namespace where they are in one and do not say so. */
async function placedObjects(
  { manifest }: Revision,
  cluster: Cluster,
  namespace: string,
): Promise<readonly KubernetesObject[]> {
  return Promise.all(
    objectsOf(manifest).map(async (object) => {
      const { namespaced } = await cluster.resource(object);
      if (!namespaced || object.metadata.namespace !== undefined) return object;
      return { ...object, metadata: { ...object.metadata, namespace } };
    }),
  );
}

function comparisons(
  before: readonly KubernetesObject[],
  after: readonly KubernetesObject[],
  live: LiveObjects,
) {
  const known = new Map(before.map((object) => [keyOf(refOf(object)), object]));
  const wanted = new Set(after.map((object) => keyOf(refOf(object))));
  const gone = before.filter((object) => !wanted.has(keyOf(refOf(object))));
  return [
    ...after.map((desired) => ({
      live: live(refOf(desired)),
      desired,
      previous: known.get(keyOf(refOf(desired))),
    })),
    ...gone.flatMap((object) => {
      const found = live(refOf(object));
      return found === undefined ? [] : [{ live: found, desired: undefined }];
    }),
  ];
}

function keyOf({ apiVersion, kind, namespace = "", name }: ObjectRef): string {
  return `${apiVersion} ${kind} ${namespace} ${name}`;
}

/** Whether the API server would take the objects that change: quotas, policies, immutable fields. */
async function rehearse(
  cluster: Cluster,
  after: readonly KubernetesObject[],
  live: LiveObjects,
): Promise<void> {
  const existing = after.filter((object) => live(refOf(object)) !== undefined);
  for (const object of existing) {
    await cluster.apply(object, { dryRun: true, force: true, fieldManager: "helm" });
  }
}

async function carryOut(
  to: Revision,
  tools: ReleaseTools,
  { by, reason }: Record,
  { timeout, restartsAllowed }: Options,
  world: World,
  journal: Journal,
): Promise<Carried> {
  const graces = { crashes: restartsAllowed + 1 };
  const restored = await rollBackTo(to, tools, { timeout, graces }, world, journal);
  world.log.info(restored.came);
  const { recovery, images = [], running } = restored;
  if (recovery === undefined) throw restored.failure ?? new Error("a rollback without a recovery");
  if (running !== undefined) {
    await sign(running, `Rollback to ${to.revision} by ${by}: ${reason}`, tools, world);
  }
  return { running, rollout: recovery, images };
}

/** Who did it and why, where `helm history` shows it. */
async function sign(
  revision: number,
  text: string,
  { cluster, release, storage }: ReleaseTools,
  { aftermath, log }: World,
): Promise<void> {
  const line = text.replace(/\s+/g, " ").slice(0, 500);
  try {
    const bound = cluster.boundTo(aftermath);
    if (await describeRevision(bound, { ...release, storage }, revision, line)) return;
    log.debug(`The record of revision ${revision} has another form than expected: not signed.`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.warning(error.cause, "Who went back and why was not written to Helm's history");
  }
}
