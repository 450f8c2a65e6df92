import { type BakeResult, cacheLine } from "../../shared/buildkit/index.ts";
import { openCaches } from "./caches.ts";
import { Narrator } from "./narrator.ts";
import { Prover } from "./prove.ts";
import type { Passage } from "./result.ts";
import { withoutStaleKeys } from "./stale-keys.ts";
import type { Step } from "./step.ts";
import { targetsOf } from "./targets.ts";

/**
 * Builds what is to be built, as one bake, pushed by digest under no tag, and has the registry
 * attest each image. A failure is in the passage of its service; the others are finished.
 */
export async function buildChanged(
  passages: readonly Passage[],
  step: Step,
): Promise<readonly Passage[]> {
  const wanted = passages.filter(({ decision }) => decision.kind === "build");
  const prover = new Prover(step);
  const results = await bakeAll(wanted, prover, step);
  const done = passages.map((passage) => {
    const built = results.get(passage.service.name);
    if (built === undefined) return passage;
    return { ...passage, built, failure: built.failure };
  });
  const line = cacheLine([...results.values()]);
  if (line !== undefined) step.world.log.info(line);
  if (!step.options.push) return done;
  const sure = await withoutStaleKeys(done, step);
  return Promise.all(sure.map((passage) => prover.prove(passage)));
}

async function bakeAll(
  passages: readonly Passage[],
  prover: Prover,
  step: Step,
): Promise<ReadonlyMap<string, BakeResult>> {
  const { world, workshop, options } = step;
  const narrator = new Narrator(world.log, world.clock);
  const done = new AbortController();
  const silence = narrator.breakSilence(done.signal);
  const services = passages.map(({ service }) => service);
  await using caches = await openCaches(services, options, world);
  try {
    const targets = await targetsOf(passages, caches, step);
    await workshop.docker.write();
    for (const { name } of targets) narrator.begin(name);
    const results = await workshop.builder.bake(targets, {
      timeout: options.timeout,
      onEvent: (name, event) => {
        narrator.tell(name, event);
        if (event.kind !== "pushed") return;
        const pushed = services.find((service) => service.name === name);
        if (pushed !== undefined) prover.begin(pushed, event.reference);
      },
    });
    await caches.settle(results.filter(({ failure }) => !failure).map(({ name }) => name));
    return new Map(results.map((result) => [result.name, result]));
  } finally {
    done.abort();
    await silence;
  }
}
