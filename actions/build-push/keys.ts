import { type ContentKey, contentKeyOf, type Outside } from "../../shared/content-key/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { parseImage } from "../../shared/images/index.ts";
import { buildSubjectOf, keySubjectOf } from "./key-subject.ts";
import type { PlacedService } from "./sources.ts";
import type { Step } from "./step.ts";
import { triggersOf } from "./triggers.ts";

/** A key, or why there is none, as a phrase. */
export type FoundKey = { readonly key: ContentKey } | { readonly unknown: string };

/**
 * Makes the content key of each service; what several have in common is read and asked for once.
 * A key that cannot be made is no failure: the build itself will say better what is wrong.
 */
export async function keysOf(step: Step): Promise<(service: PlacedService) => Promise<FoundKey>> {
  const builder = await step.workshop.builder
    .version()
    .then((version) => ({ version }))
    .catch((error: unknown) => ({ unknown: causeOf(error) }));
  if (!("version" in builder)) return async () => builder;
  const outside: Outside = {
    builder: builder.version,
    signal: step.world.signal,
    resolve: (image) => pinnedDigest(image, step),
    triggers: (image, digest, platforms) => triggersOf({ image, digest, platforms }, step),
    keyOf: (name) => keyOf(name, outside, step),
  };
  return (service) =>
    contentKeyOf(keySubjectOf(service, step), outside)
      .then((key) => ({ key }))
      .catch((error: unknown) => {
        step.world.signal.throwIfAborted();
        return { unknown: causeOf(error) };
      });
}

/** The key of another build of the step, as a service's contexts name it. */
function keyOf(name: string, outside: Outside, { order }: Step): Promise<ContentKey> {
  const build = [...order.services, ...order.dependencies].find((each) => each.name === name);
  if (build === undefined) throw new Error(`no build has the name ${name}`);
  return contentKeyOf(buildSubjectOf(build), outside);
}

/** What a name leads to, asked once in a step: the build is pinned to it. */
function pinnedDigest(image: string, step: Step): Promise<string> {
  const known = step.baseDigests.get(image);
  if (known !== undefined) return known;
  const asked = digestOf(image, step);
  step.baseDigests.set(image, asked);
  return asked;
}

async function digestOf(image: string, { workshop, world }: Step): Promise<string> {
  const reference = parseImage(image);
  if (reference === undefined) throw noImage(image);
  const { host, path, tag = "latest" } = reference;
  const registry = await workshop.registries.of(host);
  const digest = await registry.digestOf(path, tag, world.signal);
  if (digest !== undefined) return digest;
  throw new UserError({
    title: "A base image is not there",
    cause: `The registry ${host} has no ${path}:${tag}.`,
    remedy: "Correct the image's name in the Dockerfile.",
  });
}

function noImage(name: string): UserError {
  return new UserError({
    title: "An image's name is none",
    cause: `The Dockerfile names ${JSON.stringify(name)}, which is no name of an image.`,
    remedy: "Write it as host/path:tag, in small letters.",
  });
}

function causeOf(error: unknown): string {
  if (!(error instanceof UserError)) throw error;
  return error.cause.replace(/\.$/, "");
}
