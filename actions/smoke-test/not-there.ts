import { nearestName, UserError } from "../../shared/failure/index.ts";
import type { Cluster } from "../../shared/kubernetes/index.ts";

const MOST_NAMES = 20;

/** That an object does not exist, with those of its kind that do, as far as they may be seen. */
export async function notThere(
  cluster: Cluster,
  {
    apiVersion,
    kind,
    namespace,
    name,
  }: Record<"apiVersion" | "kind" | "namespace" | "name", string>,
): Promise<UserError> {
  const others = await cluster.list({ apiVersion, kind, namespace }).catch(() => ({ items: [] }));
  const names = others.items.map(({ metadata }) => metadata.name);
  const near = nearestName(name, names);
  const hint = near === undefined ? "" : `; did you mean ${near}?`;
  const listed = names.slice(0, MOST_NAMES).join(", ") || "none that can be seen";
  return new UserError({
    title: `No ${kind} ${name}`,
    cause: `Namespace ${namespace} has no ${kind} ${name}${hint}`,
    remedy: `Check the name and the namespace. There: ${listed}.`,
  });
}
