export { assess, type Surroundings, type Wish } from "./assess.ts";
export { allOf, type Demand, parseDemand } from "./demand.ts";
export { hasRun } from "./ended.ts";
export { GRACES, type Graces } from "./grace.ts";
export { familyOf, type Need, neededFor } from "./needs.ts";
export type { Reason } from "./reason.ts";
export type { Sight } from "./sight.ts";
export {
  type Assessment,
  type Cause,
  type FirstSeen,
  judge,
  nextLook,
  type Problem,
  READY,
  sightings,
  type Verdict,
} from "./verdict.ts";
