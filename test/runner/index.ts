export { bundleOf } from "./action.ts";
export { Runner } from "./runner.ts";
export { failureOf, snapshot, snapshotOf } from "./snapshot.ts";
export { type Running, runStep, type Setting, type Step, startStep } from "./step.ts";
