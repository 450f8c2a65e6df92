export { Cancelled } from "./cancellation.ts";
export { type Field, Rejection } from "./field.ts";
export {
  bytes,
  choice,
  duration,
  flag,
  integer,
  jobToken,
  list,
  pairs,
  type Schema,
  text,
  words,
  yaml,
} from "./fields.ts";
export { type Inputs, type OptionsOf, parseInputs } from "./inputs.ts";
export { COMMON_OUTPUTS, type Outcome, type OutputValue, type Verdict } from "./outcome.ts";
export { type Action, run, type UseCase } from "./run.ts";
export { isMapping, nearestOf, Part, structure } from "./structure.ts";
