export { bundleOf, sourceOf } from "./action.ts";
export { Runner } from "./runner.ts";
export { type Running, runStep, type Setting, type Step, startStep } from "./step.ts";
