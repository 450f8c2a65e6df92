import { type Comparison, type Difference, differenceOf } from "../diff/index.ts";
import type { UserError } from "../failure/index.ts";
import { objectsOf, type ReleaseRef, type Revision } from "../helm/index.ts";
import {
  type Cluster,
  findAll,
  inLanes,
  isForbidden,
  type KubernetesObject,
  type LiveObjects,
  nameOf,
  refOf,
} from "../kubernetes/index.ts";
import { type KeptReplicas, keptReplicas, withReplicas } from "./autoscaled.ts";
import type { Hook } from "./hooks.ts";
import { neededRights } from "./needed-rights.ts";
import { OWNER, type PlacedObject, placeObjects } from "./place.ts";
import { type Refusal, refusedError } from "./refusal.ts";
import { linesOf, missingRights, missingRightsError, rulesOf } from "./rights.ts";
import type { ReleaseTools } from "./tools.ts";
import { type Manner, type Trial, tryOut } from "./try-out.ts";

/** What is about to be released. */
export interface Rendered {
  /** The objects of the manifest, hooks left out. */
  readonly objects: readonly KubernetesObject[];
  readonly hooks: readonly Hook[];
  /** The definitions in the chart's folder crds/, which are there before all else. */
  readonly definitions: readonly KubernetesObject[];
  /** These are applied by this run, not made by Helm. */
  readonly appliesDefinitions: boolean;
  /** The revision whose objects are applied now; undefined for a first install. */
  readonly previous: Revision | undefined;
  readonly manner: Manner;
  /** The namespace will be made first, so that nothing can be asked about what goes into it. */
  readonly namespaceIsNew: boolean;
  readonly redact: (text: string) => string;
}

/** What the cluster says to a release before anything of it is touched. */
export interface Checked {
  readonly difference: Difference;
  /** Replicas that autoscalers have chosen, and that must be kept. */
  readonly kept: readonly KeptReplicas[];
  /** Told to the reader: what could not be checked, and what could not be put back. */
  readonly notes: readonly string[];
  /** Why the release cannot work; the difference is known all the same. */
  readonly failure: UserError | undefined;
}

/**
 * Compares a rendered chart with what is live, and asks the API server whether everything that Helm
 * is about to do will be allowed and accepted: the rights to each kind, and every change as a dry
 * run. Changes nothing.
 *
 * @throws {UserError} when rights are missing, all of them at once, or a kind is not served.
 */
export async function checkRelease(tools: ReleaseTools, rendered: Rendered): Promise<Checked> {
  const { cluster, release } = tools;
  const before = rendered.previous === undefined ? [] : objectsOf(rendered.previous.manifest);
  const own = [...rendered.definitions, ...rendered.objects].filter(isDefinition);
  const placed = await placeObjects(rendered.objects, own, release, cluster);
  const leaving = await leavingObjects(before, placed, tools);
  const hooks = await placeObjects(
    rendered.hooks.map(({ object }) => object),
    own,
    release,
    cluster,
  );
  const known = [...placed, ...leaving].filter(({ plural }) => plural !== undefined);
  const rules = rulesOf(cluster, namespacesOf([...known, ...hooks], release));
  const [live, unreadable] = await readLive(cluster, rendered.namespaceIsNew ? [] : known);
  const deeds = { placed, leaving, hooks, live, unreadable };
  const missing = missingRights(cluster, neededRights(deeds, tools, rendered), await rules).then(
    (rights) => {
      const fatal = rights.filter(({ onlyToUndo }) => onlyToUndo !== true);
      if (fatal.length > 0) throw missingRightsError(fatal, release.name);
      return rights;
    },
  );
  const objects = placed.map(({ object }) => object);
  const kept = await keptReplicas(cluster, objects, live);
  const wanted = withReplicas(objects, kept, release.namespace);
  const pairs = placed.map((one, index) => ({ ...one, object: wanted[index] ?? one.object }));
  // Both at once; where rights are missing, that is what counts.
  const trying = tryAll(pairs, before, live, tools, rendered);
  trying.catch(() => {});
  const rights = await missing;
  const trials = await trying;
  const comparisons = [
    ...trials.map(({ comparison }) => comparison),
    ...leaving.map(({ object }) => ({ live: live(refOf(object)), desired: undefined })),
  ];
  const refusals = trials.flatMap(({ refusal }) => refusal ?? []);
  const undo = rights.filter(({ onlyToUndo }) => onlyToUndo === true);
  return {
    difference: differenceOf(comparisons, rendered.redact),
    kept,
    notes: [...uncheckedNotes(comparisons), ...undoNotes(undo)],
    failure: refusals.length === 0 ? undefined : refusedError(refusals),
  };
}

function namespacesOf(placed: readonly PlacedObject[], { namespace }: ReleaseRef) {
  const named = placed.flatMap(({ object }) => object.metadata.namespace ?? []);
  return [...new Set([namespace, ...named])];
}

function isDefinition({ kind }: KubernetesObject): boolean {
  return kind === "CustomResourceDefinition";
}

/** What of the last revision the chart has no more, and Helm will delete. */
async function leavingObjects(
  before: readonly KubernetesObject[],
  placed: readonly PlacedObject[],
  { release, cluster }: ReleaseTools,
): Promise<readonly PlacedObject[]> {
  const staying = new Set(placed.map(({ object }) => keyOf(object)));
  const home = release.namespace;
  const gone = before.filter((object) => {
    const { annotations, namespace = home } = object.metadata;
    const moved = { ...object, metadata: { ...object.metadata, namespace } };
    const kept = annotations?.["helm.sh/resource-policy"] === "keep";
    return !kept && !staying.has(keyOf(moved)) && !staying.has(keyOf(object));
  });
  // A kind that the cluster serves no more cannot be in it either.
  return placeObjects(gone, [], release, cluster).catch(() => []);
}

function keyOf(object: KubernetesObject): string {
  const { apiVersion, kind, namespace = "", name } = refOf(object);
  return [apiVersion.split("/").slice(0, -1).join("/"), kind, namespace, name].join(" ");
}

/** The live objects, and the kinds that may not be read. */
async function readLive(
  cluster: Cluster,
  placed: readonly PlacedObject[],
): Promise<readonly [LiveObjects, ReadonlySet<string>]> {
  const unreadable = new Set<string>();
  const byKind = Map.groupBy(placed, ({ object }) => `${object.apiVersion} ${object.kind}`);
  const found = await Promise.all(
    [...byKind].map(async ([kind, group]): Promise<LiveObjects> => {
      try {
        return await findAll(
          cluster,
          group.map(({ object }) => refOf(object)),
        );
      } catch (error) {
        if (!isForbidden(error)) throw error;
        unreadable.add(kind);
        return () => undefined;
      }
    }),
  );
  return [
    (ref) => {
      for (const find of found) {
        const object = find(ref);
        if (object !== undefined) return object;
      }
      return undefined;
    },
    unreadable,
  ];
}

interface Tried {
  readonly comparison: Comparison;
  readonly refusal: Refusal | undefined;
}

async function tryAll(
  placed: readonly PlacedObject[],
  before: readonly KubernetesObject[],
  live: LiveObjects,
  tools: ReleaseTools,
  rendered: Rendered,
): Promise<readonly Tried[]> {
  const home = tools.release.namespace;
  const earlier = new Map(
    before.map((object) => {
      const namespace = object.metadata.namespace ?? home;
      return [keyOf({ ...object, metadata: { ...object.metadata, namespace } }), object];
    }),
  );
  const own = new Set(placed.map(({ object }) => `${object.kind}/${object.metadata.name}`));
  return inLanes(placed, async ({ object, plural, namespaced }): Promise<Tried> => {
    const now = live(refOf(object));
    const previous = earlier.get(keyOf(object)) ?? earlier.get(keyOf(inHome(object, home)));
    const plain = { live: now, desired: object, previous };
    const { namespace } = object.metadata;
    const unchecked =
      plural === undefined
        ? "not checked: its kind comes with the chart"
        : namespaced && own.has(`Namespace/${namespace}`) && now === undefined
          ? "not checked: its namespace comes with the chart"
          : rendered.namespaceIsNew && namespace === home
            ? "not checked: its namespace is made first"
            : undefined;
    if (unchecked !== undefined)
      return { comparison: { ...plain, note: unchecked }, refusal: undefined };
    const foreign = now === undefined ? undefined : foreignTo(now, previous, tools);
    if (foreign !== undefined) return { comparison: plain, refusal: foreign };
    if (now !== undefined && changesNothing(plain)) {
      return { comparison: { live: now, desired: now, complete: true }, refusal: undefined };
    }
    const trial = await tryOut(
      tools.cluster,
      { desired: object, live: now, previous },
      rendered.manner,
    );
    return triedAs(plain, trial);
  });
}

function inHome(object: KubernetesObject, namespace: string): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function changesNothing(comparison: Comparison): boolean {
  return differenceOf([comparison], (text) => text).counts.unchanged === 1;
}

function triedAs(plain: Comparison, trial: Trial): Tried {
  if (trial.came === "accepted") {
    // What is new is shown as the chart has it, without the API server's defaults.
    const comparison =
      plain.live === undefined ? plain : { ...plain, desired: trial.object, complete: true };
    return { comparison, refusal: undefined };
  }
  if (trial.came === "refused") return { comparison: plain, refusal: trial.refusal };
  return { comparison: { ...plain, note: `not tried out: ${trial.why}` }, refusal: undefined };
}

/** Helm takes an object over only when it bears the release's marks already. */
function foreignTo(
  live: KubernetesObject,
  previous: KubernetesObject | undefined,
  { release }: ReleaseTools,
): Refusal | undefined {
  if (previous !== undefined) return undefined;
  const { annotations = {}, labels = {} } = live.metadata;
  const [name, namespace] = [annotations[OWNER.name], annotations[OWNER.namespace]];
  const ours = name === release.name && namespace === release.namespace;
  if (ours && labels[OWNER.label] === "Helm") return undefined;
  const whose =
    name === undefined ? "no release's" : `the release ${name}'s of namespace ${namespace ?? "?"}`;
  return {
    object: live,
    sort: "foreign",
    words: `it exists, and it is ${whose}`,
    remedy:
      "Delete or rename that object, release under the name that it belongs to, or mark it as this release's own as Helm's documentation on adopting resources says.",
  };
}

function uncheckedNotes(comparisons: readonly Comparison[]): readonly string[] {
  return comparisons.flatMap(({ desired, note }) =>
    note === undefined || desired === undefined
      ? []
      : [`${nameOf({ kind: desired.kind, name: desired.metadata.name })} was ${note}.`],
  );
}

function undoNotes(missing: Parameters<typeof linesOf>[0]): readonly string[] {
  if (missing.length === 0) return [];
  return [
    `Should it fail, it may not be possible to put everything back: these credentials may not ${linesOf(missing).join("; nor ")}.`,
  ];
}
