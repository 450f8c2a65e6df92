import { UserError } from "../failure/index.ts";
import type { ReleaseRef } from "../helm/index.ts";
import { type Cluster, groupOf, type KubernetesObject } from "../kubernetes/index.ts";

/** An object of a release as it will be in the cluster, and how the cluster serves its kind. */
export interface PlacedObject {
  /** With its namespace, and with the marks that Helm puts on it. */
  readonly object: KubernetesObject;
  /** `deployments`; undefined when the kind comes with the chart itself. */
  readonly plural: string | undefined;
  readonly namespaced: boolean;
}

/** The marks by which Helm knows its objects: pkg/action/validate.go. */
export const OWNER = {
  label: "app.kubernetes.io/managed-by",
  name: "meta.helm.sh/release-name",
  namespace: "meta.helm.sh/release-namespace",
} as const;

/**
 * Finds out where the objects of a release will be.
 *
 * @param definitions the chart's CustomResourceDefinitions, of which the cluster may not know yet.
 * @throws {UserError} naming every kind that the cluster does not serve.
 */
export async function placeObjects(
  objects: readonly KubernetesObject[],
  definitions: readonly KubernetesObject[],
  release: ReleaseRef,
  cluster: Cluster,
): Promise<readonly PlacedObject[]> {
  const kinds = new Map(objects.map((object) => [kindOf(object), object]));
  const coming = scopesOf(definitions);
  const missing: string[] = [];
  const served = new Map<string, Omit<PlacedObject, "object">>();
  await Promise.all(
    [...kinds].map(async ([key, object]) => {
      const found = await servedKind(cluster, object);
      const scope = coming.get(`${groupOf(object.apiVersion)}/${object.kind}`);
      if (found !== undefined) served.set(key, found);
      else if (scope === undefined) missing.push(`${object.kind} of ${object.apiVersion}`);
      else served.set(key, { plural: undefined, namespaced: scope === "Namespaced" });
    }),
  );
  if (missing.length > 0) throw unknownKinds(missing.sort());
  return objects.flatMap((object) => {
    const how = served.get(kindOf(object));
    return how === undefined ? [] : [{ ...how, object: marked(object, how.namespaced, release) }];
  });
}

function kindOf({ apiVersion, kind }: KubernetesObject): string {
  return `${apiVersion} ${kind}`;
}

async function servedKind(cluster: Cluster, object: KubernetesObject) {
  try {
    const { plural, namespaced } = await cluster.resource(object);
    return { plural, namespaced };
  } catch (error) {
    if (error instanceof UserError && error.title.startsWith("The cluster has no kind"))
      return undefined;
    throw error;
  }
}

interface Definition extends KubernetesObject {
  readonly spec?: {
    readonly group?: string;
    readonly scope?: string;
    readonly names?: { readonly kind?: string };
  };
}

function scopesOf(definitions: readonly Definition[]): ReadonlyMap<string, string> {
  return new Map(
    definitions.map(({ spec }) => [
      `${spec?.group}/${spec?.names?.kind}`,
      spec?.scope ?? "Namespaced",
    ]),
  );
}

function marked(
  object: KubernetesObject,
  namespaced: boolean,
  { name, namespace }: ReleaseRef,
): KubernetesObject {
  const { metadata } = object;
  return {
    ...object,
    metadata: {
      ...metadata,
      ...(namespaced ? { namespace: metadata.namespace ?? namespace } : {}),
      labels: { ...metadata.labels, [OWNER.label]: "Helm" },
      annotations: {
        ...metadata.annotations,
        [OWNER.name]: name,
        [OWNER.namespace]: namespace,
      },
    },
  };
}

function unknownKinds(kinds: readonly string[]): UserError {
  return new UserError({
    title: "The cluster does not know a kind of the chart",
    cause: `The chart has a ${kinds.join(", a ")}, which this cluster does not serve.`,
    remedy:
      "Install the custom resource definitions first, or use an API version that the cluster serves; nothing was changed.",
  });
}
