import { UserError } from "../../shared/failure/index.ts";
import {
  ApiError,
  type Cluster,
  GRACES,
  isAwaited,
  isAwaitedKind,
  isForbidden,
  type KubernetesObject,
  missingNamespace,
  refOf,
  type Target,
} from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";

interface Search {
  readonly namespace: string;
  /** Everything in the namespace where there is none. */
  readonly labelSelector?: string | undefined;
}

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Lists at once; a cluster with many custom resources has more than a hundred kinds. */
const LANES = 10;
/** What ended before this has nothing to do with the rollout that is waited for. */
const LONG_AGO_MS = 600_000;

/**
 * All objects of a namespace that a verdict means something for, of every kind that the cluster
 * serves; those that others made (a Deployment's pods, a CronJob's Jobs) are judged with their
 * makers. They may come a moment late.
 *
 * @throws {UserError} when there are none, and when workloads may not be read.
 */
export async function findObjects(
  cluster: Cluster,
  search: Search,
  world: World,
): Promise<readonly Target[]> {
  const kinds = await awaitedKinds(cluster, world);
  const giveUpAt = world.clock.now() + GRACES.absent;
  for (;;) {
    const objects = await listAll(cluster, kinds, search, world);
    const found = objects.filter((object) => isToBeAwaited(object, world));
    if (found.length > 0) return found.map((object) => ({ ...refOf(object), incidental: true }));
    if (world.clock.now() >= giveUpAt) throw await foundNothing(cluster, search);
    await world.clock.sleep(1_000, world.signal);
  }
}

/** Each kind once, in the version that the server prefers. */
async function awaitedKinds(cluster: Cluster, { log }: World): Promise<readonly Kind[]> {
  const { resources, unavailable } = await cluster.resources();
  if (unavailable.length > 0) {
    log.warning(
      `Not looked for: kinds of ${unavailable.join(", ")}, whose API server does not answer.`,
      "Some kinds are not known now",
    );
  }
  const served = resources.filter(
    ({ apiVersion, kind, namespaced, verbs }) =>
      namespaced &&
      verbs.includes("list") &&
      verbs.includes("watch") &&
      isAwaitedKind(apiVersion, kind),
  );
  const byName = new Map<string, Kind>();
  for (const { apiVersion, group, kind, preferred } of served) {
    const key = `${group}/${kind}`;
    if (preferred || !byName.has(key)) byName.set(key, { apiVersion, kind });
  }
  return [...byName.values()];
}

async function listAll(
  cluster: Cluster,
  kinds: readonly Kind[],
  { namespace, labelSelector }: Search,
  { log }: World,
): Promise<readonly KubernetesObject[]> {
  const waiting = [...kinds.entries()];
  const lists: (readonly KubernetesObject[])[] = [];
  const forbidden: string[] = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, kind] = next;
      try {
        lists[index] = (await cluster.list({ ...kind, namespace, labelSelector })).items;
      } catch (error) {
        if (error instanceof ApiError && error.status === 400) throw misread(labelSelector, error);
        // The kind was removed since the server was asked for its kinds: there is none left of it.
        if (error instanceof ApiError && error.status === 404 && !isWorkload(kind)) continue;
        if (!isForbidden(error) || isWorkload(kind)) throw error;
        forbidden.push(kind.kind);
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const objects = lists.flat();
  if (forbidden.length > 0 && objects.length > 0) {
    log.warning(
      `Not looked for, and so not waited for: ${forbidden.sort().join(", ")}: the credentials may not list them in namespace ${namespace}.`,
      "Some kinds may not be read",
    );
  }
  return objects;
}

function misread(selector: string | undefined, error: ApiError): UserError {
  return new UserError({
    title: "The selector cannot be read",
    cause: `The API server does not understand ${JSON.stringify(selector)}: ${error.cause}`,
    remedy: "Write it as kubectl takes it after -l: app=web,tier!=db, or app in (web, api).",
  });
}

function isWorkload({ apiVersion, kind }: Kind): boolean {
  return apiVersion === "apps/v1" || apiVersion === "batch/v1" || kind === "Pod";
}

interface Ended extends KubernetesObject {
  readonly status?: {
    readonly phase?: string;
    readonly completionTime?: string;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastTransitionTime?: string;
    }[];
  };
}

/** Not what others made, what is going, and what ended long before. */
function isToBeAwaited(object: KubernetesObject, { clock }: World): boolean {
  const { deletionTimestamp, ownerReferences = [] } = object.metadata;
  const made = ownerReferences.some(({ controller }) => controller === true);
  if (made || deletionTimestamp !== undefined || !isAwaited(object)) return false;
  const ended = endOf(object);
  return ended === undefined || clock.now() - ended < LONG_AGO_MS;
}

/** When a Job or a bare pod ended, in milliseconds since the Unix epoch; undefined: it has not. */
function endOf({ kind, status }: Ended): number | undefined {
  const types = kind === "Job" ? ["Complete", "Failed"] : kind === "Pod" ? ["Ready"] : [];
  if (kind === "Pod" && status?.phase !== "Succeeded" && status?.phase !== "Failed") {
    return undefined;
  }
  const end = status?.conditions?.find(
    ({ type, status: value }) => types.includes(type) && (kind === "Pod" || value === "True"),
  );
  return end?.lastTransitionTime === undefined ? undefined : Date.parse(end.lastTransitionTime);
}

async function foundNothing(cluster: Cluster, search: Search): Promise<UserError> {
  const { namespace, labelSelector } = search;
  const missing = await missingNamespace(cluster, namespace);
  if (missing !== undefined) {
    return new UserError({
      title: "No such namespace",
      cause: `${missing.charAt(0).toUpperCase()}${missing.slice(1)}`,
      remedy: "Check the input namespace, and that the step before made it.",
    });
  }
  if (labelSelector === undefined) {
    return new UserError({
      title: "The namespace is empty",
      cause: `Namespace ${namespace} holds nothing that can be waited for.`,
      remedy: "Check the namespace, and that the step before put something there.",
    });
  }
  const near = await labelsLike(cluster, namespace, labelSelector);
  return new UserError({
    title: "The selector finds nothing",
    cause: `Nothing that can be waited for in namespace ${namespace} has the labels ${labelSelector}${near}.`,
    remedy:
      "Check the labels of the workloads themselves (not those of their pods) and the namespace.",
  });
}

/** What the workloads there have in place of the labels that were asked for. */
async function labelsLike(
  cluster: Cluster,
  namespace: string,
  labelSelector: string,
): Promise<string> {
  const keys = [...labelSelector.matchAll(/(?:^|,)\s*([\w./-]+)\s*=/g)].map(([, key]) => key ?? "");
  const lists = await Promise.all(
    ["Deployment", "StatefulSet", "DaemonSet"].map((kind) =>
      cluster.list({ apiVersion: "apps/v1", kind, namespace }).catch(() => ({ items: [] })),
    ),
  );
  const labels = lists
    .flatMap(({ items }) => items)
    .flatMap(({ metadata }) =>
      keys.flatMap((key) => {
        const value = metadata.labels?.[key];
        return value === undefined ? [] : [`${key}=${value}`];
      }),
    );
  const there = [...new Set(labels)].slice(0, 10);
  return there.length === 0 ? "" : `; there are ${there.join(", ")}`;
}
