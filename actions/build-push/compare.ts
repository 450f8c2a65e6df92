import { decodeInputs } from "../../shared/content-key/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Repository } from "../../shared/images/index.ts";
import {
  DamagedImage,
  inspectImage,
  type Registry,
  type StoredImage,
} from "../../shared/registry/index.ts";
import { decide, flawOf, INPUTS_LABEL, type Known, keyTag } from "./decide.ts";
import { type FoundKey, keysOf } from "./keys.ts";
import { placesOf } from "./places.ts";
import type { Passage } from "./result.ts";
import type { PlacedService } from "./sources.ts";
import type { Step } from "./step.ts";

/**
 * Finds out for each service whether it has to be built: its content key is made, and the registry
 * asked for a whole image under it. A registry that would refuse the push is met here too, before
 * a long build.
 */
export async function compare(step: Step): Promise<readonly Passage[]> {
  const { order, options } = step;
  const { signal } = step.world;
  if (!options.push) return order.services.map(unpushed);
  const keys = keysOf(step);
  return Promise.all(
    order.services.map(async (service) => {
      const [known] = await Promise.all([
        keys.then((keyFor) => keyFor(service)).then((found) => knownOf(service, found, step)),
        options.mode === "build"
          ? atEach(service, step, (registry, path) => registry.checkAccess(path, signal))
          : undefined,
      ]);
      const decision = decide(known, options.rebuild);
      const pushes = options.mode === "build" && decision.kind === "build";
      // Some registries say only to the push itself that they are read-only, full, or not for us.
      if (pushes) {
        await atEach(service, step, (registry, path) => registry.checkPush(path, signal));
      }
      const { key: contentKey, before } = known;
      return { ...unpushed(service), decision, contentKey, before, images: decision.images };
    }),
  );
}

function unpushed(service: PlacedService): Passage {
  return {
    service,
    decision: { kind: "build", why: ["nothing is pushed, so that all are built"], images: [] },
    contentKey: undefined,
    before: undefined,
    built: undefined,
    images: [],
    gate: [],
    released: false,
    failure: undefined,
  };
}

/** Asks the registry of each place that the service goes to. */
async function atEach(
  service: PlacedService,
  { workshop }: Step,
  ask: (registry: Registry, path: string) => Promise<void>,
): Promise<void> {
  await Promise.all(
    placesOf(service).map(async ({ repository: { host, path } }) => {
      await ask(await workshop.registries.of(host), path);
    }),
  );
}

async function knownOf(service: PlacedService, found: FoundKey, step: Step): Promise<Known> {
  try {
    return await askRegistry(service, found, step);
  } catch (error) {
    // Whoever only plans may be without credentials; whoever builds must be able to push.
    if (step.options.mode !== "plan" || !(error instanceof UserError)) throw error;
    const unknown = error.cause.replace(/\.$/, "");
    return { ...NOTHING, key: "key" in found ? found.key : undefined, unknown };
  }
}

const NOTHING: Known = {
  asked: undefined,
  key: undefined,
  keyed: undefined,
  flaw: undefined,
  tagged: undefined,
  before: undefined,
  beforeInputs: undefined,
  unknown: undefined,
};

async function askRegistry(service: PlacedService, found: FoundKey, step: Step): Promise<Known> {
  const key = "key" in found ? found.key : undefined;
  const unknown = "unknown" in found ? found.unknown : undefined;
  const { rebuild } = step.options;
  const asked = service.noCache ? "no-cache is asked for" : undefined;
  const [keyed, tagged] = await Promise.all([
    key === undefined ? undefined : underKey(service, key.key, step),
    rebuild === "missing" ? underTags(service, step) : undefined,
  ]);
  const known = { ...NOTHING, asked, key, unknown, tagged, ...keyed };
  if (known.keyed !== undefined) return known;
  const before = await earlier(service, step);
  return { ...known, before, beforeInputs: decodeInputs(before?.labels[INPUTS_LABEL]) };
}

/** The image under the content key, wherever the service is pushed to. */
async function underKey(
  service: PlacedService,
  key: string,
  step: Step,
): Promise<Pick<Known, "keyed" | "flaw">> {
  const { options, workshop } = step;
  const { provenance = options.provenance, sbom = options.sbom } = service;
  const attested = provenance === "max" || (provenance === "min" && workshop.builder.attests);
  const wanted = { key, provenance: attested, sbom };
  try {
    const places = placesOf(service).map(({ repository }) => ({ repository, tag: keyTag(key) }));
    const keyed = await everywhere(places, service, step);
    const flaw = keyed?.map((image) => flawOf(image, wanted)).find(Boolean);
    return flaw === undefined ? { keyed, flaw } : { keyed: undefined, flaw };
  } catch (error) {
    if (!(error instanceof DamagedImage)) throw error;
    const flaw = `the image under its key is not whole: ${error.cause.replace(/\.$/, "")}`;
    return { keyed: undefined, flaw };
  }
}

/** The one image to which every tag leads already, in each place. */
async function underTags(
  service: PlacedService,
  step: Step,
): Promise<readonly StoredImage[] | undefined> {
  const places = placesOf(service);
  try {
    const all = await Promise.all(
      places.map(async ({ repository, tags }) => {
        const found = await everywhere(
          tags.map((tag) => ({ repository, tag })),
          service,
          step,
        );
        const digests = new Set(found?.map(({ digest }) => digest));
        return digests.size === 1 ? found?.[0] : undefined;
      }),
    );
    return all.every((image) => image !== undefined) ? all : undefined;
  } catch (error) {
    if (!(error instanceof DamagedImage)) throw error;
    return undefined;
  }
}

/** The images under tags; undefined when one of them leads nowhere. */
async function everywhere(
  places: readonly { readonly repository: Repository; readonly tag: string }[],
  { platforms }: PlacedService,
  { workshop, world }: Step,
): Promise<readonly StoredImage[] | undefined> {
  const images = await Promise.all(
    places.map(async ({ repository, tag }) => {
      const registry = await workshop.registries.of(repository.host);
      return inspectImage({ repository, reference: tag, platforms }, registry, world.signal);
    }),
  );
  return images.every((image) => image !== undefined) ? images : undefined;
}

/**
 * An image of an earlier run, to compare with: under one of the tags, such as `latest`, else of the
 * commit before. What it looks like decides nothing, so that a damaged one does no harm.
 */
async function earlier(service: PlacedService, step: Step): Promise<StoredImage | undefined> {
  const tags = [...service.tags].reverse();
  for (const tag of [...tags, ...step.order.naming.earlierTags]) {
    try {
      const places = [{ repository: service.repository, tag }];
      const found = await everywhere(places, { ...service, platforms: [] }, step);
      if (found !== undefined) return found[0];
    } catch (error) {
      if (!(error instanceof DamagedImage)) throw error;
    }
  }
  return undefined;
}
