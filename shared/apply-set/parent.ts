import { UserError } from "../failure/index.ts";
import { ApiError, type Cluster, type KubernetesObject } from "../kubernetes/index.ts";
import { groupKindOf } from "./key.ts";
import { type ApplySetRef, parentRef, setId } from "./set.ts";

/** The labels and annotations of the ApplySet specification, version 1 (KEP-3659). */
export const PART_OF = "applyset.kubernetes.io/part-of";
const ID = "applyset.kubernetes.io/id";
const TOOLING = "applyset.kubernetes.io/tooling";
const GROUP_KINDS = "applyset.kubernetes.io/contains-group-kinds";
const NAMESPACES = "applyset.kubernetes.io/additional-namespaces";

const TOOL = "seaworthy/v1";

/** Where the members of a set are to be looked for. */
export interface Inventory {
  /** `Deployment.apps`, `Service` */
  readonly groupKinds: readonly string[];
  /** Namespaces beside the set's own. */
  readonly namespaces: readonly string[];
}

/**
 * Reads where the members of a set are; undefined when there is no such set yet.
 *
 * @throws {UserError} when the Secret belongs to another tool, or is no ApplySet.
 */
export async function readParent(
  cluster: Cluster,
  set: ApplySetRef,
): Promise<Inventory | undefined> {
  const ref = parentRef(set);
  const parent = await cluster.find(ref);
  if (parent === undefined) return undefined;
  const { labels = {}, annotations = {} } = parent.metadata;
  const tooling = annotations[TOOLING];
  if (labels[ID] !== setId(set) || tooling === undefined || !/^seaworthy\//.test(tooling)) {
    const whose =
      tooling === undefined ? "is no ApplySet of this action" : `belongs to the tool ${tooling}`;
    throw new UserError({
      title: "Another tool owns this set",
      cause: `Secret ${ref.name} in namespace ${set.namespace} ${whose}.`,
      remedy:
        "Give this set another name, or delete that Secret when nobody else deploys by it. Nothing was changed.",
    });
  }
  return {
    groupKinds: listOf(annotations[GROUP_KINDS]),
    namespaces: listOf(annotations[NAMESPACES]),
  };
}

/** Writes where members of the set may be: before they are made, and less when they are gone. */
export async function writeParent(
  cluster: Cluster,
  set: ApplySetRef,
  { groupKinds, namespaces }: Inventory,
): Promise<void> {
  const ref = parentRef(set);
  const metadata = {
    labels: { [ID]: setId(set), "app.kubernetes.io/managed-by": "seaworthy" },
    annotations: {
      [TOOLING]: TOOL,
      [GROUP_KINDS]: joined(groupKinds),
      [NAMESPACES]: joined(namespaces.filter((name) => name !== set.namespace)),
    },
  };
  const { apiVersion, kind, namespace, name } = ref;
  try {
    const own = { name, ...(namespace === undefined ? {} : { namespace }), ...metadata };
    await cluster.create({ apiVersion, kind, metadata: own });
  } catch (error) {
    if (!(error instanceof ApiError && error.apiReason === "AlreadyExists")) throw error;
    await cluster.patch(ref, { metadata });
  }
}

/** Removes the parent of a set that has no members. */
export async function deleteParent(cluster: Cluster, set: ApplySetRef): Promise<void> {
  await cluster.delete(parentRef(set));
}

/** Where these objects are. */
export function inventoryOf(objects: readonly KubernetesObject[]): Inventory {
  const namespaces = objects.flatMap(({ metadata }) => metadata.namespace ?? []);
  return { groupKinds: unique(objects.map(groupKindOf)), namespaces: unique(namespaces) };
}

export function both(a: Inventory, b: Inventory | undefined): Inventory {
  return {
    groupKinds: unique([...a.groupKinds, ...(b?.groupKinds ?? [])]),
    namespaces: unique([...a.namespaces, ...(b?.namespaces ?? [])]),
  };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}

/** The specification wants them sorted, without spaces. */
function joined(texts: readonly string[]): string {
  return unique(texts).join(",");
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").filter((part) => part !== "");
}
