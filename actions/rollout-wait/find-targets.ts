import { UserError } from "../../shared/failure/index.ts";
import {
  awaitedTargets,
  type Cluster,
  resolveTargets,
  scoped,
  type Target,
  uniqueTargets,
} from "../../shared/kubernetes/index.ts";
import { type ManifestSource, readManifests } from "../../shared/manifests/index.ts";
import type { World } from "../../shared/world/index.ts";
import { readConditions, readLines, withConditions } from "./conditions.ts";
import { findObjects } from "./find-objects.ts";
import type { Options } from "./inputs.ts";
import { releaseTargets } from "./release.ts";

/**
 * Everything that is to be waited for, from all the ways in which it can be said. Decided once:
 * what comes to a namespace later is not waited for.
 *
 * @throws {UserError} when what is asked for cannot be read, and when a selector or a namespace
 * holds nothing.
 */
export async function findTargets(
  options: Options,
  cluster: Cluster,
  world: World,
): Promise<readonly Target[]> {
  const { resources = [], selector, all, manifests, release } = options;
  const namespace = options.namespace ?? cluster.namespace;
  const conditions = await readConditions(options.conditions, cluster, namespace);
  const searched = selector !== undefined || all;
  const groups = await Promise.all([
    resolveTargets(cluster, resources, namespace),
    manifests === undefined ? [] : manifestTargets(manifests, namespace, world),
    release === undefined ? [] : releaseTargets(cluster, { name: release, namespace }, world),
    searched ? findObjects(cluster, { namespace, labelSelector: selector }, world) : [],
  ]);
  const named = conditions.flatMap(({ target }) => target ?? []);
  const found = await scoped(cluster, groups.flat());
  return uniqueTargets(withConditions([...found, ...named], conditions));
}

/**
 * Looks at what is asked for as far as no cluster is needed for it.
 *
 * @throws {UserError} when nothing is asked for, or when a condition cannot be read.
 */
export function assertAsked(options: Options): void {
  const { resources = [], selector, all, manifests, release, conditions } = options;
  readLines(conditions);
  const given = [selector, manifests, release, conditions];
  if (resources.length > 0 || all || given.some((input) => input !== undefined)) return;
  throw new UserError({
    title: "Nothing to wait for",
    cause:
      "None of `resources`, `selector`, `all`, `manifests`, `release` and `conditions` was given.",
    remedy: "Name what to wait for, for example `resources: deployment/web`.",
  });
}

async function manifestTargets(
  sources: readonly ManifestSource[],
  namespace: string,
  world: World,
): Promise<readonly Target[]> {
  const workspace = world.environment.GITHUB_WORKSPACE ?? process.cwd();
  const read = await readManifests(sources, workspace, world);
  const objects = read.map(({ object }) => object);
  const targets = awaitedTargets(objects, namespace);
  const rest = objects.length - targets.length;
  const others = rest === 0 ? "" : `; the rest is settings and hooks, which need no waiting`;
  world.log.info(
    `The manifests hold ${objects.length === 1 ? "1 object" : `${objects.length} objects`}, of which ${targets.length} are waited for${others}.`,
  );
  return targets;
}
