import type { Outcome } from "../../shared/action/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import type { World } from "../../shared/world/index.ts";
import { compare } from "./compare.ts";
import { tellDecisions } from "./decisions-told.ts";
import { hostsOf } from "./hosts.ts";
import type { Options, OutputName } from "./inputs.ts";
import { judge, openGate } from "./judge.ts";
import { outcomeOf } from "./outcome.ts";
import { planOutcome } from "./plan-summary.ts";
import { release } from "./release.ts";
import { findServices } from "./sources.ts";
import { openWorkshop } from "./workshop.ts";

/**
 * Builds the services that changed as one bake, pushes them by digest, and asks the registry for
 * what it now holds; those that did not change are found there by their content key. Only what has
 * passed the gate is given its tags, all services or none, and only what the registry itself
 * attests becomes an output.
 */
export async function buildPush(options: Options, world: World): Promise<Outcome<OutputName>> {
  const began = world.clock.now();
  const journal = new Journal(world.clock);
  const order = await findServices(options, world);
  await using workshop = await openWorkshop(options, hostsOf(order, options), world);
  const step = { options, order, workshop, world, journal, baseDigests: new Map(), began };
  const pushes = options.push && options.mode === "build";
  const gate = pushes ? await openGate(step) : undefined;
  let passages = await journal.phase("compare", () => compare(step));
  if (options.mode === "plan") return planOutcome(passages, step);
  tellDecisions(passages, step);
  if (passages.some(({ decision }) => decision.kind === "build")) {
    // A run in which nothing changed is over sooner without what builds.
    const { buildChanged } = await import("./builds.ts");
    passages = await journal.phase("build", () => buildChanged(passages, step));
  }
  if (!options.push) return outcomeOf(passages, step);
  passages = await journal.phase("gate", () => judge(passages, step, gate));
  const released = await journal.phase("tags", () => release(passages, step));
  return outcomeOf(released.passages, step, released.failure);
}
