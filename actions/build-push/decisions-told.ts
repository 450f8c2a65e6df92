import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";

/** Says what is done for each service, and why. */
export function tellDecisions(passages: readonly Passage[], { world, options }: Step): void {
  if (!options.push) return;
  for (const { service, decision } of passages) {
    const verb = { build: "building", reuse: "reusing", keep: "keeping" }[decision.kind];
    world.log.info(`${service.name}: ${verb}: ${decision.why.join("; ")}`);
  }
}
