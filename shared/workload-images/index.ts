export { applyChange, IMAGES_MANAGER, type Reverted, revertChange } from "./apply-change.ts";
export { titleOf, type WorkloadChange, type WorkloadState } from "./change.ts";
export { planWorkloads, retarget, type WorkloadPlan, type WorkloadWishes } from "./plan.ts";
