import { Gate, type GateImage, type GateVerdict } from "../../shared/gate/index.ts";
import { gateSettings } from "./gate-settings.ts";
import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";

/**
 * Makes the gate ready, before anything is built: a scanner or a key that is missing shows at once.
 *
 * @throws {UserError} when something that it takes is not right.
 */
export async function openGate({ options, order, workshop, world }: Step): Promise<Gate> {
  const settings = await gateSettings(options, order, world);
  const { environment, folder } = workshop;
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
    return verdict === undefined ? passage : judged(passage, verdict, step);
  });
}

function judged(passage: Passage, { checks, failure }: GateVerdict, { world }: Step): Passage {
  const gate = checks.map(({ phrase }) => phrase);
  for (const { state, phrase } of checks) {
    world.log.info(`${passage.service.name}: ${state === "failed" ? "FAILED: " : ""}${phrase}`);
  }
  return { ...passage, gate, failure };
}

/** What stays as it is under its tags is not judged: no tag moves to it. */
async function imageOf(
  { service, decision, images }: Passage,
  { workshop }: Step,
): Promise<GateImage | undefined> {
  if (decision.kind === "keep") return undefined;
  const repositories = [service.repository, ...service.mirrors.map(({ repository }) => repository)];
  const places = await Promise.all(
    images.map(async (image, at) => {
      const host = repositories[at]?.host;
      if (host === undefined) throw new Error(`${service.name}: an image in no known place`);
      return { image, registry: await workshop.registries.of(host) };
    }),
  );
  const [first, ...others] = places;
  if (first === undefined) return undefined;
  return { service: service.name, reused: decision.kind === "reuse", places: [first, ...others] };
}
