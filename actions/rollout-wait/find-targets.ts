import { FormatError, UserError } from "../../shared/failure/index.ts";
import {
  awaitedTargets,
  type Cluster,
  resolveTargets,
  scoped,
  type Target,
  uniqueTargets,
} from "../../shared/kubernetes/index.ts";
import { type ManifestSource, parseSource, readManifests } from "../../shared/manifests/index.ts";
import type { World } from "../../shared/world/index.ts";
import { readConditions, withConditions } from "./conditions.ts";
import { findObjects } from "./find-objects.ts";
import type { Options } from "./inputs.ts";
import { releaseTargets } from "./release.ts";

/**
 * Everything that is to be waited for, from all the ways in which it can be said. Decided once:
 * what comes to a namespace later is not waited for.
 *
 * @throws {UserError} when nothing is asked for, when what is asked for cannot be read, and when a
 * selector or a namespace holds nothing.
 */
export async function findTargets(
  options: Options,
  cluster: Cluster,
  world: World,
): Promise<readonly Target[]> {
  const { resources = [], selector, all, manifests, release } = options;
  const namespace = options.namespace ?? cluster.namespace;
  const conditions = await readConditions(options.conditions, cluster, namespace);
  if (!isAsked(options)) throw nothingAsked();
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

function isAsked({ resources = [], selector, all, manifests, release, conditions }: Options) {
  const given = [selector, manifests, release, conditions];
  return resources.length > 0 || all || given.some((input) => input !== undefined);
}

function nothingAsked(): UserError {
  return new UserError({
    title: "Nothing to wait for",
    cause:
      "None of `resources`, `selector`, `all`, `manifests`, `release` and `conditions` was given.",
    remedy: "Name what to wait for, for example `resources: deployment/web`.",
  });
}

/** A line of a manifest that no path looks like. */
const CONTENT = /^\s*(\{|\[|---|#|"?(apiVersion|kind|metadata)"?\s*:)/m;

async function manifestTargets(
  manifests: string,
  namespace: string,
  world: World,
): Promise<readonly Target[]> {
  const sources = CONTENT.test(manifests)
    ? [{ kind: "inline", name: "the input manifests", text: manifests } as const]
    : pathsIn(manifests);
  const workspace = world.environment.GITHUB_WORKSPACE ?? process.cwd();
  const read = await readManifests(sources, workspace, world);
  const objects = read.map(({ object }) => object);
  const targets = awaitedTargets(objects, namespace);
  const rest = objects.length - targets.length;
  world.log.info(
    `The manifests hold ${counted(objects.length, "object")}, of which ${targets.length} are waited for${rest === 0 ? "" : `; ${counted(rest, "other")} (settings, hooks) need no waiting`}.`,
  );
  return targets;
}

function pathsIn(manifests: string): readonly ManifestSource[] {
  const lines = manifests.split(/\r\n|\r|\n/).map((line) => line.trim());
  return lines.filter((line) => line !== "").map(sourceIn);
}

function sourceIn(line: string): ManifestSource {
  try {
    return parseSource(line);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError({
      title: "The input manifests cannot be read",
      cause: error.message,
      remedy: "Give paths of files, folders or globs, one a line, or the manifests themselves.",
    });
  }
}

/** `1 object`, `2 objects` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
