import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Built, build } from "../../shared/buildkit/index.ts";
import { describe, UserError } from "../../shared/failure/index.ts";
import { type ProvenImage, witness } from "../../shared/registry/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Narrator } from "./narrator.ts";
import type { ServiceResult } from "./result.ts";
import type { Workshop } from "./workshop.ts";
import type { PlacedService } from "./workspace.ts";

/** Builds and pushes one service and has the registry attest it. A failure is in the result. */
export async function buildService(
  service: PlacedService,
  options: Options,
  workshop: Workshop,
  narrator: Narrator,
  world: World,
): Promise<ServiceResult> {
  const { clock, signal } = world;
  const began = clock.now();
  const pushed: string[] = [];
  const partial = { name: service.name, began, pushed, uncompared: false, image: undefined };
  let made: Built | undefined;
  let built: number | undefined;
  narrator.begin(service.name);
  try {
    signal.throwIfAborted();
    made = await runBuildx(service, options, workshop, narrator, pushed, world);
    built = clock.now();
    const { steps, digest } = made;
    if (!options.push) {
      return { ...partial, built, ended: built, steps, failure: undefined };
    }
    const image = await prove(service, digest, workshop, world, signal);
    world.log.info(`${service.name}: the registry holds ${image.reference}`);
    const uncompared = digest === undefined;
    return { ...partial, built, ended: clock.now(), steps, image, uncompared, failure: undefined };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const image = signal.aborted
      ? await attestInterrupted(service, pushed, workshop, world)
      : undefined;
    return { ...partial, built, ended: clock.now(), steps: made?.steps, image, failure: error };
  } finally {
    narrator.end(service.name);
  }
}

function runBuildx(
  service: PlacedService,
  { push, provenance, sbom, timeout }: Options,
  { buildx, builder, environment, folder }: Workshop,
  narrator: Narrator,
  pushed: string[],
  { signal, secrets }: World,
): Promise<Built> {
  const metadataFile = join(folder, `metadata-${randomUUID()}.json`);
  const request = { ...service, push, provenance, sbom, builder, metadataFile };
  return build(request, {
    signal,
    secrets,
    deadline: timeout,
    buildx,
    environment,
    onEvent: (event) => {
      if (event.kind === "pushed") pushed.push(event.reference);
      narrator.tell(service.name, event);
    },
  });
}

function prove(
  { repository, tags, platforms }: PlacedService,
  digest: string | undefined,
  { registry }: Workshop,
  { clock }: World,
  signal: AbortSignal,
): Promise<ProvenImage> {
  const [first = "", ...others] = tags;
  return witness(
    { repository, tags: [first, ...others], digest, platforms },
    registry,
    clock,
    signal,
  );
}

/** After a cancellation: whether what buildx had pushed by then is whole. Bounded by 5 s. */
async function attestInterrupted(
  service: PlacedService,
  pushed: readonly string[],
  workshop: Workshop,
  world: World,
): Promise<ProvenImage | undefined> {
  if (pushed.length < service.tags.length) return undefined;
  const digest = pushed[0]?.split("@")[1];
  try {
    return await prove(service, digest, workshop, world, world.aftermath);
  } catch (error) {
    world.log.info(`${service.name}: pushed, and not proven: ${describe(error)}`);
    return undefined;
  }
}
