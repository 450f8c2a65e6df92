import { nearestName } from "../../failure/index.ts";
import type { Cluster } from "../cluster.ts";

/**
 * Says so when a namespace does not exist: lists of its objects are merely empty. Undefined when
 * it exists, and when the credentials may not know.
 */
export async function missingNamespace(
  cluster: Cluster,
  namespace: string,
): Promise<string | undefined> {
  const kind = { apiVersion: "v1", kind: "Namespace" };
  try {
    if ((await cluster.find({ ...kind, name: namespace })) !== undefined) return undefined;
  } catch {
    return undefined;
  }
  const others = await cluster.list(kind).catch(() => ({ items: [] }));
  const near = nearestName(
    namespace,
    others.items.map(({ metadata }) => metadata.name),
  );
  return `namespace ${namespace} does not exist${near === undefined ? "" : `; did you mean ${near}?`}`;
}
