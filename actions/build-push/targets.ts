import type { BakeTarget, Cache } from "../../shared/buildkit/index.ts";
import { encodeInputs } from "../../shared/content-key/index.ts";
import type { CommitTime } from "../../shared/image-tags/index.ts";
import type { Caches } from "./caches.ts";
import { INPUTS_LABEL, KEY_LABEL } from "./decide.ts";
import type { Passage } from "./result.ts";
import type { PlacedBuild, PlacedService } from "./sources.ts";
import type { Step } from "./step.ts";

/** What the bake has to make: the images of these services, and what only they build upon. */
export async function targetsOf(
  passages: readonly Passage[],
  caches: Caches,
  step: Step,
): Promise<readonly BakeTarget[]> {
  const { order, world } = step;
  const commit = await order.naming.commit();
  if (commit.said !== undefined) world.log.info(commit.said);
  const images = passages.map((passage) =>
    withCache(imageTarget(passage, commit, step), caches.of(passage.service)),
  );
  const linked = linkedBy(
    passages.map(({ service }) => service),
    [...order.services, ...order.dependencies],
  );
  return [...images, ...linked.map((build) => baseTarget(build, commit, step))];
}

/** The step's cache beside the service's own. */
function withCache(target: BakeTarget, cache: Cache | undefined): BakeTarget {
  return {
    ...target,
    cacheFrom: [...(target.cacheFrom ?? []), ...(cache?.from ?? [])],
    cacheTo: [...(target.cacheTo ?? []), ...(cache?.to ?? [])],
  };
}

/** The builds that others take as contexts, directly or not, and that are not among them. */
export function linkedBy(
  builds: readonly PlacedBuild[],
  known: readonly PlacedBuild[],
): readonly PlacedBuild[] {
  const seen = new Set(builds.map(({ name }) => name));
  const linked: PlacedBuild[] = [];
  const waiting = builds.flatMap(({ dependsOn }) => dependsOn);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const found = known.find((build) => build.name === name);
    if (seen.has(name) || found === undefined) continue;
    seen.add(name);
    linked.push(found);
    waiting.push(...found.dependsOn);
  }
  return linked;
}

function imageTarget(passage: Passage, commit: CommitTime, step: Step): BakeTarget {
  const { service } = passage;
  const { options } = step;
  const base = baseTarget(service, commit, step);
  if (!options.push) return base;
  return {
    ...base,
    contexts: { ...pinned(passage), ...base.contexts },
    labels: labelsOf(passage, commit, step),
    annotations: annotationsOf(service, commit, step),
    repository: service.repository,
    mirrors: service.mirrors.map(({ repository }) => repository),
    output: "push-by-digest",
    provenance: service.provenance ?? options.provenance,
    sbom: service.sbom ?? options.sbom,
    sbomGenerator: options.sbomGenerator,
  };
}

/**
 * The base images at the digests that the key was made of: a tag that moves between the look at
 * the registry and the build must not make an image that its key does not tell of.
 */
function pinned({ contentKey }: Passage): Readonly<Record<string, string>> {
  const images = contentKey?.images ?? [];
  return Object.fromEntries(
    images.map(({ name, digest }) => [name, `docker-image://${atDigest(name, digest)}`]),
  );
}

function atDigest(name: string, digest: string): string {
  return name.includes("@") ? name : `${name}@${digest}`;
}

function labelsOf(
  { service, contentKey }: Passage,
  commit: CommitTime,
  { order }: Step,
): Readonly<Record<string, string>> {
  const { stable, ofCommit } = order.naming.labelsOf(service);
  const key =
    contentKey === undefined
      ? {}
      : { [KEY_LABEL]: contentKey.key, [INPUTS_LABEL]: encodeInputs(contentKey.inputs) };
  return { ...stable, ...ofCommit(commit), ...key };
}

function annotationsOf(
  service: PlacedService,
  commit: CommitTime,
  { order }: Step,
): Readonly<Record<string, string>> {
  const { stable, ofCommit } = order.naming.annotationsOf(service);
  return { ...stable, ...ofCommit(commit) };
}

/** A build whose image goes nowhere. */
function baseTarget(build: PlacedBuild, commit: CommitTime, { options }: Step): BakeTarget {
  const { name, context, dockerfile, dockerfileInline, dockerfileShown, target } = build;
  const { buildArgs, secrets, ssh, platforms, contexts, noCache, noCacheFilter, pull } = build;
  const { network, extraHosts, shmSize, ulimits, entitlements, exporter } = build;
  return {
    ...{ name, context, dockerfile, dockerfileInline, dockerfileShown, target },
    ...{ buildArgs, secrets, ssh, platforms, contexts, noCache, noCacheFilter, pull },
    ...{ network, extraHosts, shmSize, ulimits, entitlements, exporter },
    cacheFrom: build.cacheFrom,
    cacheTo: build.cacheTo,
    sourceDateEpoch: commit.seconds,
    timeout: options.timeout,
    output: "none",
  };
}
