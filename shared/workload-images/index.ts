export { applyChange, IMAGES_MANAGER, type Reverted, revertChange } from "./apply-change.ts";
export { titleOf, type WorkloadChange, type WorkloadState } from "./change.ts";
export { planWorkloads, type WorkloadWishes } from "./plan.ts";
export { retarget, statesAt } from "./retarget.ts";
export { headedLines, type WorkloadPlan } from "./workload-plan.ts";
