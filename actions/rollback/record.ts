import { pageOf } from "../../shared/lease/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Record } from "./way.ts";

/** Who goes back and why, from the inputs and the variables that a runner sets. */
export function recordOf({ reason }: Options, { clock, environment }: World): Record {
  return {
    by: environment.GITHUB_TRIGGERING_ACTOR || environment.GITHUB_ACTOR || environment.USER || "?",
    reason: reason === "" ? "no reason given" : reason,
    at: new Date(clock.now()).toISOString(),
    run: pageOf(environment),
  };
}
