export { assess, neededFor, type Surroundings } from "./assess.ts";
export type { Demand } from "./demand.ts";
export { GRACES, type Graces } from "./grace.ts";
export type { Sight } from "./sight.ts";
export {
  type Assessment,
  type Cause,
  type FirstSeen,
  judge,
  nextLook,
  type Problem,
  sightings,
  type Verdict,
} from "./verdict.ts";
