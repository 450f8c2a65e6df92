import { Gate, type GateImage, type GateVerdict } from "../../shared/gate/index.ts";
import { parseImage } from "../../shared/images/index.ts";
import { gateSettings } from "./gate-settings.ts";
import { placesOf } from "./places.ts";
import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";

/**
 * Makes the gate ready, before anything is built: a scanner or a key that is missing shows at once.
 *
 * @throws {UserError} when something that it takes is not right.
 */
export async function openGate({ options, order, workshop, world }: Step): Promise<Gate> {
  const settings = await gateSettings(options, order, world);
  const { docker, folder } = workshop;
  const { environment } = docker;
  const { clock, log, secrets, signal, environment: jobEnvironment } = world;
  const execution = { jobEnvironment, environment, folder, clock, log, secrets, signal };
  return await Gate.open(settings, execution);
}

/**
 * Has every image pass the gate, those of an earlier run too, before any tag moves. When the
 * builds of some failed, no tag will move, and the gate is not asked.
 */
export async function judge(
  passages: readonly Passage[],
  step: Step,
  gate: Gate | undefined,
): Promise<readonly Passage[]> {
  if (gate === undefined || passages.some(({ failure }) => failure !== undefined)) return passages;
  const images = await Promise.all(passages.map((passage) => imageOf(passage, step)));
  const { verdicts, notes } = await gate.pass(images.flatMap((image) => image ?? []));
  if (notes.length > 0) step.world.log.warning(notes.join("\n"), "The gate");
  return passages.map((passage) => {
    const verdict = verdicts.find(({ service }) => service === passage.service.name);
    return verdict === undefined ? { ...passage, gate: KEPT } : judged(passage, verdict, step);
  });
}

function judged(passage: Passage, { checks, failure }: GateVerdict, { world }: Step): Passage {
  const gate = checks.map(({ phrase }) => phrase);
  for (const { state, phrase } of checks) {
    world.log.info(`${passage.service.name}: ${state === "failed" ? "FAILED: " : ""}${phrase}`);
  }
  return { ...passage, gate, failure };
}

const KEPT = ["not checked: its tags stay where they are"];

/** What stays as it is under its tags is not judged: no tag moves to it. */
async function imageOf(passage: Passage, step: Step): Promise<GateImage | undefined> {
  const { service, decision, images } = passage;
  const { workshop } = step;
  if (decision.kind === "keep") return undefined;
  const goal = placesOf(service);
  const places = await Promise.all(
    images.map(async (image, at) => {
      const host = goal[at]?.repository.host;
      if (host === undefined) throw new Error(`${service.name}: an image in no known place`);
      return { image, registry: await workshop.registries.of(host) };
    }),
  );
  const [first, ...others] = places;
  if (first === undefined) return undefined;
  const reused = decision.kind === "reuse";
  const baseLayers = reused ? new Set<string>() : await baseLayersOf(passage, step);
  return { service: service.name, reused, baseLayers, places: [first, ...others] };
}

/** To ask for base images is worth so much time and no more. */
const PATIENCE_MS = 5_000;

/**
 * The layers that came with the base images, which no secret of this build can have got into. Where
 * their registry does not say, they are searched like all others.
 */
async function baseLayersOf(
  { contentKey, images }: Passage,
  { workshop, world }: Step,
): Promise<ReadonlySet<string>> {
  const signal = AbortSignal.any([world.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const platforms = images[0]?.platforms ?? [];
  const found = (contentKey?.images ?? []).map(async ({ name, digest }) => {
    const base = parseImage(name);
    if (base === undefined) return [];
    const registry = await workshop.registries.of(base.host);
    const { layersOf } = await import("../../shared/leaks/index.ts");
    return await layersOf(base.path, digest, platforms, registry, signal);
  });
  const layers = await Promise.allSettled(found);
  return new Set(layers.flatMap((each) => (each.status === "fulfilled" ? each.value : [])));
}
