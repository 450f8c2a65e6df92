import { nearestName, UserError } from "../../shared/failure/index.ts";
import { objectsOf, readHistory, storageKind } from "../../shared/helm/index.ts";
import { awaitedTargets, type Cluster, type Target } from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";

/**
 * What is waited for of a Helm release: the objects of its newest revision, as Helm recorded them.
 * Its hooks are not among them: Helm itself runs those and waits for them.
 *
 * @throws {UserError} when there is no such release, or its records may not be read.
 */
export async function releaseTargets(
  cluster: Cluster,
  release: { readonly name: string; readonly namespace: string },
  { environment, log }: World,
): Promise<readonly Target[]> {
  const { name, namespace } = release;
  const storage = storageKind(environment.HELM_DRIVER);
  const history = await readHistory(cluster, { ...release, storage });
  const newest = history.at(-1);
  if (newest === undefined || newest.status === "uninstalled") {
    throw await noSuchRelease(cluster, release, storage, newest !== undefined);
  }
  const { revision, status, chart } = newest;
  log.info(
    `Release ${name} in namespace ${namespace}: revision ${revision} (${chart}), ${status}.`,
  );
  if (status !== "deployed") {
    log.warning(
      `Helm calls revision ${revision} ${status}: what it was to be is waited for all the same.`,
      `Release ${name} is ${status}`,
    );
  }
  return awaitedTargets(objectsOf(newest.manifest), namespace);
}

async function noSuchRelease(
  cluster: Cluster,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  kind: string,
  uninstalled: boolean,
): Promise<UserError> {
  const records = await cluster
    .list({ apiVersion: "v1", kind, namespace, labelSelector: "owner=helm" })
    .catch(() => ({ items: [] }));
  const names = [...new Set(records.items.flatMap(({ metadata }) => metadata.labels?.name ?? []))];
  const others = names.filter((other) => other !== name);
  const near = nearestName(name, others);
  const gone = uninstalled ? "It was uninstalled." : "";
  return new UserError({
    title: `No release ${name}`,
    cause: [
      `Helm has no release ${name} in namespace ${namespace}${near === undefined ? "." : `; did you mean ${near}?`}`,
      gone,
    ]
      .join(" ")
      .trim(),
    remedy: `Check the name and the namespace. Releases there: ${others.slice(0, 20).join(", ") || "none"}.`,
  });
}
